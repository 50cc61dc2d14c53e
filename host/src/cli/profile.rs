//! `profile`.

use super::output::{bar, note, say};
use crate::{
    blobs::Blobs,
    place::Place,
    profile::{
        grid::{self, Subject},
        machine,
        measure::{Bench, Raw},
        plot, recorded, table,
    },
    store::Store,
};
use anyhow::bail;
use clap::Args;
use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};
use tomas_core::observation::Outcome;

const EXAMPLES: &str = "\
Examples:
  tomas-host profile
  tomas-host profile --tools matrix,search --repeats 9

An interrupted run goes on where it stopped: measurements are kept in profiling.raw.jsonl beside the table.";

/// Measure tools under a grid of quotas: every level of CPU and memory for every sample of the manifests.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Only these tools
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    tools: Vec<String>,
    /// How often each sample is measured under each configuration
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    repeats: u32,
    /// Table to write [default: profiling.csv beside the registry]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replay calls that sessions recorded as well, the latest first, up to this many
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "200")]
    from_sessions: Option<usize>,
    /// Forget earlier measurements
    #[arg(long)]
    fresh: bool,
}

/// Measures and writes `profiling.csv`, its raw measurements and its plot.
///
/// # Errors
/// When a tool does not load, a sample is refused, the host is at fault, or the disk does not take the files.
pub fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let out = arguments.out.clone().unwrap_or_else(|| place.profiles_path());
    let raw = out.with_extension("raw.jsonl");
    if arguments.fresh && raw.exists() {
        std::fs::remove_file(&raw)?;
    }
    let (sandbox, levels, machine) = (place.sandbox()?, place.levels()?, machine());
    let scratch = tempfile::tempdir()?;
    let mut subjects = Vec::new();
    for found in place.chosen(&arguments.tools)? {
        let subject = Subject::load(&found, &sandbox, scratch.path())?;
        if subject.cases.is_empty() {
            bail!(
                "tool `{}` has no samples to profile with\nhint: add [[samples]] to its tool.toml",
                found.manifest.name
            );
        }
        subjects.push(subject);
    }
    if let Some(most) = arguments.from_sessions {
        let added = recorded(place, &mut subjects, most)?;
        note(&format!("{added} recorded calls are replayed as well"));
    }
    let cells = grid::cells(&subjects, &levels, arguments.repeats);
    let mut raw = Raw::open(&raw)?;
    let bar = bar(cells.len() as u64, "profile")?;
    let most = place.config.quota;
    let bench = Bench { sandbox: &sandbox, subjects: &subjects, levels: &levels, machine: &machine, most };
    bench.run(&cells, &mut raw, |cell| {
        bar.inc(1);
        bar.set_message(cell.configuration.to_string());
    })?;
    bar.finish_and_clear();

    // Tools that were not measured now keep what they had, unless their component is another one by now.
    let found = place.found()?;
    let digests: BTreeMap<_, _> =
        found.iter().filter_map(|f| Some((f.manifest.name.clone(), digest(f.component.as_deref()?)?))).collect();
    let profiles = table::profiles(raw.all(), &levels, |m| digests.get(&m.tool) == Some(&m.component));
    table::write(&out, &profiles, &levels)?;
    let picture = out.with_extension("svg");
    plot::draw(&picture, &profiles, &levels)?;
    let infeasible = profiles.iter().filter(|p| !p.feasible()).count();
    say(&format!(
        "{}\n{}\n{} configurations, {infeasible} of them infeasible",
        out.display(),
        picture.display(),
        profiles.len()
    ))?;
    warn(&raw);
    Ok(ExitCode::SUCCESS)
}

fn recorded(place: &Place, subjects: &mut [Subject], most: usize) -> anyhow::Result<usize> {
    let folder = place.store_folder();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let store = Store::open(&folder).await?;
        recorded::add(subjects, &store, &Blobs::new(&folder.join("blobs")), most).await
    })
}

fn digest(component: &std::path::Path) -> Option<String> {
    Some(blake3::hash(&std::fs::read(component).ok()?).to_hex().to_string())
}

/// Failures other than of quota are faults of a sample or a tool, which a profile should not hide.
fn warn(raw: &Raw) {
    let quota = [Outcome::Ok, Outcome::MemoryExceeded, Outcome::DeadlineExceeded];
    let mut seen = BTreeMap::new();
    for m in raw.all().iter().filter(|m| !quota.contains(&m.outcome)) {
        seen.entry((m.tool.clone(), m.case.clone())).or_insert(m);
    }
    for ((tool, case), m) in seen {
        let error = m.error.as_deref().unwrap_or_default();
        note(&format!("warning: {case} of `{tool}` ended with `{}`: {error}", m.outcome.name()));
    }
}
