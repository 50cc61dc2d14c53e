;; A core module where a component is wanted.
(module (func (export "attack")))
