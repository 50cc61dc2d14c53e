;; Returns a list of 15 million booleans, each of which costs the host a value.
(component
  (core module $m
    (memory (export "memory") 241)
    (data (i32.const 0) "\10\00\00\00\00\00\e4\00")
    (func (export "attack") (result i32) (i32.const 0)))
  (core instance $i (instantiate $m))
  (func (export "attack") (result (list bool))
    (canon lift (core func $i "attack") (memory $i "memory"))))
