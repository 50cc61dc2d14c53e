//! What a runaway neighbour costs a well-behaved tool, inside the capacity of the machine.

use crate::{
    Outcome,
    house::{House, call, quota},
    statistics::{Others, Sorted},
};
use serde_json::json;
use std::time::{Duration, Instant};
use tomas_core::{amount::Bytes, observation};

/// Rounds alone and beside the neighbour, alternated.
const ROUNDS: usize = 10;

/// Calls in a round.
const CALLS: usize = 200;

/// Milliseconds of work in a call.
const WORK: u64 = 2;

pub(crate) fn measure() -> Outcome {
    let house = House::new()?;
    let hostile = house.load("hostile")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // As a server does it: on threads of the sandbox, which it schedules by their quotas.
    let server = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build()?;
    let good = quota(1000, Bytes::mib(16), Duration::from_secs(5));
    let calls = |kept: &mut Vec<f64>| -> Outcome {
        for _ in 0..CALLS {
            let made = call(&hostile, "burn", &json!({ "n": WORK }))?;
            let begun = Instant::now();
            let finished = runtime.block_on(house.sandbox.call(house.account.try_reserve(good)?, made))?;
            kept.push(begun.elapsed().as_secs_f64() * 1e3);
            if finished.observation.outcome != observation::Outcome::Ok {
                return Err(format!("{:?}", finished.observation).into());
            }
        }
        Ok(())
    };
    for (runaways, millicores) in [(1, 900), (3, 300), (9, 100)] {
        let (mut alone, mut beside) = (Vec::new(), Vec::new());
        let others = Others::watch();
        for _ in 0..ROUNDS {
            calls(&mut alone)?;
            let cancels: Vec<_> = (0..runaways)
                .map(|_| {
                    let bad = quota(millicores, Bytes::mib(16), Duration::from_secs(60));
                    let made = call(&hostile, "spin", &json!({}))?;
                    let (cancel, grant) = (made.cancel.clone(), house.account.try_reserve(bad)?);
                    let sandbox = house.sandbox.clone();
                    Ok((cancel, server.spawn(async move { sandbox.call(grant, made).await })))
                })
                .collect::<Result<_, Box<dyn std::error::Error>>>()?;
            std::thread::sleep(Duration::from_millis(50));
            calls(&mut beside)?;
            for (cancel, ended) in cancels {
                cancel.cancel();
                drop(runtime.block_on(ended)?);
            }
        }
        let (alone, beside) = (Sorted::new(alone), Sorted::new(beside));
        println!("beside {runaways} runaways of {millicores}m each (others used {:.2} cores):", others.cores());
        for q in [0.5, 0.95, 0.99] {
            let (a, b) = (alone.quantile(q), beside.quantile(q));
            println!(
                "  p{:.0} {a:.3} ms alone, {b:.3} ms beside: {:.3} × (n {} each)",
                q * 100.0,
                b / a,
                ROUNDS * CALLS
            );
        }
    }
    Ok(())
}
