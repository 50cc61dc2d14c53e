//! The host: the only crate of ours that knows clap, axum, rmcp, sqlx and the process environment.
//!
//! [`cli`] has one file a command. [`place`] is where a command works: the root and [`config`]. [`tools`] finds
//! components on disk and loads them when first called, after [`trust`] and [`lock`] have nothing against them; [`parcel`] and
//! [`install`] bring them there, [`inputs`] holds what calls may read, [`profile`] measures.
//!
//! Serving: [`host`] puts the parts together; [`agent`] is the flow from request to answer, the same for `run` and
//! [`server`]; [`mcp`] offers the tools themselves; [`session`] keeps what a request needs in memory, after [`store`] and [`blobs`] have it on disk.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod agent;
pub mod blobs;
pub mod cli;
pub mod config;
pub mod files;
pub mod host;
pub mod inputs;
pub mod install;
pub mod kept;
pub mod lock;
pub mod mcp;
pub mod parcel;
pub mod paths;
pub mod place;
pub mod planner;
pub mod policy;
pub mod profile;
pub mod recording;
pub mod server;
pub mod session;
pub mod store;
pub mod tools;
pub mod trust;

use std::process::ExitCode;

/// The whole program: the compiling child where the first argument says so, else a command.
#[must_use]
pub fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|a| a == tomas_sandbox::COMPILE_ARGUMENT) {
        return tomas_sandbox::compile_child_main();
    }
    tomas_trainer::prepare_process();
    cli::main()
}
