//! Host bindings of the WIT world `tool` (`wit/tool.wit`), and nothing else.
//!
//! They are a crate of their own because they are slow to build and change seldom. Every imported function may fail
//! with a host error, which ends the call (`trappable`); `parallel.map` waits for other instances (`async`).
#![allow(missing_docs, unreachable_pub, reason = "generated; the documentation is in wit/tool.wit")]
#![allow(clippy::all, clippy::pedantic, clippy::unwrap_used, reason = "generated")]

wasmtime::component::bindgen!({
    path: "../../../wit",
    world: "tool",
    imports: {
        "tomas:tool/parallel.map": async | trappable,
        default: trappable,
    },
    exports: { default: async },
});
