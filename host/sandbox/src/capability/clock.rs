//! Clocks: the system's where they are granted, else clocks that stand still at the epoch (sleeping works nevertheless).

use crate::tape::{Clock, Tape};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

/// A clock that always shows zero.
pub(crate) struct Still;

impl HostWallClock for Still {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

impl HostMonotonicClock for Still {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        0
    }
}

/// The system's clocks as they go onto a tape, or what is on it.
#[derive(Clone)]
pub(crate) struct Taped {
    pub(crate) tape: Tape,
    /// Which lane of it runs now.
    pub(crate) lane: Arc<AtomicU64>,
    pub(crate) begun: Instant,
}

impl Taped {
    fn show(&self, clock: Clock, now: impl FnOnce() -> Duration) -> u64 {
        let now = || u64::try_from(now().as_nanos()).unwrap_or(u64::MAX);
        self.tape.time(self.lane.load(Ordering::Relaxed), clock, now)
    }
}

impl HostWallClock for Taped {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Duration::from_nanos(self.show(Clock::Wall, now))
    }
}

impl HostMonotonicClock for Taped {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        self.show(Clock::Monotonic, || self.begun.elapsed())
    }
}
