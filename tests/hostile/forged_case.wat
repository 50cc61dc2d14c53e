;; Returns a case that its variant does not have.
(component
  (core module $m
    (memory (export "memory") 1)
    (data (i32.const 0) "\07\01")
    (func (export "attack") (result i32) (i32.const 0)))
  (core instance $i (instantiate $m))
  (func (export "attack") (result (option u8))
    (canon lift (core func $i "attack") (memory $i "memory"))))
