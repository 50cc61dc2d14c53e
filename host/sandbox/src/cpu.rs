//! The CPU quota: a token bucket filled by wall time and emptied by the thread's CPU clock.
//!
//! A call is charged for each poll of its future and, while wasm runs, at each tick of the epoch (1 ms). When the bucket
//! is in debt the thread sleeps in place until the debt is repaid. Fork-join workers draw on the same bucket from their
//! own threads.
//!
//! A call that waits saves up at most [`BURST`]. A call that wants to run and is not scheduled keeps what it missed, up
//! to [`CATCH_UP`]: otherwise every millisecond that the operating system gives to somebody else would be lost for good.

use std::{
    cell::Cell,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};
use tomas_core::amount::MilliCpu;

/// How long a call may save up unused CPU, in wall nanoseconds: the burst is this times the rate.
const BURST: u64 = 10_000_000;

/// How long a call may fall behind its quota and still catch up, in wall nanoseconds.
const CATCH_UP: u64 = 500_000_000;

/// CPU time of the current thread, in nanoseconds.
pub(crate) fn thread_time() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    #[expect(unsafe_code, reason = "clock_gettime writes one timespec that we own")]
    unsafe {
        libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time);
    }
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

/// A token bucket of CPU time. Debt is allowed: work is charged after it is done.
///
/// It is kept as one number, the moment at which all work charged so far is paid for at the quota's rate (the virtual
/// scheduling form of the generic cell rate algorithm, ITU-T I.371), so that threads share it without a lock.
#[derive(Debug)]
pub(crate) struct Bucket {
    origin: Instant,
    millicores: u64,
    repaid: AtomicU64,
    used: AtomicU64,
}

impl Bucket {
    /// A full bucket at `origin`.
    pub(crate) fn new(rate: MilliCpu, origin: Instant) -> Self {
        Self { origin, millicores: u64::from(rate.0.max(1)), repaid: AtomicU64::new(0), used: AtomicU64::new(0) }
    }

    /// Nanoseconds on the bucket's own axis, on which [`BURST`] is the beginning.
    fn at(&self, now: Instant) -> u64 {
        let passed = now.saturating_duration_since(self.origin).as_nanos();
        u64::try_from(passed).unwrap_or(u64::MAX).saturating_add(BURST)
    }

    /// Takes `nanoseconds` of CPU time out.
    pub(crate) fn charge(&self, nanoseconds: u64, now: Instant) {
        let cost = nanoseconds.saturating_mul(1000) / self.millicores;
        let earliest = self.at(now).saturating_sub(CATCH_UP);
        let mut seen = self.repaid.load(Ordering::Relaxed);
        loop {
            let next = seen.max(earliest).saturating_add(cost);
            match self.repaid.compare_exchange_weak(seen, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => break,
                Err(now_there) => seen = now_there,
            }
        }
        self.used.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// Notes that the call waited until `now` and did not want to run: of what it did not use, a burst is left.
    pub(crate) fn waited(&self, now: Instant) {
        self.repaid.fetch_max(self.at(now).saturating_sub(BURST), Ordering::Relaxed);
    }

    /// How long until the debt is repaid; zero when there is none.
    pub(crate) fn debt(&self, now: Instant) -> Duration {
        Duration::from_nanos(self.repaid.load(Ordering::Relaxed).saturating_sub(self.at(now)))
    }

    /// All CPU time charged, in nanoseconds.
    pub(crate) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }
}

/// What the current thread spent on the call it runs, in nanoseconds. A thread runs one call at a time, and a worker
/// that the caller's thread runs inside `parallel.map` is part of it, so one set for each thread is enough.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spent {
    /// Thread CPU time up to which the call was charged.
    charged: u64,
    /// CPU time charged.
    pub(crate) cpu: u64,
    /// Wall time inside polls.
    pub(crate) polled: u64,
    /// Wall time asleep to repay debt.
    pub(crate) throttled: u64,
    /// Wall time waiting for fork-join workers.
    pub(crate) joining: u64,
    /// Ticks of the epoch.
    ticks: u32,
}

thread_local! {
    static SPENT: Cell<Spent> = const { Cell::new(Spent { charged: 0, cpu: 0, polled: 0, throttled: 0, joining: 0, ticks: 0 }) };
}

