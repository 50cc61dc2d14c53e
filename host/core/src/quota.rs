//! Quotas: concrete amounts that one call is held to.

use crate::{
    amount::{Bytes, MilliCpu, Span},
    resource::Resources,
};
use serde::{Deserialize, Serialize};

/// What one call may use. Every field is required: nothing runs without a deadline, a memory total and an output cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// CPU rate, in millicores; above 1000m only fork-join can use it.
    pub cpu: MilliCpu,
    /// Total guest memory: linear memories and tables of the call and its fork-join workers together.
    pub memory: Bytes,
    /// GPU streaming multiprocessors.
    pub gpu_sms: u32,
    /// GPU memory.
    pub gpu_memory: Bytes,
    /// Wall-clock limit from start to answer, throttling included.
    pub deadline: Span,
    /// Most bytes that may leave the call: result, standard output and error, blobs written.
    pub output: Bytes,
}

impl Quota {
    /// The smallest CPU rate that makes sense to enforce; the accounting itself costs about this much.
    pub const MIN_CPU: MilliCpu = MilliCpu(10);

    /// A quota of `resources` with a deadline and an output cap.
    #[must_use]
    pub const fn new(resources: Resources, deadline: Span, output: Bytes) -> Self {
        let Resources { cpu, memory, gpu_sms, gpu_memory } = resources;
        Self { cpu, memory, gpu_sms, gpu_memory, deadline, output }
    }

    /// The amounts that the accountant reserves.
    #[must_use]
    pub const fn resources(&self) -> Resources {
        Resources { cpu: self.cpu, memory: self.memory, gpu_sms: self.gpu_sms, gpu_memory: self.gpu_memory }
    }
}
