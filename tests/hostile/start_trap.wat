;; Traps at the start of its module.
(component
  (core module $m
    (func $begin unreachable)
    (start $begin)
    (func (export "attack")))
  (core instance $i (instantiate $m))
  (func (export "attack") (canon lift (core func $i "attack"))))
