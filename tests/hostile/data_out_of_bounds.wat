;; Its data lies beyond its memory.
(component
  (core module $m
    (memory 1)
    (data (i32.const 65530) "more than is there")
    (func (export "attack")))
  (core instance $i (instantiate $m))
  (func (export "attack") (canon lift (core func $i "attack"))))
