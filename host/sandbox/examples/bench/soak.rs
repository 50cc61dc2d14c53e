//! Mixed load with faults for a while: nothing leaks, the ledger balances, every call is accounted for.
//!
//! `-- soak SECONDS`, 3600 by default. Prints a line a minute.

use crate::{
    Outcome,
    house::{call, config, quota},
    statistics::{resident, wall_time},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tomas_core::{
    accountant::{Accountant, Limits},
    amount::{Bytes, MilliCpu},
    observation,
    resource::Resources,
};
use tomas_sandbox::{LoadedComponent, Sandbox};

/// Callers at once.
const CALLERS: u64 = 6;

/// What is called, and how it ends, unless it is cancelled or dropped.
const MIX: [(&str, u64, u64, observation::Outcome); 13] = [
    ("burn", 1, 0, observation::Outcome::Ok),
    ("environment", 0, 0, observation::Outcome::Ok),
    ("fork", 4, 1, observation::Outcome::Ok),
    ("allocate", 8, 0, observation::Outcome::Ok),
    ("huge", 100, 0, observation::Outcome::Ok),
    ("sleep", 2, 0, observation::Outcome::Ok),
    ("grow", 0, 0, observation::Outcome::MemoryExceeded),
    ("spin", 0, 0, observation::Outcome::DeadlineExceeded),
    ("recurse", 0, 0, observation::Outcome::Trapped),
    ("panic", 0, 0, observation::Outcome::Trapped),
    ("flood_stdout", 0, 0, observation::Outcome::OutputExceeded),
    ("fork_panic", 3, 0, observation::Outcome::Trapped),
    ("open", 0, 0, observation::Outcome::PermissionDenied),
];

#[derive(Default)]
struct Tally {
    handed_in: AtomicU64,
    dropped: AtomicU64,
    ended: Mutex<BTreeMap<&'static str, u64>>,
}

pub(crate) fn measure() -> Outcome {
    let seconds: u64 = std::env::args().nth(2).map_or(Ok(3600), |text| text.parse())?;
    let sandbox = Sandbox::new(config()?)?;
    let capacity = Resources { cpu: MilliCpu(2000), memory: Bytes::mib(512), gpu_sms: 0, gpu_memory: Bytes(0) };
    let accountant = Accountant::new(capacity, 256);
    let hostile = sandbox.load(&crate::house::bytes("hostile")?)?;
    let tally = Arc::new(Tally::default());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let until = Instant::now() + Duration::from_secs(seconds);
    let callers: Vec<_> = (0..CALLERS)
        .map(|seed| {
            let (sandbox, accountant) = (sandbox.clone(), accountant.clone());
            let (hostile, tally) = (Arc::clone(&hostile), Arc::clone(&tally));
            runtime.spawn(async move {
                caller(seed, until, &sandbox, &accountant, &hostile, &tally).await.map_err(|error| error.to_string())
            })
        })
        .collect();
    let samples = watch(until, &tally, || callers.iter().any(tokio::task::JoinHandle::is_finished));
    for caller in callers {
        runtime.block_on(caller)??;
    }
    // What was dropped is settled a moment later.
    std::thread::sleep(Duration::from_secs(2));
    report(&samples, &tally, accountant.open(&Limits::default())?.free() == capacity)
}

/// Memory over time, in seconds and bytes, until the end or something is wrong.
fn watch(until: Instant, tally: &Tally, wrong: impl Fn() -> bool) -> Vec<(f64, f64)> {
    let begun = wall_time();
    let mut samples = Vec::new();
    let mut next = 60.0;
    while Instant::now() < until && !wrong() {
        std::thread::sleep(Duration::from_millis(500));
        let passed = wall_time() - begun;
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        samples.push((passed, resident() as f64));
        if passed >= next {
            next += 60.0;
            println!("{passed:.0} s: {} MiB, {} calls", resident() >> 20, tally.handed_in.load(Ordering::Relaxed));
        }
    }
    samples
}

async fn caller(
    seed: u64,
    until: Instant,
    sandbox: &Sandbox,
    accountant: &Accountant,
    hostile: &Arc<LoadedComponent>,
    tally: &Tally,
) -> Outcome {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut random = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    while Instant::now() < until {
        #[expect(clippy::cast_possible_truncation, reason = "an index")]
        let (tool, n, work, expected) = MIX[random(MIX.len() as u64) as usize];
        let arguments: Value = json!({ "n": n, "work": work, "path": "/workspace/a" });
        let quota = quota(
            [100, 250, 500, 1000][random(4) as usize],
            Bytes::mib(16 + 16 * random(3)),
            Duration::from_millis(500),
        );
        let account = accountant.open(&Limits::default())?;
        let grant = account.reserve(quota).await?;
        let made = call(hostile, tool, &arguments).map_err(|error| error.to_string())?;
        tally.handed_in.fetch_add(1, Ordering::Relaxed);
        let fault = random(10);
        let cancel = made.cancel.clone();
        let calling = sandbox.call(grant, made);
        if fault == 0 {
            // The client goes away.
            drop(tokio::time::timeout(Duration::from_millis(random(5)), calling).await);
            tally.dropped.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        if fault == 1 {
            let after = Duration::from_millis(random(5));
            tokio::spawn(async move {
                tokio::time::sleep(after).await;
                cancel.cancel();
            });
        }
        let outcome = calling.await?.observation.outcome;
        let throttled = outcome == observation::Outcome::DeadlineExceeded;
        if outcome != expected && fault != 1 && !throttled {
            return Err(format!("`{tool}` ended with `{}` instead of `{}`", outcome.name(), expected.name()).into());
        }
        *tally.ended.lock().unwrap_or_else(PoisonError::into_inner).entry(outcome.name()).or_default() += 1;
    }
    Ok(())
}

fn report(samples: &[(f64, f64)], tally: &Tally, balanced: bool) -> Outcome {
    // The first fifth is for caches and pools to fill.
    let steady = samples.get(samples.len() / 5..).unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "a few thousand samples")]
    let count = steady.len().max(1) as f64;
    let mean = |of: &dyn Fn(&(f64, f64)) -> f64| steady.iter().map(of).sum::<f64>() / count;
    let (time, memory) = (mean(&|s| s.0), mean(&|s| s.1));
    let spread: f64 = steady.iter().map(|s| (s.0 - time).powi(2)).sum();
    let slope = steady.iter().map(|s| (s.0 - time) * (s.1 - memory)).sum::<f64>() / spread.max(1e-9);
    let residuals = steady.iter().map(|s| (s.1 - memory - slope * (s.0 - time)).powi(2)).sum::<f64>();
    let error = (residuals / (count - 2.0).max(1.0) / spread.max(1e-9)).sqrt();
    let handed_in = tally.handed_in.load(Ordering::Relaxed);
    let ended = tally.ended.lock().unwrap_or_else(PoisonError::into_inner);
    let dropped = tally.dropped.load(Ordering::Relaxed);
    println!("{handed_in} calls: {dropped} dropped, the others ended {ended:?}");
    println!("every call accounted for: {}", handed_in == dropped + ended.values().sum::<u64>());
    println!("the ledger balances: {balanced}");
    println!(
        "memory {:.1} MiB in the mean, slope {:.1} KiB a minute (standard error {:.1}, n {count})",
        memory / f64::from(1 << 20),
        slope * 60.0 / 1024.0,
        error * 60.0 / 1024.0
    );
    Ok(())
}
