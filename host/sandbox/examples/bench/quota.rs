//! CPU time measured, over the CPU time that the quota allows.

use crate::{
    Outcome,
    house::{House, call, quota},
    statistics::Sorted,
};
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tomas_core::{amount::Bytes, observation::Usage};
use tomas_sandbox::LoadedComponent;

/// How long each tool spins.
const TIME: Duration = Duration::from_millis(2500);

/// Repetitions.
const ROUNDS: usize = 5;

pub(crate) fn measure() -> Outcome {
    let house = House::new()?;
    let hostile = house.load("hostile")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for (tool, what) in [("spin", "computing"), ("flood_progress", "calling the host")] {
        for cpu in [100, 250, 500, 1000] {
            for neighbours in [0, 4] {
                // Inside the capacity of two cores: what the tool leaves, shared by four that take all they get.
                let share = (2000 - cpu) / 4;
                let quotas: Vec<u32> = std::iter::once(cpu).chain((0..neighbours).map(|_| share)).collect();
                let mut ratios = Vec::new();
                let mut others = Vec::new();
                let mut unscheduled = Vec::new();
                for _ in 0..ROUNDS {
                    let usages = runtime.block_on(together(&house, &hostile, tool, &quotas))?;
                    let mut each = usages.iter().zip(&quotas).map(|(usage, quota)| ratio(usage, *quota));
                    ratios.extend(each.next());
                    others.extend(each);
                    unscheduled.extend(usages.first().map(|usage| usage.unscheduled_ms / usage.wall_ms * 100.0));
                }
                println!("{what}, {cpu}m, {neighbours} neighbours of {share}m:");
                println!("  CPU / quota {}", Sorted::new(ratios).show(""));
                if neighbours > 0 {
                    println!("  neighbours' {}", Sorted::new(others).show(""));
                }
                println!("  wanted to run but did not {}", Sorted::new(unscheduled).show("% of wall time"));
            }
        }
    }
    Ok(())
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
