;; Exports a program, and beside it a function of the name that programs have.
(component
  (core module $m (func (export "program") (result i32) (i32.const 0)) (func (export "attack")))
  (core instance $i (instantiate $m))
  (func $f (result (result)) (canon lift (core func $i "program")))
  (instance $program (export "run" (func $f)))
  (export "wasi:cli/run@0.2.0" (instance $program))
  (func (export "run") (canon lift (core func $i "attack"))))
