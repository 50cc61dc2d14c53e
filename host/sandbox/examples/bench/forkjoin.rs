//! How much faster fork-join is than doing the shards one by one, beside two plain threads.

use crate::{
    Outcome,
    house::{House, call, quota},
    statistics::{Sorted, process_time, wall_time},
};
use serde_json::json;
use std::{hint::black_box, time::Duration};
use tomas_core::amount::Bytes;

/// Shards and the work in each (about milliseconds).
const SHARDS: u64 = 64;
const WORK: u64 = 4;

/// Repetitions, alternated.
const ROUNDS: usize = 15;

pub(crate) fn measure() -> Outcome {
    let house = House::new()?;
    let hostile = house.load("hostile")?;
    let run = |cpu: u32, tool: &str, arguments: serde_json::Value| -> Result<f64, Box<dyn std::error::Error>> {
        let grant = house.account.try_reserve(quota(cpu, Bytes::mib(64), Duration::from_secs(60)))?;
        let begun = wall_time();
        let finished = house.sandbox.call_blocking(grant, call(&hostile, tool, &arguments)?)?;
        let wall = wall_time() - begun;
        match finished.observation.outcome {
            tomas_core::observation::Outcome::Ok => Ok(wall * 1e3),
            _ => Err(format!("{:?}", finished.observation).into()),
        }
    };
    let fork = json!({ "n": SHARDS, "work": WORK });
    let mut kept = [const { Vec::new() }; 5];
    for _ in 0..ROUNDS {
        let [serial, forked, free, one, two] = &mut kept;
        serial.push(run(1000, "fork", fork.clone())?);
        forked.push(run(2000, "fork", fork.clone())?);
        // The quota above the cores there are, so that it never throttles.
        free.push(run(4000, "fork", fork.clone())?);
        one.push(native(1));
        two.push(native(2));
    }
    let kept = kept.map(Sorted::new);
    let names = ["1000m (one by one)", "2000m", "4000m", "native, 1 thread", "native, 2 threads"];
    for (name, kept) in names.iter().zip(&kept) {
        println!("{name}: {}", kept.show("ms"));
    }
    let [serial, forked, _, one, two] = &kept;
    for (q, what) in [(0.0, "fastest"), (0.5, "median")] {
        let of = |a: &Sorted, b: &Sorted| a.quantile(q) / b.quantile(q);
        println!("speed-up, {what}: fork-join {:.2}, two native threads {:.2}", of(serial, forked), of(one, two));
    }
    overhead(&house)
}

/// The work of all shards, on plain threads; wall milliseconds.
fn native(threads: u64) -> f64 {
    let begun = wall_time();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut state = 0x9e37_79b9_7f4a_7c15_u64;
                for round in 0..SHARDS * WORK / threads * 400_000 {
                    state = (state ^ round).wrapping_mul(0xbf58_476d_1ce4_e5b9).rotate_left(27);
                }
                black_box(state)
            });
        }
    });
    (wall_time() - begun) * 1e3
}

/// What eight shards of nothing cost.
fn overhead(house: &House) -> Outcome {
    let hostile = house.load("hostile")?;
    for cpu in [1000, 2000] {
        let mut cost = Vec::new();
        for _ in 0..500 {
            let grant = house.account.try_reserve(quota(cpu, Bytes::mib(64), Duration::from_secs(60)))?;
            let call = call(&hostile, "fork", &json!({ "n": 8, "work": 0 }))?;
            let begun = process_time();
            house.sandbox.call_blocking(grant, call)?;
            cost.push((process_time() - begun) * 1e6);
        }
        println!("8 shards of nothing at {cpu}m: {}", Sorted::new(cost).show("µs of CPU"));
    }
    Ok(())
}
