//! The tools over the Model Context Protocol: `tomas-host mcp` on standard input and output, `/mcp` on the server.
//!
//! [`catalogue`] is what can be called and listed, [`live`] renews it when tools change, [`handler`] answers a client, [`lines`] is the transport over pipes,
//! [`result`] turns an observation into what a client reads. Each call is budgeted like any other: it reserves its quota
//! from the connection's account, waits for its turn, and settles what it used.
//!
//! Both eras of the protocol are spoken: with `initialize` (up to 2025-11-25) and without (2026-07-28).

pub mod catalogue;
pub mod handler;
pub mod lines;
pub mod live;
pub mod result;
