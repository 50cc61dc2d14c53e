//! The forward operations of an encoder on the calling thread alone, on plain slices, without gradients.
//!
//! The other kernels share their work out among threads, and candle keeps what a gradient would need. Where somebody else's
//! quota pays for the work, both are wrong: what another thread does is not charged, and what is kept is not counted.

use super::gemm::{Matrix, Target, multiply};
use super::{math, norm};
use candle_core::{Result, bail};
use std::ops::Range;

/// Rows of a product that are computed at once.
pub(crate) const ROWS: usize = 256;

/// Numbers of the right operand of a product that are read at once: what is packed of it takes half a MiB, and its
/// product with [`ROWS`] rows about a millisecond of one core.
const PACKED: usize = 128 << 10;

/// The columns of a product, by parts that are computed at once: `n` of them, of `k` terms each.
pub(crate) fn columns(n: usize, k: usize) -> impl Iterator<Item = Range<usize>> {
    let step = (PACKED / k.max(1)).max(16);
    (0..n).step_by(step).map(move |from| from..n.min(from + step))
}

/// The numbers that a product of so many rows may pack of its operands, where each result has `k` terms.
pub(crate) fn packed(rows: usize, k: usize) -> usize {
    // Panels are filled up to a multiple of their width, which is less than 64.
    PACKED.max(16 * k) + (rows + 2 * 64) * k
}

/// Some columns of `y = x wᵀ + bias` for rows of `x`: w `(n, k)`, bias `(n)`.
pub(crate) fn linear(x: &[f32], w: &[f32], bias: &[f32], columns: Range<usize>, y: &mut [f32]) -> Result<()> {
    let n = bias.len().max(1);
    let (rows, k) = (y.len() / n, w.len() / n);
    let parts = (w.get(columns.start * k..columns.end * k), bias.get(columns.clone()), y.get_mut(columns.start..));
    let (Some(w), Some(bias), Some(y)) = parts else {
        bail!("linear: there are no columns `{columns:?}` of `{n}`");
    };
    multiply(Target::Set(y), n, 1.0, Matrix::new(x, rows, k), Matrix::new(w, columns.len(), k).t())?;
    add_to_rows(y, bias, n);
    Ok(())
}

/// Queries whose scores are held at once.
pub(crate) const QUERIES: usize = 64;

/// Attention of some of the queries of one sequence to all of its keys: keys and values `(length, heads * d)`, queries and
/// result rows of the same width, `scores` room for `QUERIES * length`.
pub(crate) fn attention(
    q: &[f32],
    [k, v]: [&[f32]; 2],
    heads: usize,
    width: usize,
    scores: &mut [f32],
    y: &mut [f32],
) -> Result<()> {
    let (rows, length, d) = (q.len() / width.max(1), k.len() / width.max(1), width / heads.max(1));
    let Some(scores) = scores.get_mut(..rows * length) else {
        bail!("attention: no room for the scores of `{rows}` queries and `{length}` keys");
    };
    let scale = 1.0 / (d as f32).sqrt();
    for head in 0..heads {
        let of_head = |x: &'_ [f32]| head * d..x.len();
        let part = |x, rows| Matrix::strided(x, rows, d, width);
        let (q, k, v) = (&q[of_head(q)], &k[of_head(k)], &v[of_head(v)]);
        multiply(Target::Set(scores), length, scale, part(q, rows), part(k, length).t())?;
        softmax_rows(scores, length);
        let y = &mut y[head * d..];
        multiply(Target::Set(y), width, 1.0, Matrix::new(scores, rows, length), part(v, length))?;
    }
    Ok(())
}

/// `x += y`, then layer norm of each row.
pub(crate) fn add_and_norm(x: &mut [f32], y: &[f32], w: &[f32], b: &[f32], eps: f64) {
    add_to(x, y);
    norm::in_place(x, w, b, eps as f32);
}

super::vectorised::vectorised! {
    /// `x += y`.
    pub(crate) fn add_to(x: &mut [f32], y: &[f32]) {
        math::add(x, y);
    }

    fn add_to_rows(rows: &mut [f32], bias: &[f32], stride: usize) {
        for row in rows.chunks_mut(stride) {
            math::add(row, bias);
        }
    }

    /// The exact form of GELU of each number.
    pub(crate) fn gelu(x: &mut [f32]) {
        for x in x {
            *x *= math::normal(*x).0;
        }
    }

    fn softmax_rows(scores: &mut [f32], keys: usize) {
        for row in scores.chunks_mut(keys.max(1)) {
            math::softmax(row);
        }
    }
}
