//! CPU time measured, over the CPU time that the quota allows.

use crate::{
    Outcome,
    house::{House, call, quota},
    statistics::{Others, Sorted},
};
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tomas_core::{amount::Bytes, observation::Usage};
use tomas_sandbox::LoadedComponent;

/// How long each tool spins.
const TIME: Duration = Duration::from_millis(2000);

/// Below how many cores of other processes a round is quiet.
const QUIET: f64 = 0.1;

/// Repetitions.
const ROUNDS: usize = 3;

pub(crate) fn measure() -> Outcome {
    let house = House::new()?;
    let hostile = house.load("hostile")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    println!("CPU time / quota; [cores used by other processes meanwhile]; a round counts as quiet below {QUIET}");
    for (tool, what) in [("spin", "computing"), ("flood_progress", "calling the host")] {
        for cpu in [100, 250, 500, 1000] {
            // Alone, and beside four that take all they get: with a tenth of two cores to spare, and with none.
            for (neighbours, total) in [(0, 0), (4, 1800), (4, 2000)] {
                let share = (u32::max(total, cpu) - cpu) / 4;
                let quotas: Vec<u32> = std::iter::once(cpu).chain((0..neighbours).map(|_| share)).collect();
                let mut rounds = Vec::new();
                for _ in 0..ROUNDS {
                    let others = Others::watch();
                    let usages = runtime.block_on(together(&house, &hostile, tool, &quotas))?;
                    let each = usages.iter().zip(&quotas).map(|(usage, quota)| ratio(usage, *quota)).collect();
                    rounds.push((others.cores(), each));
                }
                println!("{what}, {cpu}m, {neighbours} neighbours of {share}m:");
                report("all rounds", &rounds);
                rounds.retain(|(others, _)| *others < QUIET);
                report("quiet rounds", &rounds);
            }
        }
    }
    Ok(())
}

fn report(what: &str, rounds: &[(f64, Vec<f64>)]) {
    if rounds.is_empty() {
        return println!("  {what}: none");
    }
    let first = Sorted::new(rounds.iter().filter_map(|(_, each)| each.first().copied()).collect());
    let rest: Vec<f64> = rounds.iter().flat_map(|(_, each)| each.iter().skip(1).copied()).collect();
    let others = Sorted::new(rounds.iter().map(|(others, _)| *others).collect());
    println!("  {what}: {} [{:.2}]", first.show(""), others.quantile(0.5));
    if !rest.is_empty() {
        println!("    neighbours {}", Sorted::new(rest).show(""));
    }
}

/// Of the wall time that the tool ran, not of the time that it was asked to run.
fn ratio(usage: &Usage, millicores: u32) -> f64 {
    usage.cpu_ms / usage.wall_ms / (f64::from(millicores) / 1000.0)
}

async fn together(
    house: &House,
    hostile: &Arc<LoadedComponent>,
    tool: &str,
    quotas: &[u32],
) -> Result<Vec<Usage>, Box<dyn std::error::Error>> {
    let calls = quotas.iter().map(|cpu| async move {
        let grant = house.account.reserve(quota(*cpu, Bytes::mib(16), TIME)).await?;
        let call = call(hostile, tool, &json!({ "n": u64::MAX }))?;
        Ok(house.sandbox.call(grant, call).await?.observation.usage)
    });
    futures::future::join_all(calls).await.into_iter().collect()
}
