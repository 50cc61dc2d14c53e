//! Cross-entropy losses.

use super::data::{Fresh, filled, slice, tensor, with_f32, zero};
use super::gemm::{Matrix, add_product, product};
use super::{math, reference, shape};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;
use std::sync::OnceLock;

/// Below this sum of weights the loss is divided by it instead, so that no row at all costs 0.
pub(crate) const MIN_WEIGHT: f32 = 1e-8;

/// `Σ wᵢ (logsumexp(logitsᵢ) - logitsᵢ[targetᵢ]) / max(Σ wᵢ, 1e-8)`, a scalar, of logits `(n, v)`.
///
/// Rows of weight 0 are not read, nor are their targets. A logit of `-inf` is a class that cannot be.
///
/// # Errors
/// On a number of targets or weights other than `n`, a target that is not below `v` or a weight that is negative or not
/// finite.
pub fn cross_entropy(logits: &Tensor, targets: &[u32], weights: &[f32]) -> Result<Tensor> {
    let (n, v) = logits.dims2()?;
    check("cross_entropy", n, v, targets, weights)?;
    if !shape::fusible(&[logits]) {
        return reference::cross_entropy(logits, targets, weights);
    }
    logits.contiguous()?.apply_op1(CrossEntropy { rows: Rows::new(targets, weights), log_sums: OnceLock::new() })
}

/// [`cross_entropy`] of the logits `x wᵀ`, which are never held all at once: x `(n, k)`, w `(v, k)`.
///
/// # Errors
/// As [`cross_entropy`], and on shapes that do not fit together.
pub fn linear_cross_entropy(x: &Tensor, w: &Tensor, targets: &[u32], weights: &[f32]) -> Result<Tensor> {
    let (n, k) = x.dims2()?;
    let (v, wk) = w.dims2()?;
    if wk != k {
        bail!("linear_cross_entropy: weight has shape `{:?}`, expected `[_, {k}]`", w.dims());
    }
    shape::same_dtype("linear_cross_entropy", &[x, w])?;
    check("linear_cross_entropy", n, v, targets, weights)?;
    if !shape::fusible(&[x, w]) {
        return reference::cross_entropy(&reference::linear(x, w, None)?, targets, weights);
    }
    let op = LinearCrossEntropy {
        rows: Rows::new(targets, weights),
        tracked: [x.track_op(), w.track_op()],
        gradients: OnceLock::new(),
    };
    x.contiguous()?.apply_op2(&w.contiguous()?, op)
}

fn check(op: &str, n: usize, v: usize, targets: &[u32], weights: &[f32]) -> Result<()> {
    if targets.len() != n || weights.len() != n {
        bail!("{op}: `{}` targets and `{}` weights, expected `{n}`", targets.len(), weights.len());
    }
    if let Some(w) = weights.iter().find(|w| !w.is_finite() || **w < 0.0) {
        bail!("{op}: a weight of `{w}`, expected a finite one of 0 or more");
    }
    let wrong = targets.iter().zip(weights).find(|&(&t, &w)| w > 0.0 && t as usize >= v);
    if let Some((t, _)) = wrong {
        bail!("{op}: target `{t}`, expected below `{v}`");
    }
    Ok(())
}

/// What each row should be and what share of the loss it has.
struct Rows {
    targets: Vec<u32>,
    shares: Vec<f32>,
}

impl Rows {
    fn new(targets: &[u32], weights: &[f32]) -> Self {
        let total = weights.iter().map(|&w| f64::from(w)).sum::<f64>().max(f64::from(MIN_WEIGHT));
        let shares = weights.iter().map(|&w| (f64::from(w) / total) as f32).collect();
        Self { targets: targets.to_vec(), shares }
    }
}

/// Rows that one task turns into losses.
const ROWS: usize = 16;

struct CrossEntropy {
    rows: Rows,
    /// `ln Σ eˣ` of every row, from the forward pass.
    log_sums: OnceLock<Vec<f32>>,
}

