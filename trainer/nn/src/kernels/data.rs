//! The numbers behind candle's tensors.

use candle_core::{CpuStorage, Device, Layout, Result, Shape, Storage, Tensor, bail};

/// The `f32` elements of a contiguous CPU tensor inside an op's forward pass.
pub(crate) fn slice<'a>(op: &str, storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let CpuStorage::F32(data) = storage else {
        bail!("{op}: operand is not f32");
    };
    match layout.contiguous_offsets().and_then(|(from, to)| data.get(from..to)) {
        Some(data) => Ok(data),
        None => bail!("{op}: operand is not contiguous"),
    }
}

/// Runs `f` on the elements of an `f32` CPU tensor in row-major order.
pub(crate) fn with_f32<R>(tensor: &Tensor, f: impl FnOnce(&[f32]) -> R) -> Result<R> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => Ok(f(slice("kernel", storage, layout)?)),
        _ => bail!("kernel: operand is not on the CPU"),
    }
}

/// A CPU tensor of these elements.
pub(crate) fn tensor(data: Vec<f32>, shape: impl Into<Shape>) -> Result<Tensor> {
    Tensor::from_vec(data, shape.into(), &Device::Cpu)
}
