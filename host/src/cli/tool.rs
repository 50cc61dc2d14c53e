//! `tool list | show | run`, and the way to the other commands about tools.

use super::{
    author,
    budget::Budget,
    check, distribute,
    files::Files,
    lock,
    output::{note, say},
    replay, sign,
};
use crate::{
    inputs::check_name,
    kept::Kept,
    place::{self, Place},
    recording::Recordings,
    tools::{self, Folder, Found},
};
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};
use tomas_authoring::Language;
use tomas_core::{
    accountant::{Accountant, Limits},
    amount::{Bytes, MilliCpu},
    observation::Outcome,
    quota::Quota,
    resource::Resources,
};
use tomas_sandbox::{Call, Finished, Sandbox};

/// No budget but the tool's own ceiling.
pub(super) const UNLIMITED: Resources =
    Resources { cpu: MilliCpu(u32::MAX), memory: Bytes(u64::MAX), gpu_sms: u32::MAX, gpu_memory: Bytes(u64::MAX) };

const NEW: &str = "\
Example:
  tomas-host tool new count-words --lang python
  tomas-host tool build count-words
  tomas-host tool run ./count-words '{\"text\": \"ha\", \"times\": 3}'";

const REPLAY: &str = "\
Example:
  tomas-host tool run units '{\"quantity\": \"26.2 miles\", \"to\": \"km\"}' --record
  tomas-host tool replay 5f0c2a9e1b7d4c33

Clocks, randomness and what servers answered come from the recording, which lies beside the sessions, readable by you alone.";

const SHARE: &str = "\
Example:
  tomas-host tool key ada      # writes ada.key, prints the public key
  tomas-host tool sign ./count-words --key ada.key
  tomas-host tool push ./count-words ghcr.io/ada/count-words:1.0
  tomas-host tool pull ghcr.io/ada/count-words:1.0 --into ./tools";

/// What to do with tools.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the tools on disk
    List,
    /// Show a tool's description, schemas, permissions and ceiling
    Show {
        /// Which tool: its name, a folder with a tool.toml, or a component such as ./greet.wasm or tools.wasm#shout
        name: String,
    },
    /// Call a tool with arguments of your own, without a planner
    #[command(
        after_help = "Example:\n  tomas-host tool run units '{\"quantity\": \"26.2 miles\", \"to\": \"km\"}' --cpu 250m --memory 16MiB"
    )]
    Run(RunArguments),
    /// Make a folder with a new tool that builds and runs, to be changed into yours
    #[command(after_help = NEW)]
    New {
        /// What it is called: lower-case words joined by `-`
        name: String,
        /// rust, javascript, python or c
        #[arg(long, default_value = "rust", value_name = "LANGUAGE")]
        lang: Language,
        /// The folder [default: the name]
        #[arg(long, value_name = "DIR")]
        into: Option<PathBuf>,
    },
    /// Build a tool's component from its source: Cargo.toml, tool.js, tool.py or tool.c
    Build {
        /// The tool's folder
        #[arg(default_value = ".")]
        folder: PathBuf,
    },
    /// Run a recorded call again and compare outcome and usage, or list the recordings
    #[command(after_help = REPLAY)]
    Replay {
        /// Which recording [default: list them]
        id: Option<String>,
        /// How often
        #[arg(long, default_value_t = 1, value_name = "N")]
        times: u32,
        /// Print differences and usage as JSON
        #[arg(long)]
        json: bool,
    },
    /// Check a tool: contract, imports, size, permissions and quota; and try its samples
    Check {
        /// A folder with a tool.toml, or a `.wasm` file
        #[arg(default_value = ".")]
        path: PathBuf,
    },
    /// Build and check a tool whenever a file of its folder changes; running hosts take up the new component
    Watch {
        /// The tool's folder
        #[arg(default_value = ".")]
        folder: PathBuf,
    },
    /// Pull a tool from an OCI registry into a folder of tools; nothing of it is compiled
    #[command(after_help = SHARE)]
    Pull(distribute::PullArguments),
    /// Push a tool, or a component alone, to an OCI registry
    #[command(after_help = SHARE)]
    Push(distribute::PushArguments),
    /// Make a pair of keys: the private one into a file, the public one on standard output
    #[command(after_help = SHARE)]
    Key {
        /// Whose it is: letters, digits, `_`, `.` and `-`
        name: String,
        /// The private key's file, which must not exist [default: NAME.key]
        #[arg(long, value_name = "FILE")]
        into: Option<PathBuf>,
    },
    /// Sign a tool as it is now, into `tool.sig` beside its tool.toml
    #[command(after_help = SHARE)]
    Sign {
        /// The tool's folder
        folder: PathBuf,
        /// The private key's file
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
    /// Say whose signature a tool carries; fails unless it is good, and of a key in `[trust] keys` where there are any
    Verify {
        /// The tool's folder
        #[arg(default_value = ".")]
        folder: PathBuf,
    },
    /// Write tools.lock into folders of tools: what is not listed there, or changes, does not load any more
    #[command(after_help = "Example:\n  tomas-host tool lock && tomas-host tool lock --check")]
    Lock {
        /// The folders of tools [default: those of `[paths] tools`]
        folders: Vec<PathBuf>,
        /// Only compare, and fail where something differs
        #[arg(long)]
        check: bool,
    },
}

