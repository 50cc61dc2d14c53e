//! Linear layers.

use super::{reference, shape};
use candle_core::{Result, Tensor, bail};

/// `y = x wᵀ + bias`: x `(.., k)`, w `(n, k)`, bias `(n)`, y `(.., n)`.
///
/// # Errors
/// On shapes or dtypes that do not fit together.
pub fn linear(x: &Tensor, w: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let k = shape::last_dim("linear", x)?;
    let (n, wk) = w.dims2()?;
    if wk != k {
        bail!("linear: weight has shape `{:?}`, expected `[_, {k}]` for input `{:?}`", w.dims(), x.dims());
    }
    shape::same_dtype("linear", &[x, w])?;
    if let Some(b) = bias {
        shape::vector("linear", "bias", b, n)?;
        shape::same_dtype("linear", &[x, b])?;
    }
    reference::linear(x, w, bias)
}
