;; Imports what somebody else is to fetch.
(component
  (import "url=<https://acme.invalid/../../etc/passwd?\1b[2J>" (func))
  (core module $m (func (export "attack")))
  (core instance $i (instantiate $m))
  (func (export "attack") (canon lift (core func $i "attack"))))