impl Spent {
    fn update(change: impl FnOnce(&mut Self)) {
        SPENT.with(|cell| {
            let mut spent = cell.get();
            change(&mut spent);
            cell.set(spent);
        });
    }

    /// Forgets the call that this thread ran before.
    pub(crate) fn reset() {
        SPENT.set(Self::default());
    }

    /// Goes on with a call that began on another thread.
    pub(crate) fn resume(self) {
        SPENT.set(self);
    }

    /// What the current thread spent since [`reset`](Self::reset).
    pub(crate) fn so_far() -> Self {
        SPENT.get()
    }

    /// A poll begins: CPU time from here on is the call's.
    pub(crate) fn begin() {
        let now = thread_time();
        Self::update(|spent| spent.charged = now);
    }

    /// Charges what the thread used since [`begin`](Self::begin) or the last charge. Returns the time of the charge.
    pub(crate) fn charge(bucket: &Bucket) -> Instant {
        let cpu = thread_time();
        let now = Instant::now();
        Self::update(|spent| {
            let slice = cpu.saturating_sub(spent.charged);
            spent.charged = cpu;
            spent.cpu += slice;
            bucket.charge(slice, now);
        });
        now
    }

    /// Counts a tick of the epoch and returns how many there were.
    pub(crate) fn tick() -> u32 {
        Self::update(|spent| spent.ticks = spent.ticks.saturating_add(1));
        SPENT.get().ticks
    }

    /// Books wall time inside a poll.
    pub(crate) fn polled(time: Duration) {
        Self::update(|spent| spent.polled += nanoseconds(time));
    }

    /// Books wall time asleep for the quota.
    pub(crate) fn throttled(time: Duration) {
        Self::update(|spent| spent.throttled += nanoseconds(time));
    }

    /// Books wall time waiting for workers.
    pub(crate) fn joining(time: Duration) {
        Self::update(|spent| spent.joining += nanoseconds(time));
    }

    /// Wall time inside polls in which the thread was neither running, nor throttled, nor waiting for workers.
    pub(crate) fn unscheduled(&self) -> u64 {
        self.polled.saturating_sub(self.cpu).saturating_sub(self.throttled).saturating_sub(self.joining)
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn a_quarter_core_repays_four_times_as_long() {
        let origin = Instant::now();
        let bucket = Bucket::new(MilliCpu(250), origin);
        bucket.charge(2_500_000, origin); // the burst: 10 ms × 0.25
        assert_eq!(bucket.debt(origin), Duration::ZERO);
        bucket.charge(MS, origin);
        assert_eq!(bucket.debt(origin), Duration::from_millis(4));
        assert_eq!(bucket.debt(origin + Duration::from_millis(4)), Duration::ZERO);
        assert_eq!(bucket.used(), 3_500_000);
    }

    #[test]
    fn idle_time_saves_no_more_than_the_burst() {
        let origin = Instant::now();
        let bucket = Bucket::new(MilliCpu(2000), origin);
        let later = origin + Duration::from_secs(3600);
        bucket.waited(later);
        bucket.charge(20 * MS + 2 * MS, later);
        assert_eq!(bucket.debt(later), Duration::from_millis(1));
    }

    #[test]
    fn what_was_missed_can_be_caught_up() {
        let origin = Instant::now();
        let bucket = Bucket::new(MilliCpu(500), origin);
        let later = origin + Duration::from_millis(100);
        bucket.charge(55 * MS, later); // the burst of 5 ms, and half of the time that passed
        assert_eq!(bucket.debt(later), Duration::ZERO);
        bucket.charge(MS, later);
        assert_eq!(bucket.debt(later), Duration::from_millis(2));
        let much_later = origin + Duration::from_secs(3600);
        bucket.charge(250 * MS, much_later);
        assert_eq!(bucket.debt(much_later), Duration::ZERO);
        bucket.charge(MS, much_later);
        assert_eq!(bucket.debt(much_later), Duration::from_millis(2));
    }

    #[test]
    fn threads_share_one_bucket() {
        let origin = Instant::now();
        let bucket = Bucket::new(MilliCpu(1000), origin);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1000).for_each(|_| bucket.charge(1000, origin)));
            }
        });
        assert_eq!(bucket.used(), 4 * MS);
        bucket.charge(10 * MS, origin);
        assert_eq!(bucket.debt(origin), Duration::from_millis(4));
    }
}
