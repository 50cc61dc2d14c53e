;; Exports a program of another type than programs have.
(component
  (core module $m (func (export "attack")))
  (core instance $i (instantiate $m))
  (func $f (canon lift (core func $i "attack")))
  (instance $program (export "run" (func $f)))
  (export "wasi:cli/run@0.2.0" (instance $program)))
