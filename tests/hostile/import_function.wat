;; Imports a function that an interface of WASI does not have.
(component
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance (export "turn-back" (func))))
  (core module $m (func (export "attack")))
  (core instance $i (instantiate $m))
  (func (export "attack") (canon lift (core func $i "attack"))))
