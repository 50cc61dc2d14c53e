//! The fused kernel behind [`attention`](super::attention()).
//!
//! Scores exist for one block of queries of one head at a time. The backward pass computes them again from the
//! logarithms of their sums, as in [FlashAttention](https://arxiv.org/abs/2205.14135), section 3.1 and appendix B.

use super::attention::{Attention, Sizes};
use super::data::{Fresh, filled, slice, tensor, with_f32, zero};
use super::gemm::{Matrix, Target, multiply};
use super::math;
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;
use std::sync::OnceLock;

/// Queries whose scores are held at once.
const BLOCK: usize = 64;

pub(crate) struct Kernel {
    mask: Attention,
    sizes: Sizes,
    /// `ln Σ e^score` per batch row, head and query, from the forward pass.
    log_sums: OnceLock<Vec<f32>>,
}

impl Kernel {
    pub(crate) fn new(mask: Attention, sizes: Sizes) -> Self {
        Self { mask, sizes, log_sums: OnceLock::new() }
    }
}

impl CustomOp3 for Kernel {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(
        &self,
        q: &CpuStorage,
        ql: &Layout,
        k: &CpuStorage,
        kl: &Layout,
        v: &CpuStorage,
        vl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let Sizes { b, sq, h, d, .. } = self.sizes;
        let (y, log_sums) = self.forward(slice(q, ql)?, slice(k, kl)?, slice(v, vl)?)?;
        if self.log_sums.set(log_sums).is_err() {
            bail!("attention: the op ran twice");
        }
        Ok((CpuStorage::F32(y), Shape::from((b, sq, h * d))))
    }

    fn bwd(
        &self,
        q: &Tensor,
        k: &Tensor,
        v: &Tensor,
        y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let [dq, dk, dv] = with_f32(q, |q| {
            with_f32(k, |k| with_f32(v, |v| with_f32(y, |y| with_f32(grad, |g| self.backward(q, k, v, y, g)))))
        })?;
        let keep = |d: Vec<f32>, like: &Tensor| match like.track_op() {
            true => tensor(d, like.shape()).map(Some),
            false => Ok(None),
        };
        Ok((keep(dq, q)?, keep(dk, k)?, keep(dv, v)?))
    }
}

/// One batch row.
struct Row<'a> {
    /// Its number.
    b: usize,
    q: &'a [f32],
    k: &'a [f32],
    v: &'a [f32],
}

/// A block of queries of one head.
struct Block {
    head: usize,
    /// First query.
    first: usize,
    /// Number of queries.
    rows: usize,
    /// Keys that the last query sees; the others see no more.
    keys: usize,
}

impl Kernel {
    /// Elements of a batch row of queries (or results) and of keys (or values).
    fn row_sizes(&self) -> (usize, usize) {
        let Sizes { sq, sk, h, kv, d, .. } = self.sizes;
        (sq * h * d, sk * kv * d)
    }

    fn forward(&self, q: &[f32], k: &[f32], v: &[f32]) -> Result<(Vec<f32>, Vec<f32>)> {
        let Sizes { b, sq, h, .. } = self.sizes;
        let (nq, nk) = self.row_sizes();
        let mut log_sums = vec![0.0; b * h * sq];
        let fill = |out: &mut [Fresh]| {
            let outputs = out.par_chunks_mut(nq.max(1)).zip(log_sums.par_chunks_mut((h * sq).max(1)));
            outputs.enumerate().try_for_each(|(b, (y, log_sums))| {
                let row = Row { b, q: part(q, b, nq), k: part(k, b, nk), v: part(v, b, nk) };
                self.forward_row(&row, y, log_sums)
            })
        };
        #[expect(unsafe_code, reason = "see `filled`")]
        // SAFETY: the rows cover the output, and `forward_row` writes all of its row.
        let y = unsafe { filled(b * nq, fill) }?;
        Ok((y, log_sums))
    }

