//! Rotary position embedding.

use super::reference;
use candle_core::{Result, Tensor, bail};

/// Rotates the two halves of every head by its position's angles (the layout of Llama and Qwen).
///
/// x is `(batch, positions, heads, size)` with an even size; its first position is number `offset`. Angle `i` of
/// position `p` is `p / theta^(2i/size)`, as in [RoFormer](https://arxiv.org/abs/2104.09864), equation 34.
///
/// # Errors
/// On another rank or an odd head size.
pub fn rope(x: &Tensor, offset: usize, theta: f64) -> Result<Tensor> {
    let (_, s, _, d) = x.dims4()?;
    if d % 2 != 0 {
        bail!("rope: head size is `{d}`, expected an even one");
    }
    let table = table(s, d, offset, theta);
    reference::rope(x, &table)
}

/// Cosines and sines, each `(positions, size / 2)` row by row.
pub(crate) struct Table {
    pub(crate) cos: Vec<f32>,
    pub(crate) sin: Vec<f32>,
}

fn table(s: usize, d: usize, offset: usize, theta: f64) -> Table {
    let half = d / 2;
    let rates: Vec<f64> = (0..half).map(|i| theta.powf(-2.0 * i as f64 / d as f64)).collect();
    let (mut cos, mut sin) = (Vec::with_capacity(s * half), Vec::with_capacity(s * half));
    for p in offset..offset + s {
        for rate in &rates {
            let (si, co) = (p as f64 * rate).sin_cos();
            cos.push(co as f32);
            sin.push(si as f32);
        }
    }
    Table { cos, sin }
}
