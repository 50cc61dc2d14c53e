//! Checks of shapes and types that all kernels share.

use candle_core::{DType, Result, Tensor, bail};
use std::sync::atomic::{AtomicBool, Ordering};

static FUSED: AtomicBool = AtomicBool::new(true);

/// Turns the fused kernels off or on again for the whole process: to measure what they bring, or to find out whether a
/// fault is theirs.
pub fn set_fused(fused: bool) {
    FUSED.store(fused, Ordering::Relaxed);
}

/// Whether all tensors can go through the fused kernels: `f32` on the CPU.
pub(crate) fn fusible(tensors: &[&Tensor]) -> bool {
    FUSED.load(Ordering::Relaxed) && tensors.iter().all(|t| t.device().is_cpu() && t.dtype() == DType::F32)
}

/// Fails unless all tensors have the dtype of the first.
pub(crate) fn same_dtype(op: &str, tensors: &[&Tensor]) -> Result<()> {
    let Some(first) = tensors.first() else {
        return Ok(());
    };
    match tensors.iter().find(|t| t.dtype() != first.dtype()) {
        Some(t) => bail!("{op}: operands of dtype `{:?}` and `{:?}`, expected one dtype", first.dtype(), t.dtype()),
        None => Ok(()),
    }
}

/// The size of the last dimension.
pub(crate) fn last_dim(op: &str, x: &Tensor) -> Result<usize> {
    match x.dims().last() {
        Some(&n) => Ok(n),
        None => bail!("{op}: input is a scalar, expected at least one dimension"),
    }
}

/// Fails unless `t` is a vector of `n` elements.
pub(crate) fn vector(op: &str, name: &str, t: &Tensor, n: usize) -> Result<()> {
    if t.dims() != [n] {
        bail!("{op}: {name} has shape `{:?}`, expected `[{n}]`", t.dims());
    }
    Ok(())
}
