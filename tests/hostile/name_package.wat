;; Exports names in two packages that come to the same tool.
(component
  (core module $m (func (export "attack")))
  (core instance $i (instantiate $m))
  (func $f (canon lift (core func $i "attack")))
  (instance $one (export "attack" (func $f)))
  (export "a:b/c-d" (instance $one))
  (export "a:b-c/d" (instance $one))
  (export "a:b/c-d@1.0.0" (instance $one)))
