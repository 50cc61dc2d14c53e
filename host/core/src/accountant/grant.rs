//! Grants: reservations that live, how they end, and why one may be refused.

use super::{
    Handle,
    budget::{Amount, Layer},
    ledger::amounts,
};
use crate::{
    observation::Usage,
    quota::Quota,
    resource::{Resource, Resources},
};
use serde::Serialize;
use std::{fmt, sync::Arc};

/// A reservation of a quota. Only the accountant makes one; it cannot be copied.
///
/// It ends by [`settle`](Grant::settle), or by being dropped, which refunds all of it. Either gives the amounts back
/// to every layer and lets waiting reservations proceed.
#[must_use = "a grant that is dropped refunds its reservation at once"]
pub struct Grant {
    account: Arc<Handle>,
    quota: Quota,
    id: u64,
    live: bool,
}

/// What became of a grant. `reserved = spent + refunded` in every amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Settlement {
    /// What was set aside.
    pub reserved: Resources,
    /// What was used of it.
    pub spent: Resources,
    /// What was given back.
    pub refunded: Resources,
}

impl Grant {
    pub(super) fn new(account: Arc<Handle>, quota: Quota, id: u64) -> Self {
        Self { account, quota, id, live: true }
    }

    /// What the holder is held to.
    #[must_use]
    pub const fn quota(&self) -> &Quota {
        &self.quota
    }

    /// Its number: grants of one accountant count from one, in the order in which they were granted.
    #[must_use]
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// Ends the grant: what `usage` shows as used is spent, the rest is refunded.
    ///
    /// Spent memory is the peak, spent CPU the mean rate `cpu_ms / wall_ms` in millicores, rounded up (zero where no
    /// wall time passed); both are capped by what was granted. GPU amounts are spent as reserved, because a partition
    /// of a GPU serves nobody else while it is held.
    pub fn settle(mut self, usage: &Usage) -> Settlement {
        let reserved = self.quota.resources();
        let spent = Resources::from_fn(|r| match r {
            Resource::Cpu => mean_millicores(usage).min(reserved.get(r)),
            Resource::Memory => usage.peak_memory_bytes.min(reserved.get(r)),
            _ => reserved.get(r),
        });
        self.end(&spent);
        let refunded = Resources::from_fn(|r| reserved.get(r) - spent.get(r));
        Settlement { reserved, spent, refunded }
    }

    fn end(&mut self, spent: &Resources) {
        self.live = false;
        let (at, ask, spent) = (self.account.at, amounts(&self.quota.resources()), amounts(spent));
        self.account.shared.with(|queue| queue.release(at, &ask, &spent));
    }
}

impl Drop for Grant {
    fn drop(&mut self) {
        if self.live {
            self.end(&Resources::default());
        }
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant").field("id", &self.id).field("quota", &self.quota).finish_non_exhaustive()
    }
}

/// Mean CPU rate over the wall time, rounded up. Times that are not numbers count as zero.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "float casts saturate, and NaN is zero")]
fn mean_millicores(usage: &Usage) -> u64 {
    if usage.wall_ms > 0.0 {
        // A rate that is whole but for the last bits of the division must not be rounded up to the next.
        (usage.cpu_ms / usage.wall_ms * 1000.0 - 1e-6).ceil() as u64
    } else {
        0
    }
}

/// Why a reservation is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Refusal {
    /// It can never fit in the budget of a layer.
    #[error(
        "`{asked}` {} can never fit in the {layer}'s budget of `{allowed}`\nhint: what fits is {fits}",
        .asked.resource.name()
    )]
    Never {
        /// The first amount that is too large.
        asked: Amount,
        /// The budget of the layer.
        allowed: Amount,
        /// The highest layer whose budget is too small.
        layer: Layer,
        /// The most that could be reserved in this account.
        fits: Resources,
    },
    /// It would have to wait, and too many wait already.
    #[error("`{waiting}` reservations wait already, and at most `{bound}` may\nhint: try again later")]
    QueueFull {
        /// How many wait.
        waiting: usize,
        /// How many may.
        bound: usize,
    },
    /// It would have to wait, and the caller does not want to.
    #[error(
        "`{asked}` {} does not fit now: the {layer} has `{free}` left that is neither held nor waited for\n\
         hint: it will fit once others are done",
        .asked.resource.name()
    )]
    Busy {
        /// The first amount that does not fit.
        asked: Amount,
        /// What is left of it.
        free: Amount,
        /// The layer that lacks it.
        layer: Layer,
    },
    /// The account, or one above it, was closed.
    #[error("the account is closed and reserves nothing more\nhint: open a new session")]
    Closed,
}
