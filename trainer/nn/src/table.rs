//! Tables of numbers, for callers that know no candle.

use candle_core::{Device, Tensor};

use crate::error::Result;

/// The device that planning and training run on where no GPU was asked for.
#[must_use]
pub fn cpu() -> Device {
    Device::Cpu
}

/// Some rows of a table, in the given order: `(rows, width)`.
///
/// # Errors
/// [`crate::Error::Tensor`] if a row does not exist.
pub fn rows(table: &Tensor, rows: &[u32]) -> Result<Tensor> {
    Ok(table.index_select(&Tensor::from_slice(rows, rows.len(), table.device())?, 0)?)
}

/// The mean of the rows of a table: `(width)`.
///
/// # Errors
/// [`crate::Error::Tensor`] if it has no rows.
pub fn mean_row(table: &Tensor) -> Result<Tensor> {
    Ok(table.mean(0)?)
}

/// Rows `(width)` as a table `(rows, width)`.
///
/// # Errors
/// [`crate::Error::Tensor`] if there are none, or their widths differ.
pub fn stack(rows: &[Tensor]) -> Result<Tensor> {
    Ok(Tensor::stack(rows, 0)?)
}

/// Numbers as a table `(rows, width)` on the CPU.
///
/// # Errors
/// [`crate::Error::Tensor`] if the widths differ.
pub fn table(rows: &[Vec<f32>]) -> Result<Tensor> {
    Ok(Tensor::new(rows.to_vec(), &cpu())?)
}
