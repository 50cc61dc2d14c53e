;; Writes a note of 15 MiB.
(component
  (import "tomas:tool/log@0.1.0" (instance $log
    (type $levels (enum "debug" "info" "warn" "error"))
    (export "level" (type $level (eq $levels)))
    (export "log" (func (param "level" $level) (param "message" string)))))
  (core module $libc (memory (export "memory") 1 256))
  (core instance $libc (instantiate $libc))
  (core func $note (canon lower (func $log "log") (memory $libc "memory")))
  (core module $m
    (import "" "memory" (memory 1 256))
    (import "" "note" (func $note (param i32 i32 i32)))
    (func (export "attack")
      (drop (memory.grow (i32.const 239))) (call $note (i32.const 1) (i32.const 0) (i32.const 15728640))))
  (core instance $i (instantiate $m
    (with "" (instance (export "memory" (memory $libc "memory")) (export "note" (func $note))))))
  (func (export "attack") (canon lift (core func $i "attack"))))
