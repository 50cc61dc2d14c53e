;; A memory with addresses of 64 bits.
(component
  (core module $m
    (memory i64 1)
    (func (export "attack")))
  (core instance $i (instantiate $m))
  (func (export "attack") (canon lift (core func $i "attack"))))
