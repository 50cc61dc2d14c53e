;; Writes nothing, without end.
(component
  (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
  (alias export $error "error" (type $error))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (alias outer 1 $error (type $outer))
    (export "error" (type $error (eq $outer)))
    (export "output-stream" (type $out (sub resource)))
    (type $failure (variant (case "last-operation-failed" (own $error)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $failure)))
    (export "[method]output-stream.write" (func (param "self" (borrow $out)) (param "contents" (list u8))
      (result (result (error $stream-error)))))
    (export "[method]output-stream.write-zeroes" (func (param "self" (borrow $out)) (param "len" u64)
      (result (result (error $stream-error)))))
    (export "[method]output-stream.blocking-write-zeroes-and-flush" (func (param "self" (borrow $out)) (param "len" u64)
      (result (result (error $stream-error)))))))
  (alias export $streams "output-stream" (type $out))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer 1 $out (type $outer))
    (export "output-stream" (type $out (eq $outer)))
    (export "get-stdout" (func (result (own $out))))))
  (core module $libc (memory (export "memory") 240 256))
  (core instance $libc (instantiate $libc))
  (core func $write (canon lower (func $streams "[method]output-stream.write") (memory $libc "memory")))
  (core func $zeroes (canon lower (func $streams "[method]output-stream.write-zeroes") (memory $libc "memory")))
  (core func $zeroes-now
    (canon lower (func $streams "[method]output-stream.blocking-write-zeroes-and-flush") (memory $libc "memory")))
  (core func $stdout (canon lower (func $stdout "get-stdout")))
  (core module $m
    (import "" "write" (func $write (param i32 i32 i32 i32)))
    (import "" "zeroes" (func $zeroes (param i32 i64 i32)))
    (import "" "zeroes-now" (func $zeroes-now (param i32 i64 i32)))
    (import "" "stdout" (func $stdout (result i32)))
    (func (export "attack") (local i32)
      (local.set 0 (call $stdout)) (loop (call $write (local.get 0) (i32.const 0) (i32.const 0) (i32.const 0)) (br 0))))
  (core instance $i (instantiate $m (with "" (instance
    (export "write" (func $write)) (export "zeroes" (func $zeroes)) (export "zeroes-now" (func $zeroes-now))
    (export "stdout" (func $stdout))))))
  (func (export "attack") (canon lift (core func $i "attack"))))
