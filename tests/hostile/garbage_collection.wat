;; Builds a list on a heap that the host would have to collect.
(component
  (core module $m
    (type $cell (struct (field (ref null 0))))
    (func (export "attack") (local (ref null $cell))
      (loop (local.set 0 (struct.new $cell (local.get 0))) (br 0))))
  (core instance $i (instantiate $m))
  (func (export "attack") (canon lift (core func $i "attack"))))
