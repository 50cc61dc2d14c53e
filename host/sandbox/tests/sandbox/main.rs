//! The sandbox against real components: what is promised holds, however a tool behaves.
#![allow(missing_docs, clippy::unwrap_used)]

mod beginning;
mod cancelling;
mod loading;
mod network;
mod nn;
mod outcomes;
mod parallel;
mod permissions;
mod programs;
mod quotas;
mod replay;
mod services;
mod support;
mod typed;
