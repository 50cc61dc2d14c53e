;; Calls itself without end through a table, with 64 values on the stack each time.
(component
  (core module $m
    (type $t (func))
    (table funcref (elem $deeper))
    (func $deeper (local v128 v128 v128 v128 v128 v128 v128 v128 v128 v128 v128 v128 v128 v128 v128 v128)
      (call_indirect (type $t) (i32.const 0))
      (call_indirect (type $t) (i32.const 0)))
    (func (export "attack") (call $deeper)))
  (core instance $i (instantiate $m))
  (func (export "attack") (canon lift (core func $i "attack"))))
