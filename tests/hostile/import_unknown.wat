;; Imports what no host of ours has.
(component
  (import "acme:rocket/launch@1.0.0" (instance (export "now" (func))))
  (core module $m (func (export "attack")))
  (core instance $i (instantiate $m))
  (func (export "attack") (canon lift (core func $i "attack"))))
