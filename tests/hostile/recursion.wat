;; Calls itself without end; its only stack is the one of wasm.
(component
  (core module $m
    (func $deeper (param i64) (result i64)
      (i64.add (call $deeper (i64.add (local.get 0) (i64.const 1))) (local.get 0)))
    (func (export "attack") (drop (call $deeper (i64.const 0)))))
  (core instance $i (instantiate $m))
  (func (export "attack") (canon lift (core func $i "attack"))))
