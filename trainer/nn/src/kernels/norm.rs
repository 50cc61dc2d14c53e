//! Layer normalisation and root-mean-square normalisation over the last dimension.

use super::data::{Fresh, filled, slice, tensor, with_f32};
use super::{math, reference, shape};
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

/// `y = (x - mean) / sqrt(variance + eps) * w + b`: x `(.., n)`, w and b `(n)`.
///
/// # Errors
/// On shapes or dtypes that do not fit together.
pub fn layer_norm(x: &Tensor, w: &Tensor, b: &Tensor, eps: f64) -> Result<Tensor> {
    let n = shape::last_dim("layer_norm", x)?;
    shape::vector("layer_norm", "weight", w, n)?;
    shape::vector("layer_norm", "bias", b, n)?;
    shape::same_dtype("layer_norm", &[x, w, b])?;
    if !shape::fusible(&[x, w, b]) {
        return reference::layer_norm(x, w, b, eps);
    }
    x.contiguous()?.apply_op3(&w.contiguous()?, &b.contiguous()?, Norm { eps: eps as f32, centred: true })
}

/// `y = x / sqrt(mean(x²) + eps) * w`: x `(.., n)`, w `(n)`.
///
/// # Errors
/// On shapes or dtypes that do not fit together.
pub fn rms_norm(x: &Tensor, w: &Tensor, eps: f64) -> Result<Tensor> {
    let n = shape::last_dim("rms_norm", x)?;
    shape::vector("rms_norm", "weight", w, n)?;
    shape::same_dtype("rms_norm", &[x, w])?;
    if !shape::fusible(&[x, w]) {
        return reference::rms_norm(x, w, eps);
    }
    x.contiguous()?.apply_op2(&w.contiguous()?, Norm { eps: eps as f32, centred: false })
}

/// Both norms: the second is the first without centring and bias.
#[derive(Clone, Copy)]
struct Norm {
    eps: f32,
    centred: bool,
}

/// Rows that one task normalises.
const ROWS: usize = 64;

impl CustomOp2 for Norm {
    fn name(&self) -> &'static str {
        "rms_norm"
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout, w: &CpuStorage, wl: &Layout) -> Result<(CpuStorage, Shape)> {
        self.forward(slice(x, xl)?, xl, slice(w, wl)?, &[])
    }

    fn bwd(&self, x: &Tensor, w: &Tensor, _: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (dx, dw, _) = self.backward(x, w, grad)?;
        Ok((Some(dx), Some(dw)))
    }
}

impl CustomOp3 for Norm {
    fn name(&self) -> &'static str {
        "layer_norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        w: &CpuStorage,
        wl: &Layout,
        b: &CpuStorage,
        bl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.forward(slice(x, xl)?, xl, slice(w, wl)?, slice(b, bl)?)
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        _: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (dx, dw, db) = self.backward(x, w, grad)?;
        Ok((Some(dx), Some(dw), Some(db)))
    }
}

impl Norm {
    fn forward(self, x: &[f32], xl: &Layout, w: &[f32], b: &[f32]) -> Result<(CpuStorage, Shape)> {
        let block = (ROWS * w.len()).max(1);
        let fill = |out: &mut [Fresh]| {
            let rows = out.par_chunks_mut(block).zip(x.par_chunks(block));
            rows.for_each(|(y, x)| forward_rows(x, w, b, self, y));
            Ok(())
        };
        #[expect(unsafe_code, reason = "see `filled`")]
        // SAFETY: the blocks cover the output, and `forward_rows` writes every element of its block.
        let y = unsafe { filled(x.len(), fill) }?;
        Ok((CpuStorage::F32(y), xl.shape().clone()))
    }

    /// Gradients of input, weight and bias.
    fn backward(self, x: &Tensor, w: &Tensor, grad: &Tensor) -> Result<(Tensor, Tensor, Tensor)> {
        let n = w.elem_count();
        let (dx, dw, db) = with_f32(x, |x| with_f32(w, |w| with_f32(grad, |g| self.gradients(x, w, g))))?;
        Ok((tensor(dx, x.shape())?, tensor(dw, n)?, tensor(db, n)?))
    }

