;; Grows its memory page by page for ever, whatever it is answered.
(component
  (core module $m
    (memory 1)
    (func (export "attack") (loop (drop (memory.grow (i32.const 1))) (br 0))))
  (core instance $i (instantiate $m))
  (func (export "attack") (canon lift (core func $i "attack"))))
