;; Is asked for memory, and traps.
(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      unreachable)
    (func (export "attack") (param i32 i32)))
  (core instance $i (instantiate $m))
  (func (export "attack") (param "texts" (list string))
    (canon lift (core func $i "attack") (memory $i "memory") (realloc (func $i "realloc")))))
