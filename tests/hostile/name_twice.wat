;; Exports one name twice.
(component
  (core module $m (func (export "attack")))
  (core instance $i (instantiate $m))
  (func (export "attack") (canon lift (core func $i "attack")))
  (func (export "attack") (canon lift (core func $i "attack"))))
