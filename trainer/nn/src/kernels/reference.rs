//! The kernels composed of candle's differentiable operations: what other devices and dtypes run, and what the tests
//! compare the fused kernels to. Shapes were checked by the callers.

use super::attention::{Attention, Sizes};
use super::loss::MIN_WEIGHT;
use super::rope::Table;
use candle_core::{D, DType, Result, Tensor};

pub(crate) fn linear(x: &Tensor, w: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let (n, k) = w.dims2()?;
    let rows = x.dims().iter().rev().skip(1).product::<usize>();
    let mut dims = x.dims().to_vec();
    dims.pop();
    dims.push(n);
    let y = x.reshape((rows, k))?.matmul(&w.t()?)?.reshape(dims)?;
    match bias {
        Some(b) => y.broadcast_add(b),
        None => Ok(y),
    }
}

pub(crate) fn layer_norm(x: &Tensor, w: &Tensor, b: &Tensor, eps: f64) -> Result<Tensor> {
    let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
    rms_norm(&centred, w, eps)?.broadcast_add(b)
}

pub(crate) fn rms_norm(x: &Tensor, w: &Tensor, eps: f64) -> Result<Tensor> {
    let square = x.sqr()?.mean_keepdim(D::Minus1)?;
    x.broadcast_div(&(square + eps)?.sqrt()?)?.broadcast_mul(w)
}

pub(crate) fn gelu(x: &Tensor) -> Result<Tensor> {
    x.gelu_erf()
}

pub(crate) fn swiglu(gate: &Tensor, up: &Tensor) -> Result<Tensor> {
    gate.silu()?.mul(up)
}

pub(crate) fn rope(x: &Tensor, table: &Table) -> Result<Tensor> {
    let (_, s, _, d) = x.dims4()?;
    let half = d / 2;
    let angles = |v: &[f32]| Tensor::from_slice(v, (1, s, 1, half), x.device())?.to_dtype(x.dtype());
    let (cos, sin) = (angles(&table.cos)?, angles(&table.sin)?);
    let (a, b) = (x.narrow(3, 0, half)?, x.narrow(3, half, half)?);
    let first = (a.broadcast_mul(&cos)? - b.broadcast_mul(&sin)?)?;
    let second = (b.broadcast_mul(&cos)? + a.broadcast_mul(&sin)?)?;
    Tensor::cat(&[first, second], 3)
}

pub(crate) fn attention(q: &Tensor, k: &Tensor, v: &Tensor, mask: &Attention, z: Sizes) -> Result<Tensor> {
    let Sizes { b, sq, sk, h, kv, d } = z;
    let heads = |t: &Tensor| -> Result<Tensor> {
        let t = t.unsqueeze(3)?.expand((b, sk, kv, h / kv, d))?.reshape((b, sk, h, d))?;
        t.transpose(1, 2)?.contiguous()
    };
    let (k, v) = (heads(k)?, heads(v)?);
    let q = (q.transpose(1, 2)?.contiguous()? * (d as f64).powf(-0.5))?;
    let scores = q.matmul(&k.transpose(2, 3)?.contiguous()?)?;
    let visible = visible(mask, z, q.device(), q.dtype())?;
    // A finite stand-in for -inf, which f16 can hold too: rows without any key must not become NaN.
    let hidden = visible.affine(3e4, -3e4)?;
    let scores = scores.broadcast_add(&hidden)?;
    let exp = scores.broadcast_sub(&scores.max_keepdim(D::Minus1)?.detach())?.exp()?;
    let exp = exp.broadcast_mul(&visible)?;
    // 1 where a query sees no key at all, so that its zeros are divided by 1.
    let none = visible.max_keepdim(D::Minus1)?.affine(-1.0, 1.0)?;
    let sum = exp.sum_keepdim(D::Minus1)?.broadcast_add(&none)?;
    exp.broadcast_div(&sum)?.matmul(&v)?.transpose(1, 2)?.reshape((b, sq, h * d))
}

/// 1 where a query sees a key, else 0: `(b, 1, sq, sk)`.
fn visible(mask: &Attention, z: Sizes, device: &candle_core::Device, dtype: DType) -> Result<Tensor> {
    let mut seen = vec![0f32; z.b * z.sq * z.sk];
    for b in 0..z.b {
        for i in 0..mask.queries(b, z.sq) {
            let row = (b * z.sq + i) * z.sk;
            seen[row..row + mask.visible(b, i, z.sq, z.sk)].fill(1.0);
        }
    }
    Tensor::from_vec(seen, (z.b, 1, z.sq, z.sk), device)?.to_dtype(dtype)
}

pub(crate) fn embedding(table: &Tensor, ids: &Tensor) -> Result<Tensor> {
    table.index_select(ids, 0)
}

pub(crate) fn cross_entropy(logits: &Tensor, targets: &[u32], weights: &[f32]) -> Result<Tensor> {
    let rows: Vec<u32> =
        (0..weights.len() as u32).filter(|&i| weights.get(i as usize).is_some_and(|w| *w > 0.0)).collect();
    let pick = |i: &u32| targets.get(*i as usize).copied();
    let targets: Vec<u32> = rows.iter().filter_map(pick).collect();
    let kept: Vec<f32> = weights.iter().copied().filter(|w| *w > 0.0).collect();
    let (n, device) = (rows.len(), logits.device());
    if n == 0 {
        // An empty sum that stays connected to its input, whose gradient so is 0 instead of missing.
        return logits.narrow(0, 0, 0)?.sum_all();
    }
    let total = kept.iter().sum::<f32>().max(MIN_WEIGHT);
    let logits = logits.index_select(&Tensor::from_vec(rows, n, device)?, 0)?;
    let shifted = logits.broadcast_sub(&logits.max_keepdim(1)?.detach())?;
    let log_sum = shifted.exp()?.sum_keepdim(1)?.log()?;
    let chosen = shifted.gather(&Tensor::from_vec(targets, (n, 1), device)?, 1)?;
    let weights = Tensor::from_vec(kept, (n, 1), device)?.to_dtype(logits.dtype())?;
    (log_sum - chosen)?.mul(&weights)?.sum_all()? / f64::from(total)
}
