//! What cases share: a host in a process of its own, and a client that can misbehave.

pub mod client;
pub mod command;
pub mod host;
pub mod mcp;
pub mod registry;
