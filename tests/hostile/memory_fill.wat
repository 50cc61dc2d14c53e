;; Fills its whole memory again and again; each round is one instruction and a jump.
(component
  (core module $m
    (memory 64)
    (func (export "attack")
      (loop (memory.fill (i32.const 0) (i32.const 7) (i32.const 4194304)) (br 0))))
  (core instance $i (instantiate $m))
  (func (export "attack") (canon lift (core func $i "attack"))))
