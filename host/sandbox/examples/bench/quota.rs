//! CPU time measured, over the CPU time that the quota allows.
//!
//! `-- quota WORK` takes one kind of work alone, by how its name begins.

use crate::{
    Outcome,
    house::{House, call, quota},
    statistics::{Others, Sorted},
};
use serde_json::json;
use std::{path::PathBuf, sync::Arc, time::Duration};
use tomas_core::{
    amount::Bytes,
    manifest::FileAccess,
    observation::{self, Usage},
};
use tomas_sandbox::{LoadedComponent, Workspace};

/// How long each tool spins.
const TIME: Duration = Duration::from_millis(2000);

/// Below how many cores of other processes a round is quiet.
const QUIET: f64 = 0.1;

/// Repetitions.
const ROUNDS: usize = 3;

/// What a tool does with its time: words for it, a tool of the fixture, its arguments.
type Work = (&'static str, &'static str, u64, u64);

const COMPUTING: Work = ("computing", "spin", 0, 0);
const CALLING: Work = ("calling the host", "flood_progress", u64::MAX, 0);
const READING: Work = ("reading files", "open_loop", 0, 0);
const FORKING: Work = ("fork-join", "fork", 100_000, 2);

pub(crate) fn measure() -> Outcome {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("a"), [b'x'; 1000])?;
    let bench = Bench { house: House::new()?, folder: folder.path().to_owned() };
    let hostile = bench.house.load("hostile")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    println!("CPU time / quota; [cores used by other processes meanwhile]; a round counts as quiet below {QUIET}");
    let only = std::env::args().nth(2).unwrap_or_default();
    for work in [COMPUTING, CALLING, READING, FORKING].into_iter().filter(|work| work.0.starts_with(&only)) {
        for cpu in [50, 100, 250, 500, 1000, 2000] {
            // One thread cannot use two cores.
            if cpu == 2000 && work != FORKING {
                continue;
            }
            // Alone, and beside four that take all they get: with a tenth of two cores to spare, and with none.
            for total in [0, 1800, 2000] {
                let share = (u32::max(total, cpu) - cpu) / 4;
                let neighbours = [COMPUTING, CALLING, READING, COMPUTING].map(|work| (work, share));
                let beside = if share == 0 { &[][..] } else { &neighbours };
                if total > 0 && beside.is_empty() {
                    continue;
                }
                let tools: Vec<(Work, u32)> = std::iter::once((work, cpu)).chain(beside.iter().copied()).collect();
                let mut rounds = Vec::new();
                for _ in 0..ROUNDS {
                    let others = Others::watch();
                    let usages = runtime.block_on(bench.together(&hostile, &tools))?;
                    let each = usages.iter().zip(&tools).map(|(usage, (_, quota))| ratio(usage, *quota)).collect();
                    rounds.push((others.cores(), each));
                }
                println!("{}, {cpu}m, {} neighbours of {share}m:", work.0, beside.len());
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

struct Bench {
    house: House,
    folder: PathBuf,
}

impl Bench {
    /// Runs tools side by side until their deadline.
    async fn together(
        &self,
        hostile: &Arc<LoadedComponent>,
        tools: &[(Work, u32)],
    ) -> Result<Vec<Usage>, Box<dyn std::error::Error>> {
        let calls = tools.iter().map(|((_, tool, n, work), cpu)| async move {
            let grant = self.house.account.reserve(quota(*cpu, Bytes::mib(64), TIME)).await?;
            let mut call = call(hostile, tool, &json!({ "n": n, "work": work, "path": "/workspace/a" }))?;
            call.permissions.files = FileAccess::Read;
            call.workspace = Some(Workspace { folder: self.folder.clone(), writable: None });
            let observation = self.house.sandbox.call(grant, call).await?.observation;
            match observation.outcome {
                observation::Outcome::DeadlineExceeded => Ok(observation.usage),
                _ => Err(format!("{tool} ended early: {observation:?}").into()),
            }
        });
        futures::future::join_all(calls).await.into_iter().collect()
    }
}
