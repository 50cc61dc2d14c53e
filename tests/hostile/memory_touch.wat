;; Grows its memory and writes into each new page.
(component
  (core module $m
    (memory 1)
    (func (export "attack") (local i32)
      (loop
        (local.set 0 (memory.grow (i32.const 1)))
        (if (i32.eq (local.get 0) (i32.const -1)) (then unreachable))
        (i32.store (i32.mul (local.get 0) (i32.const 65536)) (i32.const 7))
        (br 0))))
  (core instance $i (instantiate $m))
  (func (export "attack") (canon lift (core func $i "attack"))))
