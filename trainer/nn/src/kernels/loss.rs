//! Cross-entropy losses.

use super::{reference, shape};
use candle_core::{Result, Tensor, bail};

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
    reference::cross_entropy(logits, targets, weights)
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
    reference::cross_entropy(&reference::linear(x, w, None)?, targets, weights)
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
