;; Returns a million texts of 64 KiB, which are one and the same.
(component
  (core module $m
    (memory (export "memory") 240)
    (data (i32.const 0) "\00\00\02\00\40\42\0f\00")
    (func (export "attack") (result i32) (local i32)
      (local.set 0 (i32.const 0x20000))
      (loop
        (i32.store (local.get 0) (i32.const 16))
        (i32.store offset=4 (local.get 0) (i32.const 65536))
        (local.set 0 (i32.add (local.get 0) (i32.const 8)))
        (br_if 0 (i32.lt_u (local.get 0) (i32.const 8131072))))
      (i32.const 0)))
  (core instance $i (instantiate $m))
  (func (export "attack") (result (list string))
    (canon lift (core func $i "attack") (memory $i "memory"))))
