;; Grows its memory for ever at the start of its module.
(component
  (core module $m
    (memory 1)
    (func $begin (loop (drop (memory.grow (i32.const 1))) (br 0)))
    (start $begin)
    (func (export "attack")))
  (core instance $i (instantiate $m))
  (func (export "attack") (canon lift (core func $i "attack"))))
