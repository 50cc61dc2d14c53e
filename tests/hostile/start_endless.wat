;; Never gets past the start of its module.
(component
  (core module $m
    (func $begin (loop (br 0)))
    (start $begin)
    (func (export "attack")))
  (core instance $i (instantiate $m))
  (func (export "attack") (canon lift (core func $i "attack"))))
