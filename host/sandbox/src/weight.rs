//! How the kernel schedules a tool's thread among others: by weight in proportion to its quota, and without haste.
//!
//! The kernel knows nothing of quotas and gives equal threads equal time, so a tool of a whole core beside three of a
//! tenth each would lose what they do not even need. A thread that runs for longer than a few ticks therefore gets the
//! `nice` value whose weight is its share of a core: 6 more for a quarter than for a whole one, 10 more for a tenth (each
//! step is a factor of 1.25; `sched_prio_to_weight` in Linux). Then the kernel also spreads the threads over the cores by
//! what they really need. Whole cores begin at 5, a third of the weight of a short call: it is long calls that give way
//! where the kernel puts both on one core.
//!
//! Such a thread also sleeps and wakes all the time, to keep its quota. A thread that wakes may take the core from
//! whoever runs there; as `SCHED_BATCH` it waits for its turn instead (sched(7)). And it asks for long slices, which come
//! later: whoever wakes beside it with a short one goes first (EEVDF, Linux 6.12; before, slices cannot be asked for).
//!
//! Short calls pay for none of this.

use std::cell::Cell;
use tomas_core::{amount::MilliCpu, quota::Quota};

/// Least weight there is.
const LEAST: i32 = 19;

/// Steps of `nice` that every long call goes back.
const BACK: i32 = 5;

/// The slice that a long call asks for, in nanoseconds.
const SLICE: u64 = 100_000_000;

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
    if let Some(base) = BASE.get() {
        let nice = base.saturating_add(BACK + steps).min(LEAST);
        CHANGED.set(schedule(libc::SCHED_BATCH, nice, SLICE) || CHANGED.get());
    }
}

/// Makes the current thread what it was. Without privileges a thread cannot raise its weight: then this is `false`, and
/// the thread should end.
#[must_use]
pub(crate) fn restore() -> bool {
    match BASE.get() {
        Some(base) if CHANGED.replace(false) => schedule(libc::SCHED_OTHER, base, 0),
        _ => true,
    }
}

/// `struct sched_attr` of sched_setattr(2), in its first version.
#[repr(C)]
struct Attributes {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    runtime: u64,
    deadline: u64,
    period: u64,
}

/// Schedules the current thread anew; a slice of 0 is the usual one.
fn schedule(policy: i32, nice: i32, slice: u64) -> bool {
    let attributes = Attributes {
        size: 48,
        policy: policy.unsigned_abs(),
        flags: 0,
        nice,
        priority: 0,
        runtime: slice,
        deadline: 0,
        period: 0,
    };
    // On Linux, 0 means the calling thread alone.
    #[expect(unsafe_code, reason = "sched_setattr reads as many bytes as `size` says: the whole struct")]
    let result = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0) };
    result == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tomas_core::amount::{Bytes, Span};

    #[test]
    fn weights_follow_shares() {
        for (share, nice) in [(4000, 0), (1000, 0), (800, 1), (500, 3), (250, 6), (100, 10), (10, 19), (0, 19)] {
            assert_eq!(steps(MilliCpu(share)), nice, "{share}m");
        }
    }

    #[test]
    fn a_thread_is_scheduled_as_its_quota_says_and_as_before_again() {
        let quota = Quota {
            cpu: MilliCpu(250),
            memory: Bytes(0),
            gpu_sms: 0,
            gpu_memory: Bytes(0),
            deadline: Span(Duration::ZERO),
            output: Bytes(0),
        };
        let of_this_thread = || {
            #[expect(unsafe_code, reason = "both only read, and have no preconditions")]
            unsafe {
                (libc::sched_getscheduler(0), libc::getpriority(libc::PRIO_PROCESS, 0))
            }
        };
        let pooled = std::thread::spawn(move || {
            adopt();
            let before = of_this_thread();
            apply(&quota, 1);
            assert_eq!(of_this_thread(), (libc::SCHED_BATCH, (before.1 + 11).min(LEAST)));
            // Who may not raise a weight is told, and stays.
            assert_eq!(restore(), of_this_thread() == before);
        });
        pooled.join().unwrap();
        apply(&quota, 1);
        assert_eq!(of_this_thread().0, libc::SCHED_OTHER, "a caller's thread is not ours");
    }
}
