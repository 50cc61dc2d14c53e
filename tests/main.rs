//! All integration tests, in one program: linking is what takes long. Each case is a file in `cases/`.
#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a test that cannot go on should say where; nothing is exported"
)]

mod cases {
    mod architecture;
    mod bad_input;
    mod chat;
    mod commands;
    mod distribution;
    mod fuzz;
    mod ids;
    mod mcp;
    mod model;
    mod models;
    mod sessions;
    mod signatures;
}
mod support;
#[path = "../host/accelerator/tests/models/tiny.rs"]
#[allow(dead_code, reason = "shared with the accelerator's tests")]
mod tiny;
