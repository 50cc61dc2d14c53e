//! Networks of the planner, and those that tools compute with: the only room that knows candle.
//!
//! It knows nothing of tools, budgets or registries; it sees piece ids, symbols and rows of numbers.
//!
//! - [`kernels`] are the operations, each with a gradient; [`optimizer`] changes the parameters.
//! - [`parameters`] holds every variable of a network by name; [`weights`] brings them to files and
//!   back, [`folder`] makes a checkpoint complete or absent.
//! - [`encoder`] (BERT) and [`decoder`] (Qwen2 with cross-attention) are built from a parameter
//!   store by the sizes in [`config`]; their tensors are named as Hugging Face names them.
//! - [`sentence`] turns a text into a vector with an encoder as it was published, on one thread and in counted memory.
//! - [`piece`] cuts a request into pieces that know their bytes; [`prune`] makes a vocabulary small.
//! - [`planner`] joins encoder and decoder under heads for tools, configurations, symbols and pieces:
//!   one definition for training and planning, with its checkpoint folder. [`schedule`] is the
//!   learning rate.
//! - [`script`] lays a plan out for the decoder in [`symbol`]s, and walks over it one choice at a time.
//!
//! Callers that know no candle make their tables of numbers by [`table()`], [`rows`], [`stack`] and
//! [`mean_row`].

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod config;
pub mod decoder;
pub mod encoder;
pub mod error;
pub mod folder;
pub mod kernels;
pub mod optimizer;
pub mod parameters;
pub mod piece;
pub mod planner;
pub mod prune;
pub mod quote;
pub mod schedule;
pub mod script;
pub mod sentence;
pub mod symbol;
mod table;
pub mod weights;

#[cfg(test)]
mod toy;

pub use candle_core::Tensor;
pub use error::{Error, Result};
pub use table::{cpu, mean_row, rows, stack, table};
