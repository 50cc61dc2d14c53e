//! What computes networks for tools, and GPUs of this machine, as amounts that the accountant can grant.
//!
//! [`Models`] are the models that the operator named; the sandbox reaches them through [`tomas_core::graph`]. They compute
//! on the CPU, on the thread of the call that asks.
//!
//! Without the feature `cuda` there are none, and the ledger's GPU rows are zero. With it, the CUDA driver is loaded at run
//! time and asked; a machine without a driver has no GPU, which is not an error.
//!
//! Architecture invariant: the only crate that knows cudarc.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod embedder;
mod input;
mod models;

pub use models::Models;

use tomas_core::amount::Bytes;

/// What a machine's first GPU has to grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capacity {
    /// Streaming multiprocessors.
    pub gpu_sms: u32,
    /// Memory.
    pub gpu_memory: Bytes,
}

/// What the first GPU has; zero where there is none or the feature `cuda` is off.
#[must_use]
pub fn capacity() -> Capacity {
    #[cfg(feature = "cuda")]
    {
        cuda().unwrap_or_default()
    }
    #[cfg(not(feature = "cuda"))]
    {
        Capacity::default()
    }
}

#[cfg(feature = "cuda")]
fn cuda() -> Option<Capacity> {
    use cudarc::driver::{CudaContext, sys::CUdevice_attribute};
    // Loading the driver panics inside cudarc where there is none.
    let context = std::panic::catch_unwind(|| CudaContext::new(0).ok()).ok().flatten()?;
    let sms = context.attribute(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT).ok()?;
    let (_, total) = context.mem_get_info().ok()?;
    Some(Capacity { gpu_sms: u32::try_from(sms).ok()?, gpu_memory: Bytes(total as u64) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(not(feature = "cuda"))]
    fn without_cuda_there_is_nothing_to_grant() {
        assert_eq!(capacity(), Capacity::default());
    }

    /// With or without a driver, asking must come back.
    #[test]
    #[cfg(feature = "cuda")]
    fn a_machine_without_a_driver_has_no_gpu() {
        let found = capacity();
        assert_eq!(found.gpu_sms == 0, found.gpu_memory == Bytes(0));
    }
}
