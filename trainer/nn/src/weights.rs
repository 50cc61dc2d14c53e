//! Tensors in safetensors files, as f32 or as int8 with one scale a row.
//!
//! In an int8 file a tensor `x` of two or more dimensions is stored as `I8` under its own name and
//! as `F32` under `x.scale`, one scale a row (a row runs along the last dimension):
//! `x[r][c] = x.scale[r] * i8[r][c]`. Vectors stay f32. Such a file is a quarter of the size, and
//! loading it gives f32 tensors again, so nothing behind this module knows of int8.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::error::{Error, Result};

/// Tensors by name, in the order of their names.
pub type Tensors = BTreeMap<String, Tensor>;

/// How numbers are stored in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 32-bit floats: exact.
    Float,
    /// 8-bit integers, symmetric, one scale a row: a quarter of the size, error at most half a
    /// scale (a row's largest magnitude divided by 254).
    Int8,
}

/// Reads a safetensors file into f32 tensors on `device`.
///
/// `F32`, `F64`, `F16` and `BF16` are converted, `I8` is multiplied by its scales; other integer
/// tensors are buffers of no use here (`position_ids`) and are skipped.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read, [`Error::Malformed`] if it is not safetensors, has a
/// tensor of another type, an int8 tensor without fitting scales, or a value that is not finite.
pub fn read(path: &Path, device: &Device) -> Result<Tensors> {
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|e| Error::malformed(path, e.to_string()))?;
    let views: BTreeMap<String, TensorView<'_>> = file.tensors().into_iter().collect();
    let mut tensors = Tensors::new();
    for (name, view) in &views {
        if is_scale(name, &views) {
            continue;
        }
        if let Some(values) = values(path, name, view, &views)? {
            if let Some(bad) = values.iter().find(|v| !v.is_finite()) {
                return Err(Error::malformed(
                    path,
                    format!("tensor `{name}` holds `{bad}`; every number must be finite"),
                ));
            }
            tensors.insert(name.clone(), Tensor::from_vec(values, view.shape(), device)?);
        }
    }
    Ok(tensors)
}

/// Writes tensors to a safetensors file. The file is complete when this returns, but it is not
/// written atomically: see [`crate::folder::write`].
///
/// # Errors
/// [`Error::Io`] if it cannot be written, [`Error::Input`] if a value is not finite.
pub fn write<'a>(
    path: &Path,
    tensors: impl IntoIterator<Item = (&'a str, &'a Tensor)>,
    precision: Precision,
) -> Result<()> {
    let mut stored = Vec::new();
    for (name, tensor) in tensors {
        let shape = tensor.dims().to_vec();
        let values = tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
        if let Some(bad) = values.iter().find(|v| !v.is_finite()) {
            return Err(Error::Input(format!(
                "tensor `{name}` holds `{bad}`; every number must be finite\nhint: training diverged; keep an earlier checkpoint"
            )));
        }
        match (precision, shape.last()) {
            (Precision::Int8, Some(&columns)) if shape.len() > 1 && columns > 0 => {
                let (bytes, scales) = quantize(&values, columns);
                let rows = scales.len();
                stored.push((format!("{name}.scale"), Dtype::F32, vec![rows], little_endian(&scales)));
                stored.push((name.to_owned(), Dtype::I8, shape, bytes));
            }
            _ => stored.push((name.to_owned(), Dtype::F32, shape, little_endian(&values))),
        }
    }
    let mut views = Vec::with_capacity(stored.len());
    for (name, dtype, shape, bytes) in &stored {
        let view =
            TensorView::new(*dtype, shape.clone(), bytes).map_err(|e| Error::Input(format!("tensor `{name}`: {e}")))?;
        views.push((name.as_str(), view));
    }
    // A fixed `format` entry is what transformers looks for before it reads the file.
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let bytes = safetensors::serialize(views, Some(metadata)).map_err(|e| Error::Input(e.to_string()))?;
    std::fs::write(path, bytes).map_err(Error::io("write", path))
}

