;; Makes a header whose value has 64 KiB.
(component
  (import "wasi:http/types@0.2.0" (instance $http
    (export "fields" (type $fields (sub resource)))
    (type $error-shape (variant (case "invalid-syntax") (case "forbidden") (case "immutable")))
    (export "header-error" (type $header-error (eq $error-shape)))
    (export "[constructor]fields" (func (result (own $fields))))
    (export "[method]fields.append" (func (param "self" (borrow $fields)) (param "name" string) (param "value" (list u8))
      (result (result (error $header-error)))))))
  (core module $libc (memory (export "memory") 4))
  (core instance $libc (instantiate $libc))
  (core func $new (canon lower (func $http "[constructor]fields")))
  (core func $append (canon lower (func $http "[method]fields.append") (memory $libc "memory")))
  (core module $m
    (import "" "memory" (memory 1))
    (import "" "new" (func $new (result i32)))
    (import "" "append" (func $append (param i32 i32 i32 i32 i32 i32)))
    (func (export "attack") (local i32 i32)
      (memory.fill (i32.const 0) (i32.const 120) (i32.const 131072))
      (local.set 0 (call $new))
      (call $append (local.get 0) (i32.const 0) (i32.const 4) (i32.const 0) (i32.const 65536) (i32.const 131072))
      (if (i32.eqz (i32.load8_u (i32.const 131072))) (then unreachable))))
  (core instance $i (instantiate $m (with "" (instance
    (export "memory" (memory $libc "memory")) (export "new" (func $new)) (export "append" (func $append))))))
  (func (export "attack") (canon lift (core func $i "attack"))))
