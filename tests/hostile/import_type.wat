;; Imports an interface of WASI with another type than it has.
(component
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance (export "now" (func (param "zone" string) (result string)))))
  (core module $m (func (export "attack")))
  (core instance $i (instantiate $m))
  (func (export "attack") (canon lift (core func $i "attack"))))
