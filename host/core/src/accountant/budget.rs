//! Budgets: what each layer may hold at once. A layer may only tighten the one above it.

use crate::{
    amount::{Bytes, MilliCpu},
    resource::{Resource, Resources},
};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

/// Whose budget it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// The whole host: its capacity.
    Server,
    /// One session.
    Session,
    /// One request of a session, and whatever is opened under it.
    Request,
}

impl Layer {
    /// The layer of an account opened under this one.
    #[must_use]
    pub const fn below(self) -> Self {
        match self {
            Self::Server => Self::Session,
            Self::Session | Self::Request => Self::Request,
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Server => "server",
            Self::Session => "session",
            Self::Request => "request",
        })
    }
}

/// An amount of one resource, shown and serialised in that resource's unit: `250m`, `16MiB`, `40`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Amount {
    /// Of what.
    pub resource: Resource,
    /// How much, in the resource's base unit (millicores, bytes, SMs, bytes).
    pub value: u64,
}

impl Amount {
    /// The amount of `resource` in `resources`.
    #[must_use]
    pub fn of(resource: Resource, resources: &Resources) -> Self {
        Self { resource, value: resources.get(resource) }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.resource {
            Resource::Cpu => write!(f, "{}m", self.value),
            Resource::GpuSms => write!(f, "{}", self.value),
            Resource::Memory | Resource::GpuMemory => Bytes(self.value).fmt(f),
        }
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The budget a caller asks for: each amount may be left out, and is then that of the layer above.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Most CPU held at once, in millicores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<MilliCpu>,
    /// Most CPU memory held at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Bytes>,
    /// Most GPU streaming multiprocessors held at once; zero forbids them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_sms: Option<u32>,
    /// Most GPU memory held at once; zero forbids it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_memory: Option<Bytes>,
}

/// Why a budget is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum BudgetError {
    /// More than the layer above has.
    #[error(
        "a budget of `{found}` {} is above the `{allowed}` that the layer above allows\n\
         hint: ask for at most `{allowed}`, or leave `{}` out to have all of it",
        .found.resource.name(), .found.resource.name()
    )]
    Above {
        /// What was asked for.
        found: Amount,
        /// The most the layer above allows.
        allowed: Amount,
    },
    /// Zero of something that every call needs.
    #[error(
        "a budget of `{found}` {} lets nothing run; allowed is anything above zero up to `{allowed}`\n\
         hint: ask for more, or leave `{}` out to have all of it",
        .found.resource.name(), .found.resource.name()
    )]
    Zero {
        /// What was asked for.
        found: Amount,
        /// The most the layer above allows.
        allowed: Amount,
    },
    /// The account above takes no more.
    #[error("the {layer}'s account is closed; only an open account can be opened under\nhint: open a new session")]
    Closed {
        /// Whose account it is.
        layer: Layer,
    },
}

impl Limits {
    /// The amount asked for of one resource, in its base unit.
    #[must_use]
    pub fn get(&self, resource: Resource) -> Option<u64> {
        match resource {
            Resource::Cpu => self.cpu.map(|c| u64::from(c.0)),
            Resource::Memory => self.memory.map(|b| b.0),
            Resource::GpuSms => self.gpu_sms.map(u64::from),
            Resource::GpuMemory => self.gpu_memory.map(|b| b.0),
        }
    }

    /// The budget that these limits leave of `parent`'s: what is absent is the parent's.
    ///
    /// # Errors
    /// [`BudgetError::Above`] where an amount is larger than the parent's (a budget may only tighten), and
    /// [`BudgetError::Zero`] where CPU or memory is zero.
    pub fn tighten(&self, parent: &Resources) -> Result<Resources, BudgetError> {
        for resource in Resource::ALL {
            let Some(value) = self.get(resource) else { continue };
            let (found, allowed) = (Amount { resource, value }, Amount::of(resource, parent));
            if value > allowed.value {
                return Err(BudgetError::Above { found, allowed });
            }
            if value == 0 && matches!(resource, Resource::Cpu | Resource::Memory) {
                return Err(BudgetError::Zero { found, allowed });
            }
        }
        Ok(Resources::from_fn(|r| self.get(r).unwrap_or_else(|| parent.get(r))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parent() -> Resources {
        Resources { cpu: MilliCpu(2000), memory: Bytes::mib(64), ..Resources::default() }
    }

    #[test]
    fn absent_limits_are_the_parents() {
        assert_eq!(Limits::default().tighten(&parent()), Ok(parent()));
        let half: Limits = serde_json::from_str(r#"{"cpu": "500m", "gpu_memory": 0}"#).unwrap();
        assert_eq!(half.tighten(&parent()), Ok(Resources { cpu: MilliCpu(500), ..parent() }));
    }

    #[test]
    fn a_budget_may_only_tighten() {
        let error = Limits { memory: Some(Bytes::mib(65)), ..Limits::default() }.tighten(&parent()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a budget of `65MiB` memory is above the `64MiB` that the layer above allows\n\
             hint: ask for at most `64MiB`, or leave `memory` out to have all of it"
        );
        let error = Limits { gpu_sms: Some(1), ..Limits::default() }.tighten(&parent()).unwrap_err();
        assert!(error.to_string().starts_with("a budget of `1` gpu_sms is above the `0` that"), "{error}");
    }

    #[test]
    fn zero_cpu_or_memory_is_refused_and_zero_gpu_is_not() {
        let error = Limits { cpu: Some(MilliCpu(0)), ..Limits::default() }.tighten(&parent()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a budget of `0m` cpu lets nothing run; allowed is anything above zero up to `2000m`\n\
             hint: ask for more, or leave `cpu` out to have all of it"
        );
        assert!(Limits { memory: Some(Bytes(0)), ..Limits::default() }.tighten(&parent()).is_err());
        let no_gpu = Limits { gpu_sms: Some(0), gpu_memory: Some(Bytes(0)), ..Limits::default() };
        assert_eq!(no_gpu.tighten(&parent()), Ok(parent()));
    }

    #[test]
    fn unknown_limits_are_refused() {
        assert!(serde_json::from_str::<Limits>(r#"{"cores": 1}"#).is_err());
        assert!(serde_json::from_str::<Limits>(r#"{"cpu": "-1"}"#).is_err());
    }
}
