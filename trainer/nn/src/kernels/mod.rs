//! The network's building blocks, each with a gradient.
//!
//! Every function takes and returns candle tensors. On the CPU in `f32` it runs a fused kernel with a backward pass of
//! its own; on any other device or dtype it is composed of candle's differentiable operations (module `reference`), to
//! which the tests compare the kernels. candle's own `softmax_last_dim`, `rms_norm`, `layer_norm` and `rope` lose
//! gradients without an error, so networks here use nothing but these functions.
//!
//! - A gradient is computed only for operands that are tracked: frozen weights cost no backward matmul.
//! - Reductions have a fixed order that does not depend on the number of threads.
//! - Call [`prepare_process`] first in `main`: it halves the time of everything else in a training step.
//! - [`set_bf16`] makes linear layers about three times as fast where the processor has Intel AMX.
//! - Inputs need not be contiguous; a size may be 0 or 1. A wrong shape is an error, never a panic.

mod activation;
pub(crate) mod alone;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod amx;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod amx_pack;
mod attention;
mod attention_kernel;
mod data;
mod embedding;
mod gemm;
mod linear;
mod loss;
mod math;
mod norm;
mod precision;
mod process;
mod reference;
mod rope;
mod shape;
mod vectorised;

#[cfg(test)]
mod tests;

pub use activation::{gelu, swiglu};
pub use attention::{Attention, attention};
pub use embedding::embedding;
pub use linear::linear;
pub use loss::{cross_entropy, linear_cross_entropy};
pub use norm::{layer_norm, rms_norm};
pub use precision::set_bf16;
pub use process::prepare_process;
pub use rope::rope;
pub use shape::set_fused;

pub(crate) use data::with_f32;
pub(crate) use math::square_sum;
