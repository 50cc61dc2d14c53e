;; Begins with a memory of 4 GiB.
(component
  (core module $m
    (memory 65536)
    (func (export "attack")))
  (core instance $i (instantiate $m))
  (func (export "attack") (canon lift (core func $i "attack"))))
