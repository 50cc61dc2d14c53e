;; Exports two names that differ in nothing but their case.
(component
  (core module $m (func (export "attack")))
  (core instance $i (instantiate $m))
  (func (export "attack") (canon lift (core func $i "attack")))
  (func (export "ATTACK") (canon lift (core func $i "attack"))))
