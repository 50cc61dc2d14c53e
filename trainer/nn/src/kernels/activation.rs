//! Activation functions.

use super::{reference, shape};
use candle_core::{Result, Tensor, bail};

/// `x Φ(x)`, the exact (erf) form of GELU, of any shape.
///
/// # Errors
/// On a dtype without arithmetic.
pub fn gelu(x: &Tensor) -> Result<Tensor> {
    reference::gelu(x)
}

/// `silu(gate) * up`, both of one shape.
///
/// # Errors
/// On shapes or dtypes that differ.
pub fn swiglu(gate: &Tensor, up: &Tensor) -> Result<Tensor> {
    if gate.dims() != up.dims() {
        bail!("swiglu: gate has shape `{:?}` and up `{:?}`, expected the same", gate.dims(), up.dims());
    }
    shape::same_dtype("swiglu", &[gate, up])?;
    reference::swiglu(gate, up)
}