    fn forward_row(&self, row: &Row<'_>, y: &mut [Fresh], log_sums: &mut [f32]) -> Result<()> {
        let Sizes { sq, sk, h, d, .. } = self.sizes;
        let queries = self.mask.queries(row.b, sq);
        zero(y.get_mut(queries * h * d..).unwrap_or_default());
        let mut scores = vec![0.0; BLOCK.min(sq) * sk];
        for block in self.blocks(row.b) {
            let to = &mut scores[..block.rows * block.keys];
            multiply(
                Target::Set(to),
                block.keys,
                self.scale(),
                self.queries(row.q, &block),
                self.keys(row.k, &block).t(),
            )?;
            let seen = |i: usize| self.mask.visible(row.b, block.first + i, sq, sk);
            let sums = log_sums.get_mut(block.head * sq + block.first..).unwrap_or_default();
            softmax_rows(to, block.keys, &seen, sums);
            let y = y.get_mut((block.first * h + block.head) * d..).unwrap_or_default();
            let p = Matrix::new(to, block.rows, block.keys);
            multiply(Target::Fresh(y), h * d, 1.0, p, self.keys(row.v, &block))?;
        }
        Ok(())
    }

    fn backward(&self, q: &[f32], k: &[f32], v: &[f32], y: &[f32], g: &[f32]) -> Result<[Vec<f32>; 3]> {
        let Sizes { sq, h, .. } = self.sizes;
        let (nq, nk) = self.row_sizes();
        let log_sums = self.log_sums.get().map(Vec::as_slice).unwrap_or_default();
        let (mut dq, mut dk, mut dv) = (vec![0.0; q.len()], vec![0.0; k.len()], vec![0.0; v.len()]);
        let queries = dq.par_chunks_mut(nq.max(1));
        let keys = dk.par_chunks_mut(nk.max(1)).zip(dv.par_chunks_mut(nk.max(1)));
        queries.zip(keys).enumerate().try_for_each(|(b, (dq, (dk, dv)))| {
            let row = Row { b, q: part(q, b, nq), k: part(k, b, nk), v: part(v, b, nk) };
            self.backward_row(&row, part(y, b, nq), part(g, b, nq), part(log_sums, b, h * sq), [dq, dk, dv])
        })?;
        Ok([dq, dk, dv])
    }

    fn backward_row(
        &self,
        row: &Row<'_>,
        y: &[f32],
        g: &[f32],
        log_sums: &[f32],
        [dq, dk, dv]: [&mut [f32]; 3],
    ) -> Result<()> {
        let Sizes { sq, sk, h, kv, d, .. } = self.sizes;
        let scale = self.scale();
        let mut scores = vec![0.0; 2 * BLOCK.min(sq) * sk];
        for block in self.blocks(row.b) {
            let n = block.rows * block.keys;
            let (p, ds) = scores.split_at_mut(n);
            let ds = &mut ds[..n];
            let (q, k, v) = (self.queries(row.q, &block), self.keys(row.k, &block), self.keys(row.v, &block));
            let gradient = self.queries(g, &block);
            multiply(Target::Set(p), block.keys, scale, q, k.t())?;
            multiply(Target::Set(ds), block.keys, 1.0, gradient, v.t())?;
            let seen = |i: usize| self.mask.visible(row.b, block.first + i, sq, sk);
            let offset = (block.first * h + block.head) * d;
            let outputs = [y, g].map(|t| t.get(offset..).unwrap_or_default());
            let sums = log_sums.get(block.head * sq + block.first..).unwrap_or_default();
            score_gradients(p, ds, block.keys, &seen, sums, outputs, h * d, d);
            let (p, ds) = (Matrix::new(p, block.rows, block.keys), Matrix::new(ds, block.rows, block.keys));
            let of_key = block.head / (h / kv) * d;
            let [to_q, to_k, to_v] = [(&mut *dq, offset), (&mut *dk, of_key), (&mut *dv, of_key)]
                .map(|(t, from)| t.get_mut(from..).unwrap_or_default());
            multiply(Target::Set(to_q), h * d, scale, ds, k)?;
            multiply(Target::Add(to_k), kv * d, scale, ds.t(), q)?;
            multiply(Target::Add(to_v), kv * d, 1.0, p.t(), gradient)?;
        }
        Ok(())
    }

