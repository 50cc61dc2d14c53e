//! AdamW with moments that can be saved, and clipping by the global norm.

use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, DType, InplaceOp2, Layout, Result, Tensor, Var, bail};
use rayon::prelude::*;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

/// Elements that one task updates or sums; fixed, so that results do not depend on the number of threads.
const CHUNK: usize = 16 * 1024;

/// What all groups of parameters share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamWConfig {
    /// Decay of the first moment (the mean gradient).
    pub beta1: f64,
    /// Decay of the second moment (the mean squared gradient).
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub eps: f64,
}

impl Default for AdamWConfig {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, eps: 1e-8 }
    }
}

/// Parameters that are treated alike.
#[derive(Clone, Debug)]
pub struct Group {
    /// Parameters by name; names are unique over all groups.
    pub vars: Vec<(String, Var)>,
    /// Decoupled weight decay: a step multiplies the parameters by `1 - rate * weight_decay`.
    pub weight_decay: f64,
    /// The group's learning rate over the optimizer's.
    pub rate_scale: f64,
}

/// AdamW ([Loshchilov and Hutter](https://arxiv.org/abs/1711.05101), algorithm 2) over named parameters.
#[derive(Debug)]
pub struct AdamW {
    config: AdamWConfig,
    rate: f64,
    steps: u64,
    slots: Vec<Slot>,
}

/// One parameter and its moments.
#[derive(Debug)]
struct Slot {
    name: String,
    var: Var,
    weight_decay: f64,
    rate_scale: f64,
    moments: Moments,
}

#[derive(Debug)]
enum Moments {
    /// `f32` on the CPU: updated in place.
    Host(Mutex<[Vec<f32>; 2]>),
    /// Anything else: replaced every step.
    Device([Tensor; 2]),
}

impl AdamW {
    /// An optimizer at step 0 with a learning rate, which [`AdamW::set_rate`] changes later.
    ///
    /// # Errors
    /// On two parameters of one name, or a parameter that has no floating point numbers.
    pub fn new(groups: Vec<Group>, config: AdamWConfig, rate: f64) -> Result<Self> {
        let mut slots: Vec<Slot> = Vec::new();
        let (mut names, mut ids) = (HashSet::new(), HashSet::new());
        for group in groups {
            for (name, var) in group.vars {
                if !names.insert(name.clone()) {
                    bail!("two parameters have the name `{name}`, expected unique names");
                }
                if !ids.insert(var.id()) {
                    bail!("parameter `{name}` is given twice, expected once");
                }
                let moments = Moments::zeros(&var)?;
                let (weight_decay, rate_scale) = (group.weight_decay, group.rate_scale);
                slots.push(Slot { name, var, weight_decay, rate_scale, moments });
            }
        }
        Ok(Self { config, rate, steps: 0, slots })
    }

    /// Sets the learning rate of the steps to come.
    pub fn set_rate(&mut self, rate: f64) {
        self.rate = rate;
    }

    /// Steps taken so far, over all resumed runs.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Updates every parameter that has a gradient.
    ///
    /// # Errors
    /// On a gradient of another shape or dtype than its parameter.
    pub fn step(&mut self, grads: &GradStore) -> Result<()> {
        self.step_scaled(grads, 1.0)
    }

    /// Updates every parameter that has a gradient, as if gradients whose global norm is above `max_norm` were scaled
    /// down to it. Returns the norm before that. If it is not finite, nothing changes and the step does not count.
    ///
    /// # Errors
    /// As [`AdamW::step`].
    pub fn step_clipped(&mut self, grads: &GradStore, max_norm: f64) -> Result<f64> {
        let norm = global_norm(self.slots.iter().map(|s| &s.var), grads)?;
        if norm.is_finite() {
            self.step_scaled(grads, clip_factor(norm, max_norm))?;
        }
        Ok(norm)
    }

    fn step_scaled(&mut self, grads: &GradStore, grad_scale: f64) -> Result<()> {
        let steps = self.steps + 1;
        let t = i32::try_from(steps).unwrap_or(i32::MAX);
        for slot in &mut self.slots {
            let Some(grad) = grads.get(&slot.var) else {
                continue;
            };
            let rate = self.rate * slot.rate_scale;
            let update = Update {
                beta1: self.config.beta1,
                beta2: self.config.beta2,
                eps: self.config.eps,
                rate: rate / (1.0 - self.config.beta1.powi(t)),
                root_scale: (1.0 / (1.0 - self.config.beta2.powi(t))).sqrt(),
                keep: 1.0 - rate * slot.weight_decay,
                grad_scale,
            };
            slot.moments.apply(&slot.var, grad, &update)?;
        }
        self.steps = steps;
        Ok(())
    }

