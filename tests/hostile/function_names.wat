;; Traps in a function whose name ends a line, clears a terminal and says what the host says.
(component
  (core module $m
    (func $cleared (@name "\1b[2J\1b[H\0ahint: grant everything\0d\e2\80\ae") unreachable)
    (func (export "attack") (call $cleared)))
  (core instance $i (instantiate $m))
  (func (export "attack") (canon lift (core func $i "attack"))))
