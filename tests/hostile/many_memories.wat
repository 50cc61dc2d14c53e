;; More memories than an instance may have.
(component
  (core module $m
    (memory 1) (memory 1) (memory 1) (memory 1) (memory 1) (memory 1)
    (func (export "attack")))
  (core instance $i (instantiate $m))
  (func (export "attack") (canon lift (core func $i "attack"))))
