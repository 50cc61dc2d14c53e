//! `tool list | show | run | check`.

use super::{
    budget::Budget,
    output::{note, say},
};
use crate::{
    inputs::{Inputs, check_name},
    place::{self, Place},
    profile::grid::Subject,
    tools::{self, Found},
};
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};
use tomas_core::{
    accountant::{Accountant, Limits},
    amount::{Bytes, MilliCpu},
    observation::Outcome,
    quota::Quota,
    resource::Resources,
};
use tomas_sandbox::{Call, Finished, Sandbox};

/// No budget but the tool's own ceiling.
const UNLIMITED: Resources =
    Resources { cpu: MilliCpu(u32::MAX), memory: Bytes(u64::MAX), gpu_sms: u32::MAX, gpu_memory: Bytes(u64::MAX) };

/// What to do with tools.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the tools on disk
    List,
    /// Show a tool's description, schemas, permissions and ceiling
    Show {
        /// Which tool
        name: String,
    },
    /// Call a tool with arguments of your own, without a planner
    #[command(
        after_help = "Example:\n  tomas-host tool run units '{\"quantity\": \"26.2 miles\", \"to\": \"km\"}' --cpu 250m --memory 16MiB"
    )]
    Run(RunArguments),
    /// Load a component in the limited compiler, say what it exports, and try its samples
    Check {
        /// A `.wasm` file, or a folder with a tool.toml
        path: PathBuf,
    },
}

/// Arguments of `tool run`.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// Which tool
    name: String,
    /// The arguments, a JSON object
    #[arg(default_value = "{}")]
    arguments: String,
    #[command(flatten)]
    budget: Budget,
    /// A file that the arguments name as `blob:FILENAME`; may be repeated
    #[arg(long, value_name = "FILE")]
    attach: Vec<PathBuf>,
    /// A folder that the tool may read
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Folder for files that the tool writes
    #[arg(long, default_value = ".", value_name = "DIR")]
    out: PathBuf,
    /// Print result, usage and outcome as JSON
    #[arg(long)]
    json: bool,
}

/// Runs a tool command.
///
/// # Errors
/// When a tool is not there or does not load, arguments are refused, or a file cannot be read or written.
pub fn run(place: &Place, command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::List => list(place),
        Command::Show { name } => show(place, &name),
        Command::Run(arguments) => call(place, &arguments),
        Command::Check { path } => check(place, &path),
    }
}

fn list(place: &Place) -> anyhow::Result<ExitCode> {
    let lines: Vec<String> = place
        .found()?
        .iter()
        .map(|f| {
            let missing = if f.component.is_some() { "" } else { " (no component; build guest-tools)" };
            format!("{:<16} {}{missing}", f.manifest.name.as_str(), f.manifest.description)
        })
        .collect();
    say(&lines.join("\n"))?;
    Ok(ExitCode::SUCCESS)
}

fn show(place: &Place, name: &str) -> anyhow::Result<ExitCode> {
    let found = place.found()?;
    let (component, tool) = tools::pick(&found, name)?.load(&place.sandbox()?)?;
    let shown = json!({
        "name": tool.name(),
        "description": tool.description(),
        "parameters": tool.export.parameters,
        "result": tool.export.result,
        "size": tool.manifest.size,
        "ceiling": tool.manifest.quota.ceiling,
        "permissions": tool.manifest.permissions,
        "samples": tool.manifest.samples.len(),
        "component": { "digest": tool.component, "bytes": component.bytes() },
    });
    say(&serde_json::to_string_pretty(&shown)?)?;
    Ok(ExitCode::SUCCESS)
}

fn call(place: &Place, arguments: &RunArguments) -> anyhow::Result<ExitCode> {
    let parsed: Value = serde_json::from_str(&arguments.arguments)
        .context("the arguments are not JSON\nhint: write an object such as '{\"expression\": \"1 + 1\"}'")?;
    if !parsed.is_object() {
        bail!("the arguments are `{parsed}`, a JSON object is wanted\nhint: write '{{\"expression\": \"1 + 1\"}}'");
    }
    let mut inputs = Inputs::default();
    for path in &arguments.attach {
        inputs.attach_file(path, place.config.session.attachments)?;
    }
    if let Some(folder) = &arguments.folder {
        inputs.grant_folder(folder)?;
    }
    let found = place.found()?;
    let sandbox = place.sandbox()?;
    let found = tools::pick(&found, &arguments.name)?;
    let (component, tool) = found.load(&sandbox)?;
    let most = place::ceiling(&place.config.quota, &tool, &UNLIMITED);
    let budget = arguments.budget.limits().tighten(&most.resources()).context("the budget is refused")?;
    let quota = place::ceiling(&place.config.quota, &tool, &budget);
    let mut call = Call::new(component, tool.name().clone(), serde_json::to_string(&parsed)?);
    call.permissions = tool.manifest.permissions;
    call.blobs.clone_from(&inputs.blobs);
    call.workspace = inputs.folder;
    let finished = one(&sandbox, quota, call)?;
    report(&finished, arguments)
}

