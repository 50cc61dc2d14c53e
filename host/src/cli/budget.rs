//! `--cpu`, `--memory`, `--gpu-sms` and `--gpu-memory`.

use clap::Args;
use tomas_core::{
    accountant::Limits,
    amount::{Bytes, MilliCpu},
};

/// The budget of a request, as typed.
#[derive(Debug, Clone, Copy, Args)]
pub struct Budget {
    /// Most CPU held at once, such as 500m or 0.5
    #[arg(long, allow_negative_numbers = true, value_name = "CORES")]
    pub cpu: Option<MilliCpu>,
    /// Most memory held at once, such as 32MiB
    #[arg(long, allow_negative_numbers = true, value_name = "BYTES")]
    pub memory: Option<Bytes>,
    /// Most GPU streaming multiprocessors held at once
    #[arg(long, allow_negative_numbers = true, value_name = "N")]
    pub gpu_sms: Option<u32>,
    /// Most GPU memory held at once, such as 2GiB
    #[arg(long, allow_negative_numbers = true, value_name = "BYTES")]
    pub gpu_memory: Option<Bytes>,
}

impl Budget {
    /// The budget as used.
    #[must_use]
    pub const fn limits(&self) -> Limits {
        Limits { cpu: self.cpu, memory: self.memory, gpu_sms: self.gpu_sms, gpu_memory: self.gpu_memory }
    }
}
