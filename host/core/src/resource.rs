//! The four resources a tool can be granted, and vectors of them.

use crate::amount::{Bytes, MilliCpu};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One of the four things a configuration names a level of, in the order in which tokens spell them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// CPU cores, in millicores.
    Cpu,
    /// CPU memory, in bytes.
    Memory,
    /// GPU streaming multiprocessors, as a count.
    GpuSms,
    /// GPU memory, in bytes.
    GpuMemory,
}

impl Resource {
    /// All four, in token order.
    pub const ALL: [Self; 4] = [Self::Cpu, Self::Memory, Self::GpuSms, Self::GpuMemory];

    /// The name used in TOML, JSON and error messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::GpuSms => "gpu_sms",
            Self::GpuMemory => "gpu_memory",
        }
    }
}

/// An amount of each resource: a machine's capacity, a budget, what a quota reserves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resources {
    /// CPU, in millicores.
    pub cpu: MilliCpu,
    /// CPU memory.
    pub memory: Bytes,
    /// GPU streaming multiprocessors.
    #[serde(default)]
    pub gpu_sms: u32,
    /// GPU memory.
    #[serde(default)]
    pub gpu_memory: Bytes,
}

impl Resources {
    /// The amount of one resource in its base unit (millicores, bytes, SMs, bytes).
    #[must_use]
    pub fn get(&self, resource: Resource) -> u64 {
        match resource {
            Resource::Cpu => u64::from(self.cpu.0),
            Resource::Memory => self.memory.0,
            Resource::GpuSms => u64::from(self.gpu_sms),
            Resource::GpuMemory => self.gpu_memory.0,
        }
    }

    /// Builds a vector from base-unit amounts; amounts beyond a resource's range saturate.
    #[must_use]
    pub fn from_fn(mut amount: impl FnMut(Resource) -> u64) -> Self {
        Self {
            cpu: MilliCpu(u32::try_from(amount(Resource::Cpu)).unwrap_or(u32::MAX)),
            memory: Bytes(amount(Resource::Memory)),
            gpu_sms: u32::try_from(amount(Resource::GpuSms)).unwrap_or(u32::MAX),
            gpu_memory: Bytes(amount(Resource::GpuMemory)),
        }
    }

    /// The first resource in which `self` exceeds `limit`, if any.
    #[must_use]
    pub fn exceeds(&self, limit: &Self) -> Option<Resource> {
        Resource::ALL.into_iter().find(|&r| self.get(r) > limit.get(r))
    }

    /// Whether every amount is at most `limit`'s.
    #[must_use]
    pub fn fits(&self, limit: &Self) -> bool {
        self.exceeds(limit).is_none()
    }

    /// The smaller amount of each resource.
    #[must_use]
    pub fn min(&self, other: &Self) -> Self {
        Self::from_fn(|r| self.get(r).min(other.get(r)))
    }

    /// `self + other`, saturating.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self::from_fn(|r| self.get(r).saturating_add(other.get(r)))
    }
}

impl fmt::Display for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cpu {}, memory {}, gpu_sms {}, gpu_memory {}", self.cpu, self.memory, self.gpu_sms, self.gpu_memory)
    }
}
