;; Returns its result at an address beyond its memory.
(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "attack") (result i32) (i32.const -4)))
  (core instance $i (instantiate $m))
  (func (export "attack") (result string)
    (canon lift (core func $i "attack") (memory $i "memory"))))
