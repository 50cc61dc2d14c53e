//! Levels: the four steps of each resource that tokens can spell, and the table that gives them amounts.

use crate::{
    amount::{Bytes, MilliCpu},
    resource::{Resource, Resources},
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A step of one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Nothing of this resource.
    None,
    /// The smallest useful amount.
    Low,
    /// A moderate amount.
    Med,
    /// The most one call may have.
    High,
}

impl Level {
    /// All four, ascending.
    pub const ALL: [Self; 4] = [Self::None, Self::Low, Self::Med, Self::High];

    /// The spelling inside a token.
    #[must_use]
    pub const fn spelling(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Low => "LOW",
            Self::Med => "MED",
            Self::High => "HIGH",
        }
    }

    /// Position in [`Level::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.spelling())
    }
}

impl FromStr for Level {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|l| l.spelling() == text).ok_or(())
    }
}

/// A level of each resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Levels {
    /// Level of CPU.
    pub cpu: Level,
    /// Level of CPU memory.
    pub memory: Level,
    /// Level of GPU SMs.
    pub gpu_sms: Level,
    /// Level of GPU memory.
    pub gpu_memory: Level,
}

impl Levels {
    /// The level of one resource.
    #[must_use]
    pub const fn get(&self, resource: Resource) -> Level {
        match resource {
            Resource::Cpu => self.cpu,
            Resource::Memory => self.memory,
            Resource::GpuSms => self.gpu_sms,
            Resource::GpuMemory => self.gpu_memory,
        }
    }

    /// Builds levels resource by resource.
    #[must_use]
    pub fn from_fn(mut level: impl FnMut(Resource) -> Level) -> Self {
        Self {
            cpu: level(Resource::Cpu),
            memory: level(Resource::Memory),
            gpu_sms: level(Resource::GpuSms),
            gpu_memory: level(Resource::GpuMemory),
        }
    }
}

/// Amounts of the three levels above `none` of one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Steps<T> {
    /// Amount at [`Level::Low`].
    pub low: T,
    /// Amount at [`Level::Med`].
    pub med: T,
    /// Amount at [`Level::High`].
    pub high: T,
}

/// What the levels amount to (`configs/levels.toml`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelTable {
    /// CPU, in millicores.
    pub cpu: Steps<MilliCpu>,
    /// CPU memory.
    pub memory: Steps<Bytes>,
    /// GPU streaming multiprocessors.
    pub gpu_sms: Steps<u32>,
    /// GPU memory.
    pub gpu_memory: Steps<Bytes>,
}

/// Why a level table is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "level amounts of `{resource}` are {low}, {med}, {high}; they must be above zero and ascending\nhint: correct `{resource}` in levels.toml"
)]
pub struct LevelError {
    resource: &'static str,
    low: u64,
    med: u64,
    high: u64,
}

impl LevelTable {
    /// The amount of one resource at one level, in its base unit.
    #[must_use]
    pub fn amount(&self, resource: Resource, level: Level) -> u64 {
        fn pick<T: Copy>(steps: Steps<T>, level: Level, base: impl Fn(T) -> u64) -> u64 {
            match level {
                Level::None => 0,
                Level::Low => base(steps.low),
                Level::Med => base(steps.med),
                Level::High => base(steps.high),
            }
        }
        match resource {
            Resource::Cpu => pick(self.cpu, level, |c| u64::from(c.0)),
            Resource::Memory => pick(self.memory, level, |b| b.0),
            Resource::GpuSms => pick(self.gpu_sms, level, u64::from),
            Resource::GpuMemory => pick(self.gpu_memory, level, |b| b.0),
        }
    }

    /// The amounts of a set of levels.
    #[must_use]
    pub fn resources(&self, levels: Levels) -> Resources {
        Resources::from_fn(|r| self.amount(r, levels.get(r)))
    }

    /// The highest level of each resource that fits in `budget`: what a planner is told about the budget.
    #[must_use]
    pub fn floor(&self, budget: &Resources) -> Levels {
        Levels::from_fn(|r| {
            let fits = |l: &&Level| self.amount(r, **l) <= budget.get(r);
            Level::ALL.iter().rev().find(fits).copied().unwrap_or(Level::None)
        })
    }

    /// [`floor`](Self::floor) as indices, which is how a planning network is told of a budget.
    #[must_use]
    pub fn indices(&self, budget: &Resources) -> [u8; Resource::ALL.len()] {
        let floor = self.floor(budget);
        Resource::ALL.map(|r| u8::try_from(floor.get(r).index()).unwrap_or(0))
    }

    /// Checks that amounts ascend and are above zero.
    ///
    /// # Errors
    /// Names the first resource whose amounts do not.
    pub fn validate(&self) -> Result<(), LevelError> {
        for resource in Resource::ALL {
            let [low, med, high] = [Level::Low, Level::Med, Level::High].map(|l| self.amount(resource, l));
            if low == 0 || low >= med || med >= high {
                return Err(LevelError { resource: resource.name(), low, med, high });
            }
        }
        Ok(())
    }
}
