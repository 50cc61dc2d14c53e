//! Profiles: what a configuration was measured to cost.

use crate::{configuration::Configuration, observation::Outcome};
use serde::{Deserialize, Serialize};

/// The measurements of one configuration. Latencies are wall time from start to answer under the quota.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// What was measured.
    pub configuration: Configuration,
    /// How many calls were measured.
    pub n: u32,
    /// The outcome of most calls; anything but `ok` makes the configuration infeasible for this size class.
    pub outcome: Outcome,
    /// How many calls ended `ok`.
    pub ok: u32,
    /// Expected latency in milliseconds: the mean over inputs of each input's median. By it configurations are compared,
    /// because all of them ran the same inputs, and a median forgets what the machine did besides.
    pub latency_ms: f64,
    /// Median latency of all calls in milliseconds.
    pub p50_ms: f64,
    /// 95th percentile of the latency of all calls in milliseconds (nearest rank).
    pub p95_ms: f64,
    /// Median CPU time in milliseconds.
    pub cpu_ms: f64,
    /// Largest peak memory in bytes.
    pub peak_memory_bytes: u64,
    /// The machine: CPU model and cores.
    pub machine: String,
}

impl Profile {
    /// Whether calls of this configuration can be expected to succeed: every measured call did.
    #[must_use]
    pub const fn feasible(&self) -> bool {
        self.ok == self.n && self.n > 0
    }
}
