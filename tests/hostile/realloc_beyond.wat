;; Is asked for memory, and gives an address beyond it.
(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const -16))
    (func (export "attack") (param i32 i32)))
  (core instance $i (instantiate $m))
  (func (export "attack") (param "texts" (list string))
    (canon lift (core func $i "attack") (memory $i "memory") (realloc (func $i "realloc")))))