impl CustomOp1 for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross_entropy"
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, v) = xl.shape().dims2()?;
        let x = slice(x, xl)?;
        let rows = x.par_chunks((ROWS * v).max(1)).zip(self.rows.targets.par_chunks(ROWS));
        let parts: Vec<(Vec<f32>, f64)> = rows
            .zip(self.rows.shares.par_chunks(ROWS))
            .map(|((x, targets), shares)| losses(x, v, targets, shares))
            .collect();
        let loss = parts.iter().map(|(_, loss)| loss).sum::<f64>();
        let log_sums = parts.into_iter().flat_map(|(sums, _)| sums).collect();
        if self.log_sums.set(log_sums).is_err() {
            bail!("cross_entropy: the op ran twice");
        }
        Ok((CpuStorage::F32(vec![loss as f32]), Shape::from(())))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (_, v) = x.dims2()?;
        let scale = grad.to_scalar::<f32>()?;
        let log_sums = self.log_sums.get().map(Vec::as_slice).unwrap_or_default();
        let dx = with_f32(x, |x| {
            let fill = |out: &mut [Fresh]| {
                let block = (ROWS * v).max(1);
                let data = out.par_chunks_mut(block).zip(x.par_chunks(block)).zip(log_sums.par_chunks(ROWS));
                let rows = self.rows.targets.par_chunks(ROWS).zip(self.rows.shares.par_chunks(ROWS));
                data.zip(rows).for_each(|(((dx, x), sums), (targets, shares))| {
                    logit_gradients(x, v, sums, targets, shares, scale, dx);
                });
                Ok(())
            };
            #[expect(unsafe_code, reason = "see `filled`")]
            // SAFETY: logits, targets, shares and sums have a row each, and `logit_gradients` writes every row.
            unsafe {
                filled(x.len(), fill)
            }
        })?;
        Ok(Some(tensor(dx, x.shape())?))
    }
}

struct LinearCrossEntropy {
    rows: Rows,
    /// Whether input and weight need a gradient.
    tracked: [bool; 2],
    /// Their gradients for a loss whose own gradient is 1, computed on the way forward.
    gradients: OnceLock<[Vec<f32>; 2]>,
}

/// Logits that are held at once, roughly.
const HELD: usize = 1 << 20;

impl CustomOp2 for LinearCrossEntropy {
    fn name(&self) -> &'static str {
        "linear_cross_entropy"
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout, w: &CpuStorage, wl: &Layout) -> Result<(CpuStorage, Shape)> {
        let (v, k) = wl.shape().dims2()?;
        let (x, w) = (slice(x, xl)?, Matrix::new(slice(w, wl)?, v, k));
        let active = self.active();
        let [mut dx, mut dw] = self.tracked.map(|_| Vec::new());
        if self.tracked[0] {
            dx = vec![0.0; x.len()];
        }
        if self.tracked[1] {
            dw = vec![0.0; v * k];
        }
        let mut loss = 0.0;
        for rows in active.chunks((HELD / v.max(1)).clamp(64, 1024)) {
            let part = self.gathered(x, k, rows);
            let x = Matrix::new(&part, rows.len(), k);
            let mut logits = product(x, w.t(), |_| {})?;
            loss += self.replace_by_gradients(&mut logits, v, rows);
            let d = Matrix::new(&logits, rows.len(), v);
            if self.tracked[0] {
                scatter_copy(&product(d, w, |_| {})?, rows, k, &mut dx);
            }
            if self.tracked[1] {
                add_product(&mut dw, d.t(), x)?;
            }
        }
        if self.gradients.set([dx, dw]).is_err() {
            bail!("linear_cross_entropy: the op ran twice");
        }
        Ok((CpuStorage::F32(vec![loss as f32]), Shape::from(())))
    }

    fn bwd(&self, x: &Tensor, w: &Tensor, _: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let scale = grad.to_scalar::<f32>()?;
        let Some([dx, dw]) = self.gradients.get() else {
            bail!("linear_cross_entropy: no forward pass before the backward pass");
        };
        let scaled = |d: &Vec<f32>, like: &Tensor, tracked: bool| match tracked {
            true => tensor(d.par_iter().with_min_len(8192).map(|v| v * scale).collect(), like.shape()).map(Some),
            false => Ok(None),
        };
        Ok((scaled(dx, x, self.tracked[0])?, scaled(dw, w, self.tracked[1])?))
    }
}