/// Rounds every row to 8 bits; returns the bytes of the integers and the scale of each row.
fn quantize(values: &[f32], columns: usize) -> (Vec<u8>, Vec<f32>) {
    let mut bytes = Vec::with_capacity(values.len());
    let mut scales = Vec::with_capacity(values.len() / columns);
    for row in values.chunks(columns) {
        let scale = row.iter().fold(0f32, |m, v| m.max(v.abs())) / 127.0;
        let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
        // `as` saturates, and symmetric rows never need -128.
        bytes.extend(row.iter().map(|v| ((v * inverse).round().clamp(-127.0, 127.0) as i8).to_le_bytes()[0]));
        scales.push(scale);
    }
    (bytes, scales)
}

/// Whether `name` is the scales of an int8 tensor in the same file.
fn is_scale(name: &str, views: &BTreeMap<String, TensorView<'_>>) -> bool {
    name.strip_suffix(".scale").and_then(|owner| views.get(owner)).is_some_and(|view| view.dtype() == Dtype::I8)
}

/// The numbers of one tensor, or `None` for an integer buffer.
fn values(
    path: &Path,
    name: &str,
    view: &TensorView<'_>,
    views: &BTreeMap<String, TensorView<'_>>,
) -> Result<Option<Vec<f32>>> {
    let bytes = view.data();
    Ok(Some(match view.dtype() {
        Dtype::F32 => words(bytes, f32::from_le_bytes),
        Dtype::F64 => words(bytes, |b| f64::from_le_bytes(b) as f32),
        // bf16 is the upper half of an f32.
        Dtype::BF16 => words(bytes, |b: [u8; 2]| f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16)),
        Dtype::F16 => {
            let half = Tensor::from_raw_buffer(bytes, DType::F16, view.shape(), &Device::Cpu)?;
            half.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?
        }
        Dtype::I8 => dequantize(path, name, view, views.get(&format!("{name}.scale")))?,
        Dtype::I64 | Dtype::I32 | Dtype::I16 | Dtype::U64 | Dtype::U32 | Dtype::U16 | Dtype::U8 | Dtype::BOOL => {
            return Ok(None);
        }
        other => {
            let reason =
                format!("tensor `{name}` has type `{other:?}`; allowed are F32, F64, F16, BF16, and I8 with scales");
            return Err(Error::malformed(path, reason));
        }
    }))
}

/// Multiplies an int8 tensor by the scales of its rows.
fn dequantize(path: &Path, name: &str, view: &TensorView<'_>, scale: Option<&TensorView<'_>>) -> Result<Vec<f32>> {
    let columns = view.shape().last().copied().unwrap_or(1).max(1);
    let scales = match scale {
        Some(scale) if scale.dtype() == Dtype::F32 => words(scale.data(), f32::from_le_bytes),
        _ => return Err(Error::malformed(path, format!("int8 tensor `{name}` needs an F32 tensor `{name}.scale`"))),
    };
    let rows = view.data().len() / columns;
    if scales.len() != rows {
        return Err(Error::malformed(
            path,
            format!("`{name}.scale` has `{}` numbers, `{name}` has `{rows}` rows", scales.len()),
        ));
    }
    let row = |(row, scale): (&[u8], &f32)| {
        row.iter().map(|b| f32::from(i8::from_le_bytes([*b])) * scale).collect::<Vec<_>>()
    };
    Ok(view.data().chunks(columns).zip(&scales).flat_map(row).collect())
}

/// Reads little-endian words of `N` bytes.
fn words<const N: usize>(bytes: &[u8], word: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks::<N>().0.iter().map(|chunk| word(*chunk)).collect()
}

/// The bytes of f32 numbers as safetensors wants them.
fn little_endian(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

#[cfg(test)]
#[path = "weights_tests.rs"]
mod tests;
