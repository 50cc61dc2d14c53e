;; Returns a text that is right, in UTF-16, whose length is that of another encoding.
(component
  (core module $m
    (memory (export "memory") 1)
    (data (i32.const 0) "\08\00\00\00\ff\ff\ff\7f")
    (func (export "attack") (result i32) (i32.const 0)))
  (core instance $i (instantiate $m))
  (func (export "attack") (result string)
    (canon lift (core func $i "attack") (memory $i "memory") string-encoding=utf16)))
