//! A call of a tool that does nothing, with accountant and sandbox and without.

use crate::{
    Outcome,
    bare::Bare,
    house::{House, call, quota},
    statistics::{Sorted, process_time, wall_time},
};
use std::{sync::Arc, time::Duration};
use tomas_core::amount::Bytes;
use tomas_sandbox::Call;

/// Rounds of each of the three ways, alternated.
const ROUNDS: u32 = 41;

/// Calls in a round.
const CALLS: u32 = 2000;

/// Calls in flight where calls go to the pool.
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
    let pooled = || -> Outcome {
        runtime.block_on(async {
            let calls = (0..FLIGHT).map(|_| async {
                let grant = house.account.reserve(quota).await?;
                check(&house.sandbox.call(grant, fresh()).await?)
            });
            futures::future::join_all(calls).await.into_iter().collect()
        })
    };
    let mut spent = [const { Vec::new() }; 3];
    for round in 0..=ROUNDS {
        let [a, b, c] = &mut spent;
        time(a, round, CALLS, || Ok(drop(bare.call("noop", &text)?)))?;
        time(b, round, CALLS, alone)?;
        let flight = u32::try_from(FLIGHT)?;
        time(c, round, CALLS / flight, pooled)?;
        c.iter_mut().last().into_iter().for_each(|(cpu, wall)| {
            *cpu /= f64::from(flight);
            *wall /= f64::from(flight);
        });
    }
    drop(Arc::clone(&noop));
    report(&spent);
    Ok(())
}

fn check(finished: &tomas_sandbox::Finished) -> Outcome {
    match finished.observation.outcome {
        tomas_core::observation::Outcome::Ok => Ok(()),
        _ => Err(format!("{:?}", finished.observation).into()),
    }
}

/// Runs `calls` calls and keeps CPU and wall time of one in microseconds; the first round is for warming up.
fn time(kept: &mut Vec<(f64, f64)>, round: u32, calls: u32, mut call: impl FnMut() -> Outcome) -> Outcome {
    let (cpu, wall) = (process_time(), wall_time());
    for _ in 0..calls {
        call()?;
    }
    if round > 0 {
        let each = |begun: f64, now: f64| (now - begun) / f64::from(calls) * 1e6;
        kept.push((each(cpu, process_time()), each(wall, wall_time())));
    }
    Ok(())
}

fn report(spent: &[Vec<(f64, f64)>; 3]) {
    let names = ["bare wasmtime", "accountant + sandbox, own thread", "accountant + sandbox, pool"];
    for (name, spent) in names.iter().zip(spent) {
        let cpu = Sorted::new(spent.iter().map(|(cpu, _)| *cpu).collect());
        let wall = Sorted::new(spent.iter().map(|(_, wall)| *wall).collect());
        println!("{name}:");
        println!("  CPU a call  {}", cpu.show("µs"));
        println!("  wall a call {}", wall.show("µs"));
        println!("  calls/s of CPU (a core) {:.0}", 1e6 / cpu.quantile(0.5));
    }
    let [bare, alone, pooled] = spent;
    for (name, ours) in [("own thread", alone), ("pool", pooled)] {
        let ratios = ours.iter().zip(bare).map(|((ours, _), (bare, _))| ours / bare).collect();
        println!("CPU ratio, {name} / bare, round by round: {}", Sorted::new(ratios).show("×"));
    }
}
