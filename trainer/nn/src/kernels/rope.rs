//! Rotary position embedding.

use super::data::{Fresh, filled, slice, tensor, with_f32};
use super::{reference, shape};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

/// Rotates the two halves of every head by its position's angles (the layout of Llama and Qwen).
///
/// x is `(batch, positions, heads, size)` with an even size; its first position is number `offset`. Angle `i` of
/// position `p` is `p / theta^(2i/size)`, as in [RoFormer](https://arxiv.org/abs/2104.09864), equation 34.
///
/// # Errors
/// On another rank or an odd head size.
pub fn rope(x: &Tensor, offset: usize, theta: f64) -> Result<Tensor> {
    let (_, s, h, d) = x.dims4()?;
    if d % 2 != 0 {
        bail!("rope: head size is `{d}`, expected an even one");
    }
    let table = Table::new(s, d, offset, theta);
    if !shape::fusible(&[x]) {
        return reference::rope(x, &table);
    }
    x.contiguous()?.apply_op1(Rope { table, positions: s, row: h * d })
}

/// Cosines and sines, each `(positions, size / 2)` row by row.
pub(crate) struct Table {
    pub(crate) cos: Vec<f32>,
    pub(crate) sin: Vec<f32>,
    half: usize,
}

impl Table {
    pub(crate) fn new(s: usize, d: usize, offset: usize, theta: f64) -> Self {
        let half = d / 2;
        let rates: Vec<f64> = (0..half).map(|i| theta.powf(-2.0 * i as f64 / d as f64)).collect();
        let (mut cos, mut sin) = (Vec::with_capacity(s * half), Vec::with_capacity(s * half));
        for p in 0..s {
            for rate in &rates {
                let (si, co) = ((offset as f64 + p as f64) * rate).sin_cos();
                cos.push(co as f32);
                sin.push(si as f32);
            }
        }
        Self { cos, sin, half }
    }

    /// Cosines and sines of one position.
    fn position(&self, p: usize) -> (&[f32], &[f32]) {
        let range = p * self.half..(p + 1) * self.half;
        (self.cos.get(range.clone()).unwrap_or_default(), self.sin.get(range).unwrap_or_default())
    }
}

struct Rope {
    table: Table,
    positions: usize,
    /// Elements of one position: heads times size.
    row: usize,
}

/// Positions that one task rotates.
const ROWS: usize = 32;

impl CustomOp1 for Rope {
    fn name(&self) -> &'static str {
        "rope"
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok((CpuStorage::F32(self.rotate(slice(x, xl)?, 1.0)?), xl.shape().clone()))
    }

    /// The gradient is rotated back.
    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let dx = with_f32(grad, |g| self.rotate(g, -1.0))?;
        Ok(Some(tensor(dx, x.shape())?))
    }
}

impl Rope {
    fn rotate(&self, x: &[f32], sign: f32) -> Result<Vec<f32>> {
        let block = (ROWS * self.row).max(1);
        let fill = |out: &mut [Fresh]| {
            let blocks = out.par_chunks_mut(block).zip(x.par_chunks(block)).enumerate();
            blocks.for_each(|(i, (y, x))| rotate_rows(self, i * ROWS, sign, x, y));
            Ok(())
        };
        #[expect(unsafe_code, reason = "see `filled`")]
        // SAFETY: the blocks cover the output; a row is a whole number of heads of even size, so all of it is written.
        unsafe {
            filled(x.len(), fill)
        }
    }
}

super::vectorised::vectorised! {
    /// Rotates rows of which the first is number `first` of the whole tensor.
    fn rotate_rows(rope: &Rope, first: usize, sign: f32, x: &[f32], y: &mut [Fresh]) {
        let half = rope.table.half;
        for (i, (y, x)) in y.chunks_mut(rope.row).zip(x.chunks(rope.row)).enumerate() {
            let (cos, sin) = rope.table.position((first + i) % rope.positions);
            for (y, x) in y.chunks_exact_mut(2 * half).zip(x.chunks_exact(2 * half)) {
                let ((y1, y2), (x1, x2)) = (y.split_at_mut(half), x.split_at(half));
                let outputs = y1.iter_mut().zip(y2);
                let inputs = x1.iter().zip(x2).zip(cos.iter().zip(sin));
                for ((y1, y2), ((x1, x2), (cos, sin))) in outputs.zip(inputs) {
                    y1.write(x1 * cos - sign * x2 * sin);
                    y2.write(x2 * cos + sign * x1 * sin);
                }
            }
        }
    }
}