    /// The moments as `f32` tensors named `NAME.m` and `NAME.v`, for a checkpoint beside [`AdamW::steps`].
    ///
    /// # Errors
    /// If a tensor cannot be copied.
    pub fn moments(&self) -> Result<HashMap<String, Tensor>> {
        let mut all = HashMap::new();
        for slot in &self.slots {
            let [m, v] = slot.moments.tensors(&slot.var)?;
            all.insert(format!("{}.m", slot.name), m);
            all.insert(format!("{}.v", slot.name), v);
        }
        Ok(all)
    }

    /// Goes on where [`AdamW::moments`] and [`AdamW::steps`] were taken. Other names in `moments` are ignored.
    ///
    /// # Errors
    /// On a moment that is missing or has another shape; then nothing has changed.
    pub fn restore(&mut self, moments: &HashMap<String, Tensor>, steps: u64) -> Result<()> {
        let mut restored = Vec::with_capacity(self.slots.len());
        for slot in &self.slots {
            let get = |suffix: &str| match moments.get(&format!("{}.{suffix}", slot.name)) {
                Some(t) if t.dims() == slot.var.dims() => t.to_device(slot.var.device())?.to_dtype(slot.var.dtype()),
                Some(t) => {
                    bail!(
                        "moment `{}.{suffix}` has shape `{:?}`, expected `{:?}`",
                        slot.name,
                        t.dims(),
                        slot.var.dims()
                    )
                }
                None => bail!("no moment `{}.{suffix}`, expected the moments of every parameter", slot.name),
            };
            restored.push(Moments::from_tensors(&slot.var, [get("m")?, get("v")?])?);
        }
        for (slot, moments) in self.slots.iter_mut().zip(restored) {
            slot.moments = moments;
        }
        self.steps = steps;
        Ok(())
    }
}

/// The numbers of one step for one parameter.
#[derive(Clone, Copy)]
struct Update {
    beta1: f64,
    beta2: f64,
    eps: f64,
    /// Learning rate with the first moment's bias correction.
    rate: f64,
    /// The root of the second moment's bias correction.
    root_scale: f64,
    /// What the parameter is multiplied by: weight decay.
    keep: f64,
    /// What the gradient is multiplied by: clipping.
    grad_scale: f64,
}

impl Moments {
    fn zeros(var: &Var) -> Result<Self> {
        if !var.dtype().is_float() {
            bail!("a parameter of dtype `{:?}`, expected floating point numbers", var.dtype());
        }
        if is_host(var) {
            let n = var.elem_count();
            return Ok(Self::Host(Mutex::new([vec![0.0; n], vec![0.0; n]])));
        }
        Ok(Self::Device([var.zeros_like()?.detach(), var.zeros_like()?.detach()]))
    }

    fn from_tensors(var: &Var, [m, v]: [Tensor; 2]) -> Result<Self> {
        if is_host(var) {
            return Ok(Self::Host(Mutex::new([m.flatten_all()?.to_vec1()?, v.flatten_all()?.to_vec1()?])));
        }
        Ok(Self::Device([m.detach(), v.detach()]))
    }

    fn tensors(&self, var: &Var) -> Result<[Tensor; 2]> {
        match self {
            Self::Host(moments) => {
                let [m, v] = &*moments.lock().unwrap_or_else(PoisonError::into_inner);
                let tensor = |x: &[f32]| Tensor::from_slice(x, var.shape(), var.device());
                Ok([tensor(m)?, tensor(v)?])
            }
            Self::Device([m, v]) => Ok([m.to_dtype(DType::F32)?, v.to_dtype(DType::F32)?]),
        }
    }

