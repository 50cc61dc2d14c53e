;; Exports one function named like one of the world `tool`, and one like a program.
(component
  (core module $m (func (export "attack")))
  (core instance $i (instantiate $m))
  (func (export "invoke") (canon lift (core func $i "attack")))
  (func (export "run") (canon lift (core func $i "attack"))))
