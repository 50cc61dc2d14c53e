;; Returns a list of four billion bytes that are not there.
(component
  (core module $m
    (memory (export "memory") 1)
    (data (i32.const 0) "\10\00\00\00\ff\ff\ff\ff")
    (func (export "attack") (result i32) (i32.const 0)))
  (core instance $i (instantiate $m))
  (func (export "attack") (result (list u8))
    (canon lift (core func $i "attack") (memory $i "memory"))))
