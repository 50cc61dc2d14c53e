;; A memory that threads could share.
(component
  (core module $m
    (memory 1 1 shared)
    (func (export "attack")))
  (core instance $i (instantiate $m))
  (func (export "attack") (canon lift (core func $i "attack"))))
