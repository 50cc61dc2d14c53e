;; Exports functions named like those of the world `tool`, of other types.
(component
  (core module $m (func (export "attack")))
  (core instance $i (instantiate $m))
  (func (export "describe") (canon lift (core func $i "attack")))
  (func (export "invoke") (canon lift (core func $i "attack"))))
