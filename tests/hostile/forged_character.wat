;; Returns a character that is none.
(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "attack") (result i32) (i32.const 0xd800)))
  (core instance $i (instantiate $m))
  (func (export "attack") (result char)
    (canon lift (core func $i "attack") (memory $i "memory"))))