/// Arguments of `tool run`.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// Which tool: its name, a folder with a tool.toml, or a component such as ./greet.wasm or tools.wasm#shout
    name: String,
    /// The arguments, a JSON object
    #[arg(default_value = "{}")]
    arguments: String,
    #[command(flatten)]
    budget: Budget,
    #[command(flatten)]
    files: Files,
    /// Folder for files that the tool writes
    #[arg(long, default_value = ".", value_name = "DIR")]
    out: PathBuf,
    /// Print result, usage and outcome as JSON
    #[arg(long)]
    json: bool,
    /// Record the call, so that `tool replay` can run it again
    #[arg(long)]
    record: bool,
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
        Command::New { name, lang, into } => author::new(&name, lang, into.as_deref()),
        Command::Build { folder } => author::build(place, &folder),
        Command::Replay { id, times, json } => replay::run(place, id.as_deref(), times, json),
        Command::Check { path } => check::check(place, &path),
        Command::Watch { folder } => author::watch(place, &folder),
        Command::Pull(arguments) => distribute::pull(place, &arguments),
        Command::Push(arguments) => distribute::push(place, &arguments),
        Command::Key { name, into } => sign::key(&name, into.as_deref()),
        Command::Sign { folder, key } => sign::sign(place, &folder, &key),
        Command::Verify { folder } => sign::verify(place, &folder),
        Command::Lock { folders, check } => lock::lock(place, &folders, check),
    }
}

fn list(place: &Place) -> anyhow::Result<ExitCode> {
    let sandbox = place.sandbox()?;
    let line = |found: &Found| {
        let said = match (&found.component, found.manifest.description.as_str()) {
            (None, description) => format!("{description} (no component; see `tool build`)"),
            (Some(_), "") => found.describe(&sandbox).map_or_else(hindrance, |tool| tool.description().to_owned()),
            (Some(_), description) => found.bytes(&sandbox).map_or_else(hindrance, |_| description.to_owned()),
        };
        format!("{:<16} {}", found.manifest.name.as_str(), said.lines().next().unwrap_or_default())
    };
    let lines: Vec<String> = place.tools(&sandbox)?.iter().map(line).collect();
    say(&lines.join("\n"))?;
    Ok(ExitCode::SUCCESS)
}

fn hindrance(error: anyhow::Error) -> String {
    format!("({})", format!("{error:#}").lines().next().unwrap_or_default())
}

fn show(place: &Place, name: &str) -> anyhow::Result<ExitCode> {
    let sandbox = place.sandbox()?;
    let (component, tool) = named(place, &sandbox, name)?.load(&sandbox)?;
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
    let inputs = arguments.files.inputs(place.config.session.attachments)?;
    let sandbox = place.sandbox()?;
    let found = named(place, &sandbox, &arguments.name)?;
    let (component, tool) = found.load(&sandbox)?;
    let most = place::ceiling(&place.config.quota, &tool, &UNLIMITED);
    let budget = arguments.budget.limits().tighten(&most.resources()).context("the budget is refused")?;
    let quota = place::ceiling(&place.config.quota, &tool, &budget);
    let mut call = tools::call(component, &tool, serde_json::to_string(&parsed)?);
    call.blobs.clone_from(&inputs.blobs);
    call.workspace = inputs.workspace();
    call.keyvalue = Kept::new(place.config.session.kept).of(&tool);
    let by_path = arguments.name.contains('/') || arguments.name.contains('.');
    let pending = arguments.record.then(|| Recordings::begin(&mut call, &tool, quota));
    let pending = match (pending, &found.component) {
        (Some(pending), Some(path)) if by_path => Some(pending.at(path)),
        (pending, _) => pending,
    };
    let finished = one(&sandbox, quota, call)?;
    if let Some(pending) = pending {
        let id = Recordings::new(&place.store_folder()).end(pending, &finished)?;
        note(&format!("recorded as {id}"));
    }
    report(&finished, arguments)
}

/// The tool of a name: one on disk, or a folder or component of any place, as in `./greet.wasm` or
/// `target/tools.wasm#shout`.
fn named(place: &Place, sandbox: &Sandbox, name: &str) -> anyhow::Result<Found> {
    let (path, export) = name.split_once('#').map_or((name, None), |(path, export)| (path, Some(export)));
    let path = Path::new(path);
    if path.is_dir() && path.join("tool.toml").is_file() && name.contains('/') {
        return Found::read(path);
    }
    if path.extension().is_none_or(|extension| extension != "wasm") {
        return tools::pick(&place.tools(sandbox)?, name).cloned();
    }
    let found = Found::alone(path, &Folder::open(path), sandbox)?;
    match (found.as_slice(), export) {
        ([only], None) => Ok(only.clone()),
        (_, Some(export)) if let Some(found) = found.iter().find(|f| f.manifest.entry().as_str() == export) => {
            Ok(found.clone())
        }
        _ => {
            let names = found.iter().map(|f| format!("`{}#{}`", path.display(), f.manifest.entry()));
            bail!("which export?\nhint: there are {}", names.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Runs one call under a quota of its own.
///
/// # Errors
/// When the host is at fault.
pub(super) fn one(sandbox: &Sandbox, quota: Quota, call: Call) -> anyhow::Result<Finished> {
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
