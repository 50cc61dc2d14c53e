//! `tool replay`: a recorded call once more, and what is different.

use super::{
    output::{note, say},
    tool::one,
};
use crate::{
    place::Place,
    recording::{Recording, Recordings, differences},
    tools,
};
use anyhow::{Context as _, bail};
use serde_json::json;
use std::process::ExitCode;
use tomas_core::{amount::Bytes, observation::Usage};

/// Most recordings listed.
const LISTED: usize = 50;

/// Runs a recorded call again, `times` times, or lists the recordings.
///
/// # Errors
/// When there is no such recording, its tool is gone or another, or the call comes out differently.
pub fn run(place: &Place, id: Option<&str>, times: u32, as_json: bool) -> anyhow::Result<ExitCode> {
    let recordings = Recordings::new(&place.store_folder());
    let Some(id) = id else { return list(&recordings) };
    let recording = recordings.read(id)?;
    let sandbox = place.sandbox()?;
    let component = match &recording.path {
        Some(path) => sandbox.load_file(path).with_context(|| format!("`{}` does not load", path.display()))?,
        None => tools::pick(&place.tools(&sandbox)?, recording.tool.as_str())?.load(&sandbox)?.0,
    };
    let recorded = &recording.observation;
    let mut different = 0;
    for _ in 0..times.max(1) {
        let (call, tape) = recordings.call(&recording, component.clone())?;
        let replayed = one(&sandbox, recorded.quota, call)?.observation;
        let mut found = differences(recorded, &replayed);
        found.extend(tape.diverged().map(|how| format!("path: {how}")));
        different += u32::from(!found.is_empty());
        if as_json {
            let usage = json!({ "recorded": recorded.usage, "replayed": replayed.usage });
            say(&serde_json::to_string_pretty(&json!({ "id": id, "differences": found, "usage": usage }))?)?;
        } else {
            let verdict = if found.is_empty() { "identical".to_owned() } else { found.join("\n") };
            say(&format!("{verdict}\n{}", compared(&recorded.usage, &replayed.usage)))?;
        }
    }
    if different > 0 {
        bail!(
            "{different} of {} replays of `{}` differ from the recording\n\
             hint: time and CPU quotas end calls at other places each time; files of a folder are read as they are now",
            times.max(1),
            recording.tool
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Usage then and now, side by side.
fn compared(then: &Usage, now: &Usage) -> String {
    let row = |what: &str, then: f64, now: f64| {
        format!("  {what:<14} {then:>12.3} {now:>12.3}  {:>6.2}x", now / then.max(1e-9))
    };
    let memory = |usage: &Usage| Bytes(usage.peak_memory_bytes).gib() * 1024.0;
    [
        format!("  {:<14} {:>12} {:>12}", "", "recorded", "replayed"),
        row("CPU ms", then.cpu_ms, now.cpu_ms),
        row("wall ms", then.wall_ms, now.wall_ms),
        row("memory MiB", memory(then), memory(now)),
    ]
    .join("\n")
}

fn list(recordings: &Recordings) -> anyhow::Result<ExitCode> {
    let ids = recordings.list()?;
    if ids.is_empty() {
        note(
            "there are no recordings\nhint: `tool run --record` makes one; `record = true` under [session] of host.toml records all calls",
        );
    }
    for id in ids.iter().take(LISTED) {
        match recordings.read(id) {
            Ok(Recording { tool, arguments, observation, .. }) => {
                let arguments: String = arguments.chars().take(60).collect();
                say(&format!("{id}  {tool:<16}  {:<18}  {arguments}", observation.outcome.name()))?;
            }
            Err(error) => note(&format!("{id}  {error:#}")),
        }
    }
    if ids.len() > LISTED {
        note(&format!("{} older ones are not shown", ids.len() - LISTED));
    }
    Ok(ExitCode::SUCCESS)
}
