;; Imports an interface of WASI in a version that is not there.
(component
  (import "wasi:clocks/monotonic-clock@7.0.0" (instance (export "now" (func (result u64)))))
  (core module $m (func (export "attack")))
  (core instance $i (instantiate $m))
  (func (export "attack") (canon lift (core func $i "attack"))))
