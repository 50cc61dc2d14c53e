//! The sandbox against real components: what is promised holds, however a tool behaves.
#![allow(missing_docs, clippy::unwrap_used)]

mod beginning;
mod cancelling;
mod loading;
mod nn;
mod outcomes;
mod parallel;
mod permissions;
mod programs;
mod quotas;
mod support;
mod typed;
