;; Begins with a table of more elements than an instance may have.
(component
  (core module $m
    (table 4000000000 funcref)
    (func (export "attack")))
  (core instance $i (instantiate $m))
  (func (export "attack") (canon lift (core func $i "attack"))))