    fn gradients(self, x: &[f32], w: &[f32], g: &[f32]) -> Result<(Vec<f32>, Vec<f32>, Vec<f32>)> {
        let (n, block) = (w.len(), (ROWS * w.len()).max(1));
        let mut parts = Vec::new();
        let fill = |out: &mut [Fresh]| {
            let rows = out.par_chunks_mut(block).zip(x.par_chunks(block)).zip(g.par_chunks(block));
            let sums = rows.map(|((dx, x), g)| {
                let (mut dw, mut db) = (vec![0.0; n], vec![0.0; n]);
                backward_rows(x, w, g, self, dx, &mut dw, &mut db);
                (dw, db)
            });
            sums.collect_into_vec(&mut parts);
            Ok(())
        };
        #[expect(unsafe_code, reason = "see `filled`")]
        // SAFETY: the blocks cover the output, and `backward_rows` writes every element of its block.
        let dx = unsafe { filled(x.len(), fill) }?;
        let (mut dw, mut db) = (vec![0.0; n], vec![0.0; n]);
        for (part_w, part_b) in parts {
            math::add(&mut dw, &part_w);
            math::add(&mut db, &part_b);
        }
        Ok((dx, dw, db))
    }

    /// Mean (0 if not centred) and reciprocal deviation of a row.
    #[inline(always)]
    fn statistics(self, x: &[f32]) -> (f32, f32) {
        let n = x.len() as f32;
        let mean = if self.centred { math::sum(x) / n } else { 0.0 };
        (mean, 1.0 / (math::spread(x, mean) / n + self.eps).sqrt())
    }
}

super::vectorised::vectorised! {
    /// Layer norm of each row, in place.
    pub(super) fn in_place(x: &mut [f32], w: &[f32], b: &[f32], eps: f32) {
        let norm = Norm { eps, centred: true };
        for x in x.chunks_mut(w.len().max(1)) {
            let (mean, r) = norm.statistics(x);
            for ((x, w), b) in x.iter_mut().zip(w).zip(b) {
                *x = (*x - mean) * r * w + b;
            }
        }
    }

    fn forward_rows(x: &[f32], w: &[f32], b: &[f32], norm: Norm, y: &mut [Fresh]) {
        let n = w.len().max(1);
        for (y, x) in y.chunks_mut(n).zip(x.chunks(n)) {
            let (mean, r) = norm.statistics(x);
            if norm.centred {
                for (((y, x), w), b) in y.iter_mut().zip(x).zip(w).zip(b) {
                    y.write((x - mean) * r * w + b);
                }
            } else {
                for ((y, x), w) in y.iter_mut().zip(x).zip(w) {
                    y.write(x * r * w);
                }
            }
        }
    }

    /// With `z = (x - mean) r` and `h = g w`: `dx = r (h - mean(h) - z mean(h z))`, where `mean(h)` belongs to centring.
    fn backward_rows(x: &[f32], w: &[f32], g: &[f32], norm: Norm, dx: &mut [Fresh], dw: &mut [f32], db: &mut [f32]) {
        let n = w.len().max(1);
        let mut h = vec![0.0; n];
        let mut z = vec![0.0; n];
        for ((dx, x), g) in dx.chunks_mut(n).zip(x.chunks(n)).zip(g.chunks(n)) {
            let (mean, r) = norm.statistics(x);
            for (((h, z), x), (w, g)) in h.iter_mut().zip(&mut z).zip(x).zip(w.iter().zip(g)) {
                *h = g * w;
                *z = (x - mean) * r;
            }
            let mean_h = if norm.centred { math::sum(&h) / n as f32 } else { 0.0 };
            let mean_hz = math::dot(&h, &z) / n as f32;
            for ((dx, h), z) in dx.iter_mut().zip(&h).zip(&z) {
                dx.write(r * (h - mean_h - z * mean_hz));
            }
            for ((dw, g), z) in dw.iter_mut().zip(g).zip(&z) {
                *dw += g * z;
            }
            math::add(db, g);
        }
    }
}