    /// All blocks of a batch row; padding queries are in none.
    fn blocks(&self, b: usize) -> impl Iterator<Item = Block> {
        let Sizes { sq, sk, h, .. } = self.sizes;
        let queries = self.mask.queries(b, sq);
        (0..h).flat_map(move |head| {
            (0..queries).step_by(BLOCK).map(move |first| {
                let rows = BLOCK.min(queries - first);
                Block { head, first, rows, keys: self.mask.visible(b, first + rows - 1, sq, sk) }
            })
        })
    }

    fn scale(&self) -> f32 {
        1.0 / (self.sizes.d as f32).sqrt()
    }

    /// The block's rows of queries, results or their gradients.
    fn queries<'a>(&self, q: &'a [f32], block: &Block) -> Matrix<'a> {
        let Sizes { h, d, .. } = self.sizes;
        let data = q.get((block.first * h + block.head) * d..).unwrap_or_default();
        Matrix::strided(data, block.rows, d, h * d)
    }

    /// The keys or values that the block sees.
    fn keys<'a>(&self, k: &'a [f32], block: &Block) -> Matrix<'a> {
        let Sizes { h, kv, d, .. } = self.sizes;
        let data = k.get(block.head / (h / kv) * d..).unwrap_or_default();
        Matrix::strided(data, block.keys, d, kv * d)
    }
}

/// Part number `i` of parts of `n` elements.
fn part(data: &[f32], i: usize, n: usize) -> &[f32] {
    data.get(i * n..(i + 1) * n).unwrap_or_default()
}

super::vectorised::vectorised! {
    /// Turns rows of `keys` scores into probabilities; row `i` sees `seen(i)` keys, all others get 0.
    fn softmax_rows(scores: &mut [f32], keys: usize, seen: &dyn Fn(usize) -> usize, sums: &mut [f32]) {
        for (i, (row, sum)) in scores.chunks_mut(keys.max(1)).zip(sums).enumerate() {
            let (visible, hidden) = row.split_at_mut(seen(i).min(keys));
            *sum = math::softmax(visible);
            hidden.fill(0.0);
        }
    }

    /// Turns scores `p` into probabilities and gradients of probabilities `ds` into gradients of scores, with `y` and `g`
    /// the results and their gradients, whose rows start `stride` elements apart.
    fn score_gradients(
        p: &mut [f32],
        ds: &mut [f32],
        keys: usize,
        seen: &dyn Fn(usize) -> usize,
        sums: &[f32],
        outputs: [&[f32]; 2],
        stride: usize,
        d: usize,
    ) {
        let [y, g] = outputs.map(|t| t.chunks(stride.max(1)));
        let rows = p.chunks_mut(keys.max(1)).zip(ds.chunks_mut(keys.max(1)));
        for (i, ((p, ds), (sum, (y, g)))) in rows.zip(sums.iter().zip(y.zip(g))).enumerate() {
            let mean = math::dot(y.get(..d).unwrap_or_default(), g.get(..d).unwrap_or_default());
            let n = seen(i).min(keys);
            let (hidden_p, hidden_ds) = (p.split_at_mut(n), ds.split_at_mut(n));
            for (p, ds) in hidden_p.0.iter_mut().zip(hidden_ds.0) {
                *p = math::exp(*p - sum);
                *ds = *p * (*ds - mean);
            }
            hidden_p.1.fill(0.0);
            hidden_ds.1.fill(0.0);
        }
    }
}
