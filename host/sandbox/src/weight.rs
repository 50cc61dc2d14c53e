//! The weight of a tool's thread among others: in proportion to its quota.
//!
//! The kernel knows nothing of quotas and gives equal threads equal time, so a tool of a whole core beside three of a
//! tenth each would lose what they do not even need. A thread that runs for longer than a few ticks therefore gets the
//! `nice` value whose weight is its share of a core: 0 for a whole one, 6 for a quarter, 10 for a tenth (each step is a
//! factor of 1.25; `sched_prio_to_weight` in Linux). Then the kernel also spreads the threads over the cores by what
//! they really need. Short calls do not pay for it.

use std::cell::Cell;
use tomas_core::{amount::MilliCpu, quota::Quota};

/// Least weight there is.
const LEAST: i32 = 19;

thread_local! {
    /// The nice value of a thread of the pool before anything was done to it; `None` on other threads, which are not
    /// ours to change.
    static BASE: Cell<Option<i32>> = const { Cell::new(None) };
    static CHANGED: Cell<bool> = const { Cell::new(false) };
}

/// Steps of `nice` for a thread that may use so much of a core.
fn steps(share: MilliCpu) -> i32 {
    let share = share.cores().clamp(0.01, 1.0);
    #[expect(clippy::cast_possible_truncation, reason = "between 0 and 21")]
    let steps = (-share.ln() / 1.25_f64.ln()).round() as i32;
    steps.min(LEAST)
}

/// Tells that the current thread belongs to the pool.
pub(crate) fn adopt() {
    #[expect(unsafe_code, reason = "getpriority only reads; it has no preconditions")]
    let nice = unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) };
    BASE.set(Some(nice));
}

/// Gives the current thread the weight of one of `width` threads that share a quota.
pub(crate) fn apply(quota: &Quota, width: u32) {
    let steps = steps(MilliCpu(quota.cpu.0 / width.max(1)));
    if let Some(base) = BASE.get().filter(|_| steps > 0) {
        CHANGED.set(set(base.saturating_add(steps).min(LEAST)) || CHANGED.get());
    }
}

/// Gives the current thread its old weight back. Without privileges a thread cannot: then this is `false`, and the
/// thread should end.
#[must_use]
pub(crate) fn restore() -> bool {
    match BASE.get() {
        Some(base) if CHANGED.replace(false) => set(base),
        _ => true,
    }
}

fn set(nice: i32) -> bool {
    // On Linux, 0 means the calling thread alone.
    #[expect(unsafe_code, reason = "setpriority has no preconditions")]
    let result = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, nice) };
    result == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_follow_shares() {
        for (share, nice) in [(4000, 0), (1000, 0), (800, 1), (500, 3), (250, 6), (100, 10), (10, 19), (0, 19)] {
            assert_eq!(steps(MilliCpu(share)), nice, "{share}m");
        }
    }
}
