;; Returns, and never comes back when it is told that its result was read.
(component
  (core module $m
    (memory (export "memory") 1)
    (data (i32.const 0) "\08\00\00\00\02\00\00\00hi")
    (func (export "attack") (result i32) (i32.const 0))
    (func (export "after") (param i32) (loop (br 0))))
  (core instance $i (instantiate $m))
  (func (export "attack") (result string)
    (canon lift (core func $i "attack") (memory $i "memory") (post-return (func $i "after")))))
