;; Throws an exception.
(component
  (core module $m
    (tag $t)
    (func (export "attack") (throw $t)))
  (core instance $i (instantiate $m))
  (func (export "attack") (canon lift (core func $i "attack"))))
