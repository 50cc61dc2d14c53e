;; Waits for any of 400,000 timers, which are one and the same.
(component
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $pollable (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $pollable))))
    (export "[method]pollable.ready" (func (param "self" (borrow $pollable)) (result bool)))
    (export "poll" (func (param "in" (list (borrow $pollable))) (result (list u32))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (alias outer 1 $pollable (type $outer))
    (export "pollable" (type $pollable (eq $outer)))
    (export "now" (func (result u64)))
    (export "subscribe-instant" (func (param "when" u64) (result (own $pollable))))
    (export "subscribe-duration" (func (param "when" u64) (result (own $pollable))))))
  (core module $libc
    (memory (export "memory") 32)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
  (core instance $libc (instantiate $libc))
  (core func $block (canon lower (func $poll "[method]pollable.block")))
  (core func $ready (canon lower (func $poll "[method]pollable.ready")))
  (core func $any (canon lower (func $poll "poll") (memory $libc "memory") (realloc (func $libc "realloc"))))
  (core func $now (canon lower (func $clock "now")))
  (core func $at (canon lower (func $clock "subscribe-instant")))
  (core func $in (canon lower (func $clock "subscribe-duration")))
  (core func $drop (canon resource.drop $pollable))
  (core module $m
    (import "" "memory" (memory 1))
    (import "" "block" (func $block (param i32)))
    (import "" "ready" (func $ready (param i32) (result i32)))
    (import "" "any" (func $any (param i32 i32 i32)))
    (import "" "now" (func $now (result i64)))
    (import "" "at" (func $at (param i64) (result i32)))
    (import "" "in" (func $in (param i64) (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (func (export "attack") (local i32)
      (local.set 0 (i32.const 65536))
      (loop
        (i32.store (local.get 0) (call $in (i64.const -1)))
        (i32.store (i32.const 8) (i32.load (local.get 0)))
        (loop
          (local.set 0 (i32.add (local.get 0) (i32.const 4)))
          (i32.store (local.get 0) (i32.load (i32.const 8)))
          (br_if 0 (i32.lt_u (local.get 0) (i32.const 1665536)))))
      (call $any (i32.const 65536) (i32.const 400000) (i32.const 0))))
  (core instance $i (instantiate $m (with "" (instance
    (export "memory" (memory $libc "memory")) (export "block" (func $block)) (export "ready" (func $ready))
    (export "any" (func $any)) (export "now" (func $now)) (export "at" (func $at)) (export "in" (func $in))
    (export "drop" (func $drop))))))
  (func (export "attack") (canon lift (core func $i "attack"))))
