//! Activation functions.

use super::data::{Fresh, filled, slice, tensor, with_f32};
use super::{math, reference, shape};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

/// Elements that one task computes.
const BLOCK: usize = 8192;

/// `x Φ(x)`, the exact (erf) form of GELU, of any shape; error below 1e-6 of `|x|`.
///
/// # Errors
/// On a dtype without arithmetic.
pub fn gelu(x: &Tensor) -> Result<Tensor> {
    if !shape::fusible(&[x]) {
        return reference::gelu(x);
    }
    x.contiguous()?.apply_op1(Gelu)
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
    if !shape::fusible(&[gate, up]) {
        return reference::swiglu(gate, up);
    }
    gate.contiguous()?.apply_op2(&up.contiguous()?, Swiglu)
}

struct Gelu;

impl CustomOp1 for Gelu {
    fn name(&self) -> &'static str {
        "gelu"
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = slice(x, xl)?;
        Ok((CpuStorage::F32(map(x, x, gelu_forward)?), xl.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let dx = with_f32(x, |x| with_f32(grad, |g| map(x, g, gelu_backward)))?;
        Ok(Some(tensor(dx, x.shape())?))
    }
}

struct Swiglu;

impl CustomOp2 for Swiglu {
    fn name(&self) -> &'static str {
        "swiglu"
    }

    fn cpu_fwd(&self, a: &CpuStorage, al: &Layout, b: &CpuStorage, bl: &Layout) -> Result<(CpuStorage, Shape)> {
        let y = map(slice(a, al)?, slice(b, bl)?, swiglu_forward)?;
        Ok((CpuStorage::F32(y), al.shape().clone()))
    }

    fn bwd(&self, gate: &Tensor, up: &Tensor, _: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (da, db) = with_f32(gate, |a| with_f32(up, |b| with_f32(grad, |g| swiglu_gradients(a, b, g))))?;
        Ok((Some(tensor(da, gate.shape())?), Some(tensor(db, up.shape())?)))
    }
}

/// Runs `f` on blocks of two inputs of one length; `f` must write all of its output.
fn map(a: &[f32], b: &[f32], f: fn(&[f32], &[f32], &mut [Fresh])) -> Result<Vec<f32>> {
    let fill = |out: &mut [Fresh]| {
        let blocks = out.par_chunks_mut(BLOCK).zip(a.par_chunks(BLOCK)).zip(b.par_chunks(BLOCK));
        blocks.for_each(|((y, a), b)| f(a, b, y));
        Ok(())
    };
    #[expect(unsafe_code, reason = "see `filled`")]
    // SAFETY: the blocks cover the output, the inputs are as long as it, and the functions below write all of it.
    unsafe {
        filled(a.len().min(b.len()), fill)
    }
}

fn swiglu_gradients(a: &[f32], b: &[f32], g: &[f32]) -> Result<(Vec<f32>, Vec<f32>)> {
    let mut da = Vec::new();
    let fill_b = |db: &mut [Fresh]| {
        let fill_a = |da: &mut [Fresh]| {
            let outputs = da.par_chunks_mut(BLOCK).zip(db.par_chunks_mut(BLOCK));
            let inputs = a.par_chunks(BLOCK).zip(b.par_chunks(BLOCK)).zip(g.par_chunks(BLOCK));
            outputs.zip(inputs).for_each(|((da, db), ((a, b), g))| swiglu_backward(a, b, g, da, db));
            Ok(())
        };
        #[expect(unsafe_code, reason = "see `filled`")]
        // SAFETY: the blocks cover both outputs, which are as long as the inputs, and both are written completely.
        let filled_a = unsafe { filled(a.len(), fill_a) }?;
        da = filled_a;
        Ok(())
    };
    #[expect(unsafe_code, reason = "see `filled`")]
    // SAFETY: as above.
    let db = unsafe { filled(a.len(), fill_b) }?;
    Ok((da, db))
}

super::vectorised::vectorised! {
    fn gelu_forward(x: &[f32], _unused: &[f32], y: &mut [Fresh]) {
        for (y, x) in y.iter_mut().zip(x) {
            y.write(x * math::normal(*x).0);
        }
    }

    fn gelu_backward(x: &[f32], g: &[f32], dx: &mut [Fresh]) {
        for ((dx, x), g) in dx.iter_mut().zip(x).zip(g) {
            let (phi, slope) = math::normal(*x);
            dx.write(g * (phi + slope));
        }
    }

    fn swiglu_forward(a: &[f32], b: &[f32], y: &mut [Fresh]) {
        for ((y, a), b) in y.iter_mut().zip(a).zip(b) {
            y.write(a * math::sigmoid(*a) * b);
        }
    }

    fn swiglu_backward(a: &[f32], b: &[f32], g: &[f32], da: &mut [Fresh], db: &mut [Fresh]) {
        for (((da, db), a), (b, g)) in da.iter_mut().zip(db).zip(a).zip(b.iter().zip(g)) {
            let s = math::sigmoid(*a);
            let silu = a * s;
            db.write(g * silu);
            da.write(g * b * (s * (1.0 - silu) + silu));
        }
    }
}
