;; Exports a name that leads out of a folder.
(component
  (core module $m (func (export "attack")))
  (core instance $i (instantiate $m))
  (func (export "../attack") (canon lift (core func $i "attack"))))
