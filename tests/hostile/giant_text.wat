;; Returns a text of 15 MiB.
(component
  (core module $m
    (memory (export "memory") 241)
    (data (i32.const 0) "\10\00\00\00\00\00\f0\00")
    (func (export "attack") (result i32)
      (memory.fill (i32.const 16) (i32.const 1) (i32.const 15728640)) (i32.const 0)))
  (core instance $i (instantiate $m))
  (func (export "attack") (result string)
    (canon lift (core func $i "attack") (memory $i "memory"))))
