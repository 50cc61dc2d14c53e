//! Layer normalisation and root-mean-square normalisation over the last dimension.

use super::{reference, shape};
use candle_core::{Result, Tensor};

/// `y = (x - mean) / sqrt(variance + eps) * w + b`: x `(.., n)`, w and b `(n)`.
///
/// # Errors
/// On shapes or dtypes that do not fit together.
pub fn layer_norm(x: &Tensor, w: &Tensor, b: &Tensor, eps: f64) -> Result<Tensor> {
    let n = shape::last_dim("layer_norm", x)?;
    shape::vector("layer_norm", "weight", w, n)?;
    shape::vector("layer_norm", "bias", b, n)?;
    shape::same_dtype("layer_norm", &[x, w, b])?;
    reference::layer_norm(x, w, b, eps)
}

/// `y = x / sqrt(mean(x²) + eps) * w`: x `(.., n)`, w `(n)`.
///
/// # Errors
/// On shapes or dtypes that do not fit together.
pub fn rms_norm(x: &Tensor, w: &Tensor, eps: f64) -> Result<Tensor> {
    let n = shape::last_dim("rms_norm", x)?;
    shape::vector("rms_norm", "weight", w, n)?;
    shape::same_dtype("rms_norm", &[x, w])?;
    reference::rms_norm(x, w, eps)
}