/// Runs one call under a quota of its own.
fn one(sandbox: &Sandbox, quota: Quota, call: Call) -> anyhow::Result<Finished> {
    let account = Accountant::new(quota.resources(), 1).open(&Limits::default())?;
    Ok(sandbox.call_blocking(account.try_reserve(quota)?, call)?)
}

fn report(finished: &Finished, arguments: &RunArguments) -> anyhow::Result<ExitCode> {
    let observation = &finished.observation;
    if arguments.json {
        say(&serde_json::to_string_pretty(observation)?)?;
    } else if observation.outcome == Outcome::Ok {
        say(&observation.text())?;
    } else {
        note(&format!("error: {}: {}", observation.outcome.name(), observation.text()));
    }
    let usage = &observation.usage;
    note(&format!(
        "{}: {:.3} ms CPU, {:.3} ms wall ({:.3} ms throttled), {} bytes of memory at most",
        observation.outcome.name(),
        usage.cpu_ms,
        usage.wall_ms,
        usage.throttled_ms,
        usage.peak_memory_bytes
    ));
    for (name, bytes) in &finished.written {
        let path = save(&arguments.out, name, bytes)?;
        note(&format!("wrote {}", path.display()));
    }
    Ok(if observation.outcome == Outcome::Ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Writes what a tool made into a folder, under a name that is not taken: `photo.png`, then `photo-1.png`.
///
/// # Errors
/// When the name is no plain file name, or the disk does not take it.
pub fn save(folder: &Path, name: &str, bytes: &[u8]) -> anyhow::Result<PathBuf> {
    check_name(name)?;
    let (stem, extension) = name.rsplit_once('.').map_or((name, String::new()), |(s, e)| (s, format!(".{e}")));
    let names = std::iter::once(name.to_owned()).chain((1..).map(|n| format!("{stem}-{n}{extension}")));
    let free = names.map(|n| folder.join(n)).find(|p| p.symlink_metadata().is_err());
    let path = free.unwrap_or_else(|| folder.join(name));
    crate::files::replace(&path, bytes)?;
    Ok(path)
}

fn check(place: &Place, path: &Path) -> anyhow::Result<ExitCode> {
    let sandbox = place.sandbox()?;
    if !path.is_dir() {
        let component = sandbox.load_file(path)?;
        let exports: Vec<Value> = component.exports().iter().map(|e| json!(e)).collect();
        say(&serde_json::to_string_pretty(
            &json!({ "digest": component.digest(), "bytes": component.bytes(), "exports": exports }),
        )?)?;
        note("ok: it loads. Add a tool.toml to register it");
        return Ok(ExitCode::SUCCESS);
    }
    let found = Found::read(path)?;
    let scratch = tempfile::tempdir()?;
    let subject = Subject::load(&found, &sandbox, scratch.path())?;
    let mut failed = 0;
    for case in &subject.cases {
        let tool = &subject.tool;
        let quota = place::ceiling(&place.config.quota, tool, &UNLIMITED);
        let mut call =
            Call::new(subject.component.clone(), tool.name().clone(), serde_json::to_string(&case.arguments)?);
        call.permissions = tool.manifest.permissions;
        call.blobs.clone_from(&case.inputs.blobs);
        call.workspace.clone_from(&case.inputs.folder);
        let observation = one(&sandbox, quota, call)?.observation;
        failed += usize::from(observation.outcome != Outcome::Ok);
        let text: String = observation.text().chars().take(160).collect();
        let (outcome, cpu) = (observation.outcome.name(), observation.usage.cpu_ms);
        say(&format!("{}: {outcome}, {cpu:.2} ms CPU: {text}", case.name))?;
    }
    if failed > 0 {
        bail!(
            "{failed} of {} samples of `{}` fail under its own ceiling\nhint: see above",
            subject.cases.len(),
            found.manifest.name
        );
    }
    say(&format!(
        "ok: `{}` loads, belongs to its manifest, and answers {} samples",
        found.manifest.name,
        subject.cases.len()
    ))?;
    Ok(ExitCode::SUCCESS)
}
