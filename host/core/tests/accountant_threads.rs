//! The accountant under threads: never more in use than there is, nobody forgotten, nothing left over.
#![allow(clippy::unwrap_used)]

use std::{
    future::Future,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};
use tomas_core::{
    accountant::{Account, Accountant, Limits, Refusal},
    amount::{Bytes, MilliCpu, Span},
    observation::Usage,
    quota::Quota,
    resource::Resources,
};

const THREADS: u64 = 6;
const CALLS: u64 = 3000;
const CORES: u32 = 1000;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future on this thread; a wake-up that never comes fails the test instead of hanging it.
fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let (mut future, began) = (pin!(future), Instant::now());
    loop {
        if let Poll::Ready(out) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return out;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "nobody woke this reservation");
        thread::park_timeout(Duration::from_secs(61));
    }
}

/// Numbers that look random enough, from Steele, Lea and Flood's SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

fn quota(dice: &mut Dice) -> Quota {
    let cpu = MilliCpu(100 * u32::try_from(1 + dice.below(7)).unwrap());
    let resources = Resources { cpu, memory: Bytes::mib(1 + dice.below(16)), ..Resources::default() };
    Quota::new(resources, Span(Duration::from_secs(1)), Bytes(1))
}

/// One thread's calls: some reservations are given up while they wait, some grants are dropped.
fn caller(session: &Account, in_use: &AtomicU64, seed: u64) {
    let mut dice = Dice(seed);
    for _ in 0..CALLS {
        let request = session.open(&Limits::default()).unwrap();
        let quota = quota(&mut dice);
        let mut reserve = request.reserve(quota);
        if dice.below(4) == 0 {
            let _given_up = Pin::new(&mut reserve).poll(&mut Context::from_waker(Waker::noop()));
            continue;
        }
        let grant = match block_on(reserve) {
            Ok(grant) => grant,
            Err(Refusal::QueueFull { .. }) => continue,
            Err(other) => panic!("{other}"),
        };
        let amount = u64::from(quota.cpu.0);
        assert!(in_use.fetch_add(amount, Ordering::SeqCst) + amount <= u64::from(CORES));
        if dice.below(8) == 0 {
            thread::yield_now();
        }
        in_use.fetch_sub(amount, Ordering::SeqCst);
        if dice.below(3) > 0 {
            grant.settle(&Usage { cpu_ms: 0.1, wall_ms: 1.0, peak_memory_bytes: 1 << 20, ..Usage::default() });
        }
    }
}

#[test]
fn threads_never_use_more_than_there_is() {
    let capacity = Resources { cpu: MilliCpu(CORES), memory: Bytes::mib(32), ..Resources::default() };
    let accountant = Accountant::new(capacity, 4);
    let narrow = Limits { cpu: Some(MilliCpu(700)), ..Limits::default() };
    let sessions = [narrow, Limits::default()].map(|limits| accountant.open(&limits).unwrap());
    let in_use = AtomicU64::new(0);
    thread::scope(|scope| {
        for (seed, session) in (0..THREADS).zip(sessions.iter().cycle()) {
            let in_use = &in_use;
            scope.spawn(move || caller(session, in_use, seed));
        }
    });
    let ledger = accountant.ledger();
    assert!(ledger.balanced(), "{ledger:?}");
    assert_eq!((ledger.cpu.held, ledger.memory.held, ledger.grants, ledger.waiting), (0, 0, 0, 0));
    assert!(ledger.cpu.spent_total > 0 && ledger.cpu.refunded_total > 0);
}
