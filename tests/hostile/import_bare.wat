;; Imports a function under a name that an environment of WebAssembly often has.
(component
  (import "memory" (func))
  (core module $m (func (export "attack")))
  (core instance $i (instantiate $m))
  (func (export "attack") (canon lift (core func $i "attack"))))
