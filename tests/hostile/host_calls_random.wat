;; Asks for random numbers without end.
(component
  (import "wasi:random/random@0.2.0" (instance $random (export "get-random-u64" (func (result u64)))))
  (core func $word (canon lower (func $random "get-random-u64")))
  (core module $m
    (import "" "word" (func $word (result i64)))
    (func (export "attack") (loop (drop (call $word)) (br 0))))
  (core instance $i (instantiate $m (with "" (instance (export "word" (func $word))))))
  (func (export "attack") (canon lift (core func $i "attack"))))
