//! Networks of the planner: the only room that knows candle.
//!
//! It knows nothing of tools, budgets or registries; it sees piece ids, symbols and rows of numbers.
//!
//! - [`kernels`] are the operations, each with a gradient; [`optimizer`] changes the parameters.
//! - [`parameters`] holds every variable of a network by name; [`weights`] brings them to files and
//!   back, [`folder`] makes a checkpoint complete or absent.
//! - [`encoder`] (BERT) and [`decoder`] (Qwen2 with cross-attention) are built from a parameter
//!   store by the sizes in [`config`]; their tensors are named as Hugging Face names them.
//! - [`piece`] cuts a request into pieces that know their bytes; [`prune`] makes a vocabulary small.
//! - [`planner`] joins encoder and decoder under heads for tools, configurations, symbols and pieces:
//!   one definition for training and planning, with its checkpoint folder. [`schedule`] is the
//!   learning rate.
//! - [`script`] lays a plan out for the decoder in [`symbol`]s, and walks over it one choice at a time.

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
pub mod schedule;
pub mod script;
pub mod symbol;
pub mod weights;

#[cfg(test)]
mod toy;

pub use error::{Error, Result};

/// The device that planning and training run on where no GPU was asked for.
#[must_use]
pub fn cpu() -> candle_core::Device {
    candle_core::Device::Cpu
}

pub use candle_core::Tensor;

/// Some rows of a table, in the given order: `(rows, width)`.
///
/// # Errors
/// [`Error::Tensor`] if a row does not exist.
pub fn rows(table: &Tensor, rows: &[u32]) -> Result<Tensor> {
    Ok(table.index_select(&Tensor::from_slice(rows, rows.len(), table.device())?, 0)?)
}

/// The mean of the rows of a table: `(width)`.
///
/// # Errors
/// [`Error::Tensor`] if it has no rows.
pub fn mean_row(table: &Tensor) -> Result<Tensor> {
    Ok(table.mean(0)?)
}

/// Rows `(width)` as a table `(rows, width)`.
///
/// # Errors
/// [`Error::Tensor`] if there are none, or their widths differ.
pub fn stack(rows: &[Tensor]) -> Result<Tensor> {
    Ok(Tensor::stack(rows, 0)?)
}

/// Numbers as a table `(rows, width)` on the CPU.
///
/// # Errors
/// [`Error::Tensor`] if the widths differ.
pub fn table(rows: &[Vec<f32>]) -> Result<Tensor> {
    Ok(Tensor::new(rows.to_vec(), &cpu())?)
}
