;; Grows a table by a thousand elements for ever, whatever it is answered.
(component
  (core module $m
    (table 1 funcref)
    (func (export "attack") (loop (drop (table.grow (ref.null func) (i32.const 1000))) (br 0))))
  (core instance $i (instantiate $m))
  (func (export "attack") (canon lift (core func $i "attack"))))
