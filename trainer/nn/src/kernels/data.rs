//! The numbers behind candle's tensors.

use candle_core::{CpuStorage, Device, Layout, Result, Shape, Storage, Tensor, bail};
use std::mem::MaybeUninit;

/// An element of an output that is written exactly once.
pub(crate) type Fresh = MaybeUninit<f32>;

/// The `f32` elements of a contiguous CPU tensor inside an op's forward pass.
pub(crate) fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let CpuStorage::F32(data) = storage else {
        bail!("kernel: operand is not f32");
    };
    match layout.contiguous_offsets().and_then(|(from, to)| data.get(from..to)) {
        Some(data) => Ok(data),
        None => bail!("kernel: operand is not contiguous"),
    }
}

/// Runs `f` on the elements of an `f32` CPU tensor in row-major order.
pub(crate) fn with_f32<R>(tensor: &Tensor, f: impl FnOnce(&[f32]) -> Result<R>) -> Result<R> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => f(slice(storage, layout)?),
        _ => bail!("kernel: operand is not on the CPU"),
    }
}

/// A CPU tensor of these elements.
pub(crate) fn tensor(data: Vec<f32>, shape: impl Into<Shape>) -> Result<Tensor> {
    Tensor::from_vec(data, shape.into(), &Device::Cpu)
}

/// A vector of `n` elements that `fill` writes, without the cost of zeroing it first.
///
/// # Safety
/// `fill` must write every element if it returns `Ok`.
#[expect(unsafe_code, reason = "zeroing first costs as much as a whole elementwise kernel")]
pub(crate) unsafe fn filled(n: usize, fill: impl FnOnce(&mut [Fresh]) -> Result<()>) -> Result<Vec<f32>> {
    let mut data = Vec::with_capacity(n);
    fill(data.spare_capacity_mut().get_mut(..n).unwrap_or_default())?;
    // SAFETY: the capacity is at least `n` and the caller promises that all `n` elements are written.
    unsafe { data.set_len(n) };
    Ok(data)
}

/// Writes zeros.
pub(crate) fn zero(out: &mut [Fresh]) {
    for v in out {
        v.write(0.0);
    }
}
