;; Returns a list of 64-bit numbers at an odd address.
(component
  (core module $m
    (memory (export "memory") 1)
    (data (i32.const 0) "\11\00\00\00\01\00\00\00")
    (func (export "attack") (result i32) (i32.const 0)))
  (core instance $i (instantiate $m))
  (func (export "attack") (result (list u64))
    (canon lift (core func $i "attack") (memory $i "memory"))))