impl LinearCrossEntropy {
    /// The rows that have a weight.
    fn active(&self) -> Vec<usize> {
        self.rows.shares.iter().enumerate().filter(|(_, s)| **s > 0.0).map(|(i, _)| i).collect()
    }

    /// These rows of the input, one after the other.
    fn gathered(&self, x: &[f32], k: usize, rows: &[usize]) -> Vec<f32> {
        let mut part = Vec::with_capacity(rows.len() * k);
        for &i in rows {
            part.extend_from_slice(x.get(i * k..(i + 1) * k).unwrap_or_default());
        }
        part
    }

    /// Turns logits of these rows into their gradients; returns the loss.
    fn replace_by_gradients(&self, logits: &mut [f32], v: usize, rows: &[usize]) -> f64 {
        let blocks = logits.par_chunks_mut((ROWS * v).max(1)).zip(rows.par_chunks(ROWS));
        let losses: Vec<f64> = blocks
            .map(|(logits, rows)| {
                let pick = |i: &usize| Some((*self.rows.targets.get(*i)?, *self.rows.shares.get(*i)?));
                let known: Vec<(u32, f32)> = rows.iter().filter_map(pick).collect();
                loss_and_gradients(logits, v, &known)
            })
            .collect();
        losses.iter().sum()
    }
}

/// Copies rows of `k` elements to where they belong.
fn scatter_copy(from: &[f32], rows: &[usize], k: usize, to: &mut [f32]) {
    for (from, &i) in from.chunks(k.max(1)).zip(rows) {
        if let Some(to) = to.get_mut(i * k..(i + 1) * k) {
            to.copy_from_slice(from);
        }
    }
}

super::vectorised::vectorised! {
    /// `ln Σ eˣ` of each row and the loss of all; rows without a share are passed over.
    fn losses(x: &[f32], v: usize, targets: &[u32], shares: &[f32]) -> (Vec<f32>, f64) {
        let mut loss = 0.0;
        let mut sums = Vec::with_capacity(targets.len());
        for ((x, target), share) in x.chunks(v.max(1)).zip(targets).zip(shares) {
            let sum = if *share > 0.0 { math::log_sum_exp(x) } else { 0.0 };
            if let (true, Some(chosen)) = (*share > 0.0, x.get(*target as usize)) {
                loss += f64::from(*share) * f64::from(sum - chosen);
            }
            sums.push(sum);
        }
        (sums, loss)
    }

    fn logit_gradients(x: &[f32], v: usize, sums: &[f32], targets: &[u32], shares: &[f32], scale: f32, dx: &mut [Fresh]) {
        let rows = dx.chunks_mut(v.max(1)).zip(x.chunks(v.max(1))).zip(sums);
        for (((dx, x), sum), (target, share)) in rows.zip(targets.iter().zip(shares)) {
            let factor = share * scale;
            if *share <= 0.0 {
                zero(dx);
                continue;
            }
            for (dx, x) in dx.iter_mut().zip(x) {
                dx.write(math::exp(x - sum) * factor);
            }
            if let (Some(dx), Some(x)) = (dx.get_mut(*target as usize), x.get(*target as usize)) {
                dx.write((math::exp(x - sum) - 1.0) * factor);
            }
        }
    }

    /// Turns rows of logits, each with a target and a share, into their gradients; returns the loss.
    fn loss_and_gradients(logits: &mut [f32], v: usize, rows: &[(u32, f32)]) -> f64 {
        let mut loss = 0.0;
        for (x, (target, share)) in logits.chunks_mut(v.max(1)).zip(rows) {
            let sum = math::log_sum_exp(x);
            loss += x.get(*target as usize).map_or(0.0, |chosen| f64::from(*share) * f64::from(sum - chosen));
            for x in x.iter_mut() {
                *x = math::exp(*x - sum) * share;
            }
            if let Some(x) = x.get_mut(*target as usize) {
                *x -= share;
            }
        }
        loss
    }
}
