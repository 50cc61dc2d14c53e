//! A call of a tool that does nothing, with accountant and sandbox and without.

use crate::{
    Outcome,
    bare::Bare,
    house::{House, call, quota},
    statistics::{Sorted, process_time, wall_time},
};
use std::time::Duration;
use tomas_core::amount::Bytes;
use tomas_sandbox::Call;

/// Bare, on the caller's thread, on the pool one by one, and on the pool many at once.
const WAYS: usize = 4;

/// Rounds of each way, alternated.
const ROUNDS: u32 = 41;

/// Calls in a round.
const CALLS: usize = 2000;

/// Calls in flight where many go to the pool at once.
const FLIGHT: usize = 16;

pub(crate) fn measure() -> Outcome {
    let house = House::new()?;
    let noop = house.load("noop")?;
    let bare = Bare::new("noop")?;
    let arguments = serde_json::json!({ "text": "hello" });
    let template = call(&noop, "noop", &arguments)?;
    let text = arguments.to_string();
    let quota = quota(1000, Bytes::mib(16), Duration::from_secs(5));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;

    let fresh = || Call { arguments: text.clone(), cancel: tomas_sandbox::CancelToken::new(), ..template.clone() };
    let alone = || -> Outcome {
        let request = house.account.open(&tomas_core::accountant::Limits::default())?;
        let finished = house.sandbox.call_blocking(request.try_reserve(quota)?, fresh())?;
        check(&finished)
    };
    let pooled = |flight: usize| -> Outcome {
        runtime.block_on(async {
            let calls = (0..flight).map(|_| async {
                let grant = house.account.reserve(quota).await?;
                check(&house.sandbox.call(grant, fresh()).await?)
            });
            futures::future::join_all(calls).await.into_iter().collect()
        })
    };
    let mut spent = [const { Vec::new() }; WAYS];
    for round in 0..=ROUNDS {
        let [a, b, c, d] = &mut spent;
        time(a, round, 1, || bare.call("noop", &text).map(drop).map_err(Into::into))?;
        time(b, round, 1, alone)?;
        time(c, round, 1, || pooled(1))?;
        time(d, round, FLIGHT, || pooled(FLIGHT))?;
    }
    report(&spent);
    Ok(())
}

fn check(finished: &tomas_sandbox::Finished) -> Outcome {
    match finished.observation.outcome {
        tomas_core::observation::Outcome::Ok => Ok(()),
        _ => Err(format!("{:?}", finished.observation).into()),
    }
}

/// Runs [`CALLS`] calls, so many in each `batch`, and keeps CPU and wall time of one in microseconds; the first round is
/// for warming up.
fn time(kept: &mut Vec<(f64, f64)>, round: u32, batch: usize, mut calls: impl FnMut() -> Outcome) -> Outcome {
    let (cpu, wall) = (process_time(), wall_time());
    for _ in 0..CALLS / batch {
        calls()?;
    }
    if round > 0 {
        #[expect(clippy::cast_precision_loss, reason = "a few thousand calls")]
        let each = |begun: f64, now: f64| (now - begun) / CALLS as f64 * 1e6;
        kept.push((each(cpu, process_time()), each(wall, wall_time())));
    }
    Ok(())
}

fn report(spent: &[Vec<(f64, f64)>; WAYS]) {
    let names =
        ["bare wasmtime", "on the caller's thread", "on the pool, one at a time", "on the pool, sixteen in flight"];
    for (name, ours) in names.iter().zip(spent) {
        let cpu = Sorted::new(ours.iter().map(|(cpu, _)| *cpu).collect());
        let wall = Sorted::new(ours.iter().map(|(_, wall)| *wall).collect());
        println!("{name}:");
        println!("  CPU a call  {}", cpu.show("µs"));
        println!("  wall a call {}", wall.show("µs"));
        println!("  calls a second of CPU {:.0}", 1e6 / cpu.quantile(0.5));
        let ratios = ours.iter().zip(&spent[0]).map(|((ours, _), (bare, _))| ours / bare).collect();
        println!("  CPU over bare, round by round {}", Sorted::new(ratios).show("×"));
    }
}
