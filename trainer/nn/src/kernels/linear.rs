//! Linear layers.

use super::data::{slice, tensor, with_f32};
use super::gemm::Matrix;
use super::precision::product;
use super::{math, reference, shape};
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

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
    if !shape::fusible(&[x, w]) {
        return reference::linear(x, w, bias);
    }
    let (x, w) = (x.contiguous()?, w.contiguous()?);
    match bias {
        Some(b) => x.apply_op3(&w, &b.contiguous()?, Linear),
        None => x.apply_op2(&w, Linear),
    }
}

struct Linear;

impl CustomOp2 for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout, w: &CpuStorage, wl: &Layout) -> Result<(CpuStorage, Shape)> {
        forward(slice(x, xl)?, xl, slice(w, wl)?, wl, None)
    }

    fn bwd(&self, x: &Tensor, w: &Tensor, _: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        backward(x, w, grad)
    }
}

impl CustomOp3 for Linear {
    fn name(&self) -> &'static str {
        "linear with bias"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        w: &CpuStorage,
        wl: &Layout,
        bias: &CpuStorage,
        bl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        forward(slice(x, xl)?, xl, slice(w, wl)?, wl, Some(slice(bias, bl)?))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (dx, dw) = backward(x, w, grad)?;
        let n = bias.elem_count();
        let db = match bias.track_op() {
            true => Some(tensor(with_f32(grad, |g| Ok(column_sums(g, n)))?, n)?),
            false => None,
        };
        Ok((dx, dw, db))
    }
}

fn forward(x: &[f32], xl: &Layout, w: &[f32], wl: &Layout, bias: Option<&[f32]>) -> Result<(CpuStorage, Shape)> {
    let (n, k) = wl.shape().dims2()?;
    let mut dims = xl.dims().to_vec();
    dims.pop();
    let m = dims.iter().product();
    dims.push(n);
    let y = product(Matrix::new(x, m, k), Matrix::new(w, n, k).t(), |rows| {
        if let Some(bias) = bias {
            add_to_rows(rows, bias);
        }
    })?;
    Ok((CpuStorage::F32(y), Shape::from(dims)))
}

/// Gradients of input and weight, each only if it is tracked.
fn backward(x: &Tensor, w: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
    let (n, k) = w.dims2()?;
    let m = x.dims().iter().rev().skip(1).product();
    let grad = grad.contiguous()?;
    let dx = match x.track_op() {
        true => {
            let dx = with_f32(&grad, |g| with_f32(w, |w| product(Matrix::new(g, m, n), Matrix::new(w, n, k), |_| {})))?;
            Some(tensor(dx, x.shape())?)
        }
        false => None,
    };
    let dw = match w.track_op() {
        true => {
            let dw =
                with_f32(&grad, |g| with_f32(x, |x| product(Matrix::new(g, m, n).t(), Matrix::new(x, m, k), |_| {})))?;
            Some(tensor(dw, (n, k))?)
        }
        false => None,
    };
    Ok((dx, dw))
}

/// Rows that one task sums up.
const ROWS: usize = 128;

/// Sums over the rows of a matrix with `n` columns.
fn column_sums(g: &[f32], n: usize) -> Vec<f32> {
    let parts: Vec<Vec<f32>> = g.par_chunks((ROWS * n).max(1)).map(|rows| column_sums_of(rows, n)).collect();
    let mut total = vec![0.0; n];
    for part in parts {
        math::add(&mut total, &part);
    }
    total
}

super::vectorised::vectorised! {
    fn add_to_rows(rows: &mut [f32], bias: &[f32]) {
        for row in rows.chunks_mut(bias.len().max(1)) {
            math::add(row, bias);
        }
    }

    fn column_sums_of(rows: &[f32], n: usize) -> Vec<f32> {
        let mut sums = vec![0.0; n];
        for row in rows.chunks(n.max(1)) {
            math::add(&mut sums, row);
        }
        sums
    }
}
