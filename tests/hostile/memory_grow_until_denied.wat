;; Grows its memory page by page until that is refused, and gives up.
(component
  (core module $m
    (memory 1)
    (func (export "attack")
      (loop (br_if 0 (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
      unreachable))
  (core instance $i (instantiate $m))
  (func (export "attack") (canon lift (core func $i "attack"))))