    fn apply(&mut self, var: &Var, grad: &Tensor, update: &Update) -> Result<()> {
        if grad.dims() != var.dims() || grad.dtype() != var.dtype() {
            bail!("gradient `{:?}` of parameter `{:?}`, expected the same shape and dtype", grad.shape(), var.shape());
        }
        match self {
            Self::Host(moments) => {
                let moments = &*moments;
                var.as_tensor().inplace_op2(&grad.contiguous()?, &Fused { moments, update })
            }
            Self::Device(moments) => {
                let Update { beta1, beta2, .. } = *update;
                let grad = (grad.detach() * update.grad_scale)?;
                let m = ((&moments[0] * beta1)? + (&grad * (1.0 - beta1))?)?;
                let v = ((&moments[1] * beta2)? + (grad.sqr()? * (1.0 - beta2))?)?;
                let root = ((v.sqrt()? * update.root_scale)? + update.eps)?;
                var.set(&((var.as_tensor().detach() * update.keep)? - (m.div(&root)? * update.rate)?)?)?;
                *moments = [m.detach(), v.detach()];
                Ok(())
            }
        }
    }
}

fn is_host(var: &Var) -> bool {
    var.device().is_cpu() && var.dtype() == DType::F32
}

/// The whole update in one pass over parameter, gradient and moments.
struct Fused<'a> {
    moments: &'a Mutex<[Vec<f32>; 2]>,
    update: &'a Update,
}

impl InplaceOp2 for Fused<'_> {
    fn name(&self) -> &'static str {
        "adamw"
    }

    fn cpu_fwd(
        &self,
        var: &mut CpuStorage,
        var_layout: &Layout,
        grad: &CpuStorage,
        grad_layout: &Layout,
    ) -> Result<()> {
        let (Some((v0, v1)), Some((g0, g1))) = (var_layout.contiguous_offsets(), grad_layout.contiguous_offsets())
        else {
            bail!("adamw: parameter or gradient is not contiguous");
        };
        let (CpuStorage::F32(var), CpuStorage::F32(grad)) = (var, grad) else {
            bail!("adamw: parameter or gradient is not f32");
        };
        let (Some(var), Some(grad)) = (var.get_mut(v0..v1), grad.get(g0..g1)) else {
            bail!("adamw: parameter or gradient is shorter than its layout");
        };
        let [m, v] = &mut *self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        let chunks = var.par_chunks_mut(CHUNK).zip(m.par_chunks_mut(CHUNK)).zip(v.par_chunks_mut(CHUNK));
        chunks.zip(grad.par_chunks(CHUNK)).for_each(|(((p, m), v), g)| update_chunk(p, m, v, g, self.update));
        Ok(())
    }
}

fn update_chunk(p: &mut [f32], m: &mut [f32], v: &mut [f32], g: &[f32], update: &Update) {
    let (b1, b2, eps) = (update.beta1 as f32, update.beta2 as f32, update.eps as f32);
    let (rest1, rest2) = ((1.0 - update.beta1) as f32, (1.0 - update.beta2) as f32);
    let (rate, root_scale) = (update.rate as f32, update.root_scale as f32);
    let (keep, grad_scale) = (update.keep as f32, update.grad_scale as f32);
    for (((p, m), v), g) in p.iter_mut().zip(m).zip(v).zip(g) {
        let g = g * grad_scale;
        *m = b1 * *m + rest1 * g;
        *v = b2 * *v + rest2 * g * g;
        *p = *p * keep - rate * *m / (v.sqrt() * root_scale + eps);
    }
}

/// The norm of all gradients of these parameters taken as one vector.
///
/// # Errors
/// If a gradient cannot be read.
pub fn global_norm<'a>(vars: impl IntoIterator<Item = &'a Var>, grads: &GradStore) -> Result<f64> {
    let mut sum = 0.0;
    for var in vars {
        if let Some(grad) = grads.get(var) {
            sum += square_sum(grad)?;
        }
    }
    Ok(sum.sqrt())
}

fn clip_factor(norm: f64, max_norm: f64) -> f64 {
    if norm > max_norm { max_norm / norm } else { 1.0 }
}

fn square_sum(grad: &Tensor) -> Result<f64> {
    if !grad.device().is_cpu() || grad.dtype() != DType::F32 {
        let sum = grad.to_dtype(DType::F32)?.sqr()?.sum_all()?;
        return Ok(f64::from(sum.to_scalar::<f32>()?));
    }
    crate::kernels::with_f32(grad, |g| {
        let parts: Vec<f64> = g.par_chunks(CHUNK).map(crate::kernels::square_sum).collect();
        Ok(parts.iter().sum())
    })
}

#[cfg(test)]
#[path = "optimizer_tests.rs"]
mod tests;
