//! `eval` and `predict`.

use super::output::{bar, note, say};
use crate::{config::PlannerKind, place::Place, planner};
use anyhow::Context as _;
use clap::Args;
use std::{path::PathBuf, process::ExitCode, sync::Arc};
use tomas_core::{
    amount::{Bytes, MilliCpu},
    observation::BlobRef,
    query::Query,
    registry::Registry,
    resource::Resources,
};
use tomas_planner::{
    Planner,
    baseline::{Bm25Planner, Choice},
    local::LocalPlanner,
};
use tomas_trainer::{
    data::{sample::Sample, split::Split, store},
    recipe::{config::TrainConfig, supervised},
    rollout::{
        evaluate::{self, Report},
        people, threshold,
    },
};

const EXAMPLES: &str = "\
Examples:
  tomas-host eval                                      the shipped model on held-out wordings and values
  tomas-host eval --people --mistakes 30               on requests in people's own wording
  tomas-host eval --config configs/train/default.toml --tune
                                                       a run's checkpoint; chooses its threshold of `no tool` first";

/// Judge a planner and both baselines on development data, with n and 95 % intervals.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct EvalArguments {
    /// Judge the checkpoint of this training run instead of the configured model
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of built data
    #[arg(long, default_value = "runs/data", value_name = "DIR")]
    data: PathBuf,
    /// Judge on data/language/heldout_people.jsonl instead of built development data
    #[arg(long)]
    people: bool,
    /// Judge on the test side: look once
    #[arg(long, conflicts_with = "people")]
    test: bool,
    /// The most samples to take, evenly spread
    #[arg(long, default_value_t = 2000)]
    samples: usize,
    /// Choose the bias of `no tool` on development data first and write it into the checkpoint
    #[arg(long)]
    tune: bool,
    /// Print this many mistakes
    #[arg(long, default_value_t = 0, value_name = "N")]
    mistakes: usize,
    /// Print the reports as JSON
    #[arg(long)]
    json: bool,
}

/// Judges.
///
/// # Errors
/// When data, registry or checkpoint are refused.
pub fn eval(place: &Place, arguments: &EvalArguments) -> anyhow::Result<ExitCode> {
    let registry = place.registry()?;
    let folder = match &arguments.config {
        Some(config) => TrainConfig::read(&place.at(config), &place.root)?.out.join("checkpoint"),
        None => place.at(&place.config.paths.model),
    };
    let mut local = planner::local(&place.config.planner, &folder, &registry)?;
    if arguments.tune {
        tune(place, arguments, &mut local, &folder)?;
    }
    let samples = chosen(place, arguments, &registry)?;
    let baseline = |choice| Bm25Planner::new(Arc::clone(&registry), choice);
    let (fastest, cheapest) = (baseline(Choice::Fastest), baseline(Choice::Cheapest));
    let planners: [&dyn Planner; 3] = [&local, &fastest, &cheapest];
    let mut reports = Vec::new();
    for planner in planners {
        let bar = bar(samples.len() as u64, "eval")?;
        reports.push(evaluate::evaluate(planner, &registry, &samples, || bar.inc(1)));
        bar.finish_and_clear();
    }
    if arguments.json {
        say(&serde_json::to_string_pretty(&reports)?)?;
    } else {
        for report in &reports {
            say(&table(report))?;
        }
    }
    for mistake in reports.iter().take(1).flat_map(|r| &r.mistakes).take(arguments.mistakes) {
        say(mistake)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn chosen(place: &Place, arguments: &EvalArguments, registry: &Arc<Registry>) -> anyhow::Result<Vec<Sample>> {
    let all = if arguments.people {
        let path = place.at("data/language/heldout_people.jsonl".as_ref());
        people::read(&path, registry).with_context(|| format!("`{}` is refused", path.display()))?
    } else {
        store::read(&place.at(&arguments.data), if arguments.test { Split::Test } else { Split::Dev })?
    };
    Ok(store::spread(all, arguments.samples))
}

/// A false call counts this many times a missed tool when the threshold is chosen.
const FALSE_CALL_WEIGHT: f64 = 2.0;

fn tune(
    place: &Place,
    arguments: &EvalArguments,
    local: &mut LocalPlanner,
    folder: &std::path::Path,
) -> anyhow::Result<()> {
    let samples = store::spread(store::read(&place.at(&arguments.data), Split::Dev)?, 1500);
    let bias = threshold::choose(local, &samples, FALSE_CALL_WEIGHT)?;
    local.set_no_tool_bias(bias);
    let path = folder.join("manifest.json");
    let mut manifest: tomas_core::token::CheckpointManifest = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
    manifest.no_tool_bias = bias;
    supervised::write_manifest(folder, &manifest)?;
    note(&format!("bias of `no tool`: {bias:.1}, chosen on {} development samples", samples.len()));
    Ok(())
}

fn table(report: &Report) -> String {
    let by = |map: &std::collections::BTreeMap<String, tomas_trainer::metrics::Rate>| {
        map.iter().map(|(tool, rate)| format!("    {tool:<16} {rate}")).collect::<Vec<_>>().join("\n")
    };
    format!(
        "{}\n  right tool       {}\n{}\n  arguments exact  {}\n{}\n  false call       {}\n  infeasible       {}\n  \
         over the stated budget  {}\n  no plan          {}\n  latency ratio    {:.3} (n = {})\n  planning         p50 {:.1} ms, p95 {:.1} ms\n",
        report.policy,
        report.right_tool,
        by(&report.by_tool),
        report.arguments_exact,
        by(&report.arguments_by_tool),
        report.false_call,
        report.infeasible,
        report.over_stated,
        report.failed,
        report.latency_ratio,
        report.latency_n,
        report.planning_p50_ms,
        report.planning_p95_ms,
    )
}

/// Show what the planner decides for a request, without running anything.
#[derive(Debug, Args)]
pub struct PredictArguments {
    /// The request
    #[arg(long, value_name = "TEXT")]
    input: String,
    /// Names of attachments (`notes.txt`), each counted as 20,000 bytes
    #[arg(long, value_name = "NAME")]
    attach: Vec<String>,
    /// CPU that is free
    #[arg(long, default_value = "2000m")]
    cpu: MilliCpu,
    /// Memory that is free
    #[arg(long, default_value = "1GiB")]
    memory: Bytes,
    /// Which planner [default: the configured one]
    #[arg(long, value_enum)]
    planner: Option<PlannerKind>,
}

/// Predicts, and prints the plan as JSON.
///
/// # Errors
/// When registry or checkpoint are refused, or nothing can be planned.
pub fn predict(place: &Place, arguments: &PredictArguments) -> anyhow::Result<ExitCode> {
    let registry = place.registry()?;
    let kind = arguments.planner.unwrap_or(place.config.planner.kind);
    let planner = planner::open(kind, &place.config.planner, &place.at(&place.config.paths.model), &registry)?;
    let attachments = arguments
        .attach
        .iter()
        .map(|name| BlobRef { name: name.clone(), digest: String::new(), bytes: 20_000, pixels: None })
        .collect();
    let budget = Resources { cpu: arguments.cpu, memory: arguments.memory, gpu_sms: 0, gpu_memory: Bytes(0) };
    let query = Query { text: arguments.input.clone(), attachments, folder_bytes: 0, budget };
    let plan = planner.plan(&query)?;
    say(&serde_json::to_string_pretty(&plan)?)?;
    Ok(ExitCode::SUCCESS)
}
