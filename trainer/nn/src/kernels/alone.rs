//! The forward operations of an encoder on the calling thread alone, on plain slices, without gradients.
//!
//! The other kernels share their work out among threads, and candle keeps what a gradient would need. Where somebody else's
//! quota pays for the work, both are wrong: what another thread does is not charged, and what is kept is not counted.

use super::gemm::{Matrix, Target, multiply};
use super::{math, norm};
use candle_core::{Result, bail};

/// Multiplications between two pauses: about a millisecond of one core.
const WORK: usize = 1 << 25;

/// Rows of a product whose inner sizes are `n` and `k` between two pauses; fewer than 32 would waste the packing of the
/// right operand.
pub(crate) fn rows_at_once(n: usize, k: usize) -> usize {
    (WORK / n.saturating_mul(k).max(1)).max(32)
}

/// `y = x wᵀ + bias` for rows of `x`: w `(n, k)`, bias `(n)`.
pub(crate) fn linear(x: &[f32], w: &[f32], bias: &[f32], y: &mut [f32]) -> Result<()> {
    let n = bias.len().max(1);
    let (rows, k) = (y.len() / n, w.len() / n);
    if w.len() != n * k || x.len() != rows * k || y.len() != rows * n {
        bail!("linear: `{}` by `{}` does not give `{}` numbers", x.len(), w.len(), y.len());
    }
    multiply(Target::Set(y), n, 1.0, Matrix::new(x, rows, k), Matrix::new(w, n, k).t())?;
    add_to_rows(y, bias);
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

    fn add_to_rows(rows: &mut [f32], bias: &[f32]) {
        for row in rows.chunks_mut(bias.len().max(1)) {
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
