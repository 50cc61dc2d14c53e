;; Exports names of words that are numbers and capitals, which are allowed.
(component
  (core module $m (func (export "attack")))
  (core instance $i (instantiate $m))
  (func (export "attack-0-X9") (canon lift (core func $i "attack"))))
