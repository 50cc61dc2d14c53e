//! Runs tool components under a quota that is really enforced.
//!
//! A component is checked and compiled in a limited child process ([`Sandbox::load`]) and then called any number of
//! times ([`Sandbox::call`]). Each call gets a fresh instance from a pool and a thread of its own (where its tool is known
//! to be short, from the second millisecond on), is held to the quota of its [`Grant`](tomas_core::accountant::Grant)
//! (CPU rate, total memory, deadline, output), reaches only what it is permitted to, and ends in an
//! [`Observation`](tomas_core::observation::Observation) that says what it did and what it used. Nothing a tool does is an
//! `Err`: that is reserved for faults of the host.
//!
//! Where things are: [`config`](SandboxConfig); `engine`, `ticker` and `pool` are what calls run on; `compile`, `cache`
//! and `component` bring a component in; `call`, `context`, `state` and `guard` are one call's life, `pace` and
//! `under_way` where it begins; `cpu`, `weight` and `limits` measure and hold it; `capability` is what a guest may import;
//! `outcome` tells how it ended.
//!
//! Architecture invariant: this is the only crate of ours that knows wasmtime (with `tomas-bindings`, which holds
//! nothing but its generated bindings), and no type of wasmtime is in its interface.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod cache;
mod call;
mod cancel;
mod capability;
mod compile;
mod component;
mod config;
mod context;
mod cpu;
mod engine;
mod error;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod guard;
mod keyvalue;
mod limits;
mod outcome;
mod outside;
mod pace;
mod pool;
mod resolver;
mod sandbox;
mod state;
mod tape;
mod ticker;
mod tls;
mod typed;
mod under_way;
mod weight;

pub use call::{Call, Finished, Progress, ProgressSink, Room, Workspace};
pub use cancel::CancelToken;
pub use compile::{COMPILE_ARGUMENT, CompileError, compile_child_main};
pub use component::LoadedComponent;
pub use config::{CompileConfig, InstanceConfig, SandboxConfig};
pub use error::{LoadError, SandboxError};
pub use keyvalue::KeyValue;
pub use outside::Outside;
pub use resolver::{Resolver, Resolving, SystemResolver};
pub use sandbox::{Described, Sandbox};
pub use tape::{Tape, Track};
