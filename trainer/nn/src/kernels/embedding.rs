//! Rows of a table by number.

use super::reference;
use candle_core::{DType, Result, Tensor, bail};

/// Row `ids[..]` of the table: table `(v, d)`, ids `u32` of any shape `(..)`, result `(.., d)`.
///
/// # Errors
/// On an id that is not below `v`, ids of another dtype or a table that is no matrix.
pub fn embedding(table: &Tensor, ids: &Tensor) -> Result<Tensor> {
    let (v, d) = table.dims2()?;
    if ids.dtype() != DType::U32 {
        bail!("embedding: ids of dtype `{:?}`, expected `U32`", ids.dtype());
    }
    let mut dims = ids.dims().to_vec();
    dims.push(d);
    let flat = ids.flatten_all()?;
    if let Some(id) = flat.to_vec1::<u32>()?.iter().find(|&&id| id as usize >= v) {
        bail!("embedding: id `{id}`, expected below `{v}`");
    }
    reference::embedding(table, &flat)?.reshape(dims)
}
