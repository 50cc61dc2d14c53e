;; Exports a name of no letters.
(component
  (core module $m (func (export "attack")))
  (core instance $i (instantiate $m))
  (func (export "") (canon lift (core func $i "attack"))))
