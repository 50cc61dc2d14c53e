;; Hands the host a list of four billion lists that are not there.
(component
  (import "tomas:tool/parallel@0.1.0" (instance $parallel
    (export "map" (func (param "items" (list (list u8))) (result (result (list (list u8)) (error string)))))))
  (core module $libc
    (memory (export "memory") 240 256)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
  (core instance $libc (instantiate $libc))
  (core func $map (canon lower (func $parallel "map") (memory $libc "memory") (realloc (func $libc "realloc"))))
  (core module $m
    (import "" "memory" (memory 240 256))
    (import "" "map" (func $map (param i32 i32 i32)))
    (func (export "attack") (local i32)
      (call $map (i32.const 16) (i32.const -1) (i32.const 0))))
  (core instance $i (instantiate $m
    (with "" (instance (export "memory" (memory $libc "memory")) (export "map" (func $map))))))
  (func (export "attack") (canon lift (core func $i "attack"))))
