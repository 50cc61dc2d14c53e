//! Rows of a table by number.

use super::data::{Fresh, filled, slice, tensor, with_f32};
use super::{math, reference, shape};
use candle_core::{CpuStorage, CustomOp1, DType, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

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
    let numbers = flat.to_vec1::<u32>()?;
    if let Some(id) = numbers.iter().find(|&&id| id as usize >= v) {
        bail!("embedding: id `{id}`, expected below `{v}`");
    }
    if !shape::fusible(&[table]) {
        return reference::embedding(table, &flat)?.reshape(dims);
    }
    table.contiguous()?.apply_op1(Embedding { ids: numbers, dims: Shape::from(dims) })
}

struct Embedding {
    ids: Vec<u32>,
    /// Shape of the result.
    dims: Shape,
}

/// Rows that one task copies, or rows of the table whose gradient it sums up.
const ROWS: usize = 128;

impl CustomOp1 for Embedding {
    fn name(&self) -> &'static str {
        "embedding"
    }

    fn cpu_fwd(&self, table: &CpuStorage, tl: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, d) = tl.shape().dims2()?;
        Ok((CpuStorage::F32(self.gather(slice(table, tl)?, d)?), self.dims.clone()))
    }

    fn bwd(&self, table: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (v, d) = table.dims2()?;
        let dt = with_f32(grad, |g| Ok(self.scatter(g, v, d)))?;
        Ok(Some(tensor(dt, (v, d))?))
    }
}

impl Embedding {
    fn gather(&self, table: &[f32], d: usize) -> Result<Vec<f32>> {
        let fill = |out: &mut [Fresh]| {
            let blocks = out.par_chunks_mut((ROWS * d).max(1)).zip(self.ids.par_chunks(ROWS));
            blocks.try_for_each(|(rows, ids)| {
                for (row, &id) in rows.chunks_mut(d).zip(ids) {
                    let Some(from) = table.get(id as usize * d..(id as usize + 1) * d) else {
                        bail!("embedding: id `{id}` is outside of the table");
                    };
                    row.write_copy_of_slice(from);
                }
                Ok(())
            })
        };
        #[expect(unsafe_code, reason = "see `filled`")]
        // SAFETY: the blocks cover the output, and every row of it is copied or an error is returned.
        unsafe {
            filled(self.ids.len() * d, fill)
        }
    }

    /// Sums the rows of the gradient by id. Each task owns some rows of the table and finds theirs in a list sorted by
    /// id and position, so every sum has one order, whatever the threads.
    fn scatter(&self, grad: &[f32], v: usize, d: usize) -> Vec<f32> {
        let mut order: Vec<(u32, u32)> = self.ids.iter().copied().zip(0..).collect();
        order.par_sort_unstable();
        let mut sums = vec![0.0; v * d];
        sums.par_chunks_mut((ROWS * d).max(1)).enumerate().for_each(|(block, sums)| {
            let (first, end) = (block * ROWS, (block + 1) * ROWS);
            let from = order.partition_point(|&(id, _)| (id as usize) < first);
            let to = order.partition_point(|&(id, _)| (id as usize) < end);
            scatter_rows(order.get(from..to).unwrap_or_default(), first, grad, d, sums);
        });
        sums
    }
}

super::vectorised::vectorised! {
    /// Adds rows of the gradient, given as (id, position), to `sums`, whose first row belongs to id `first`.
    fn scatter_rows(order: &[(u32, u32)], first: usize, grad: &[f32], d: usize, sums: &mut [f32]) {
        for &(id, position) in order {
            let (to, from) = ((id as usize - first) * d, position as usize * d);
            if let (Some(sum), Some(row)) = (sums.get_mut(to..to + d), grad.get(from..from + d)) {
                math::add(sum, row);
            }
        }
    }
}
