//! What a call lends to the graph that computes for it: its quota of CPU and memory, its deadline, its end.

use crate::{
    capability::parallel::Shards,
    context::{Context, Stop},
    state::{self, State},
};
use std::{cell::Cell, sync::Arc};
use tomas_core::{
    graph::{Allowance, Interrupted},
    quota::Quota,
};

/// See the module.
pub(super) struct Lent {
    context: Arc<Context>,
    shards: Option<Arc<Shards>>,
    /// Why it said that the call must end.
    stop: Cell<Option<Stop>>,
}

impl Lent {
    /// To a graph that computes on the current thread, which is the call's own.
    pub(super) fn to(state: &State) -> Self {
        Self { context: Arc::clone(&state.context), shards: state.shards.clone(), stop: Cell::new(None) }
    }

    /// Why the call must end, if it was told to.
    pub(super) fn stopped(&self) -> Option<Stop> {
        self.stop.get()
    }

    fn ends<T>(&self, stop: Stop) -> Result<T, Interrupted> {
        self.stop.set(Some(stop));
        Err(Interrupted)
    }
}

impl Allowance for Lent {
    fn quota(&self) -> &Quota {
        &self.context.quota
    }

    fn check(&self) -> Result<(), Interrupted> {
        let charged = state::charge(&self.context, self.shards.as_deref());
        charged.and_then(|now| self.context.pay(now)).or_else(|stop| self.ends(stop))
    }

    fn take(&self, bytes: u64) -> Result<(), Interrupted> {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        self.context.hold(bytes).or_else(|stop| self.ends(stop))
    }

    fn give(&self, bytes: u64) {
        self.context.memory.give(bytes);
    }
}
