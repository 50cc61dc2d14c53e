//! The words of the house and the rules between them.
//!
//! `tomas-core` performs no I/O, reads no clock and draws no randomness: everything it knows is handed to it.
//! Two flows run through its types.
//!
//! *Serving*: a [`query::Query`] and an account's free [`resource::Resources`] go to a planner, which answers with a
//! [`plan::Plan`]; the [`accountant`] turns a step's [`quota::Quota`] into a [`accountant::Grant`] (only it can make
//! one); the sandbox consumes the grant by value and returns an [`observation::Observation`]; every step of the way is
//! a [`session::Event`].
//!
//! *Learning*: a component and its [`manifest::Manifest`] become a [`tool::Tool`]; replayed samples become
//! [`profile::Profile`]s; both are sealed into a [`registry::Registry`] under a digest; the registry makes the
//! [`token::TokenTable`] that names every [`configuration::Configuration`]; sessions leave
//! [`trajectory::Trajectory`]s for the trainer.
//!
//! [`graph`] is the door between the two that run things: the sandbox asks for networks through a trait that the
//! accelerator has, and neither knows the other.
//!
//! Architecture invariant: this crate depends on `serde`, `serde_json`, `thiserror` and `blake3` (a pure function),
//! and on nothing of ours.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod accountant;
pub mod amount;
pub mod configuration;
pub mod graph;
pub mod level;
pub mod manifest;
pub mod name;
pub mod network;
pub mod observation;
pub mod plan;
pub mod profile;
pub mod query;
pub mod quota;
pub mod registry;
pub mod resource;
pub mod session;
pub mod token;
pub mod tool;
pub mod trajectory;
