;; Exports a name with a letter that looks like another one.
(component
  (core module $m (func (export "attack")))
  (core instance $i (instantiate $m))
  (func (export "\d0\b0ttack") (canon lift (core func $i "attack"))))
