//! The trainer: from registry and language to a checkpoint.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod data;
pub mod encode;
pub mod metrics;
pub mod recipe;
pub mod rollout;

pub use tomas_nn::kernels::prepare_process;
