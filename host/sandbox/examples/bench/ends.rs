//! How long a guest outlives its cancellation or its deadline, whatever it does.

use crate::{
    Outcome,
    house::{House, call, quota},
    statistics::Sorted,
};
use serde_json::json;
use std::time::{Duration, Instant};
use tomas_core::{amount::Bytes, observation};

/// Calls of each kind and guest.
const CALLS: usize = 300;

/// When they are ended, in milliseconds.
const AFTER: u64 = 10;

pub(crate) fn measure() -> Outcome {
    let house = House::new()?;
    let hostile = house.load("hostile")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    for (tool, arguments) in [
        ("spin", json!({})),
        ("sleep", json!({ "n": 0 })),
        ("flood_progress", json!({ "n": 1_000_000_000_u64 })),
        ("fork", json!({ "n": 10_000, "work": 1000 })),
    ] {
        let mut cancelled = Vec::new();
        let mut late = Vec::new();
        for _ in 0..CALLS {
            let long = quota(1000, Bytes::mib(64), Duration::from_secs(30));
            let made = call(&hostile, tool, &arguments)?;
            let cancel = made.cancel.clone();
            let grant = house.account.try_reserve(long)?;
            let (outcome, after) = runtime.block_on(async {
                let calling = tokio::spawn({
                    let sandbox = house.sandbox.clone();
                    async move { sandbox.call(grant, made).await }
                });
                tokio::time::sleep(Duration::from_millis(AFTER)).await;
                let begun = Instant::now();
                cancel.cancel();
                let finished = calling.await;
                (finished, begun.elapsed())
            });
            expect(outcome??.observation.outcome, observation::Outcome::Cancelled)?;
            cancelled.push(after.as_secs_f64() * 1e3);

            let short = quota(1000, Bytes::mib(64), Duration::from_millis(AFTER));
            let grant = house.account.try_reserve(short)?;
            let begun = Instant::now();
            let finished = runtime.block_on(house.sandbox.call(grant, call(&hostile, tool, &arguments)?))?;
            let over = begun.elapsed().saturating_sub(Duration::from_millis(AFTER));
            expect(finished.observation.outcome, observation::Outcome::DeadlineExceeded)?;
            late.push(over.as_secs_f64() * 1e3);
        }
        for (what, times) in [("cancelled", cancelled), ("deadline", late)] {
            let times = Sorted::new(times);
            let (p50, p99, most) = (times.quantile(0.5), times.quantile(0.99), times.quantile(1.0));
            println!("{tool}, {what}: ended after p50 {p50:.2} ms, p99 {p99:.2} ms, at most {most:.2} ms (n {CALLS})");
        }
    }
    Ok(())
}

fn expect(found: observation::Outcome, wanted: observation::Outcome) -> Outcome {
    if found == wanted { Ok(()) } else { Err(format!("{} instead of {}", found.name(), wanted.name()).into()) }
}
