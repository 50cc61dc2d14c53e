//! `tool check`: what an author should know before anybody else finds out.

use super::{
    output::say,
    tool::{UNLIMITED, one},
};
use crate::{
    kept::Kept,
    place::{self, Place},
    profile::grid::Subject,
    tools::{self, Found},
};
use anyhow::bail;
use serde_json::{Value, json};
use std::{path::Path, process::ExitCode};
use tomas_core::{
    amount::Bytes,
    manifest::{FileAccess, Manifest},
    observation::{Observation, Outcome},
};
use tomas_sandbox::LoadedComponent;

/// Components above this take seconds to compile when they are first seen.
const LARGE: Bytes = Bytes::mib(8);

/// Checks a tool's folder, or says what a component is.
///
/// # Errors
/// When it does not load, does not belong to its manifest, or a sample fails under the tool's own ceiling.
pub fn check(place: &Place, path: &Path) -> anyhow::Result<ExitCode> {
    let sandbox = place.sandbox()?;
    if !path.is_dir() {
        let component = sandbox.load_file(path)?;
        let exports: Vec<Value> = component.exports().iter().map(|e| json!(e)).collect();
        say(&serde_json::to_string_pretty(&json!({
            "digest": component.digest(),
            "bytes": component.bytes(),
            "imports": component.imports(),
            "exports": exports,
        }))?)?;
        super::output::note(
            "ok: it loads, and can be called as it is. A tool.toml gives it a ceiling, permissions and samples",
        );
        return Ok(ExitCode::SUCCESS);
    }
    let found = Found::read(path)?;
    let scratch = tempfile::tempdir()?;
    let subject = Subject::load(&found, &sandbox, scratch.path())?;
    let tool = &subject.tool;
    say(&format!("contract: `{}` is the export `{}`: {}", tool.name(), tool.entry(), tool.description().trim()))?;
    let (mut failed, mut peak) = (0, 0);
    let quota = place::ceiling(&place.config.quota, tool, &UNLIMITED);
    for case in &subject.cases {
        let mut call = tools::call(subject.component.clone(), tool, serde_json::to_string(&case.arguments)?);
        call.blobs.clone_from(&case.inputs.blobs);
        call.workspace = case.inputs.workspace();
        call.keyvalue = Kept::new(place.config.session.kept).of(tool);
        let observation = one(&sandbox, quota, call)?.observation;
        failed += usize::from(observation.outcome != Outcome::Ok);
        peak = peak.max(observation.usage.peak_memory_bytes);
        say(&sample(&case.name, &observation))?;
    }
    for warning in warnings(&found.manifest, &subject.component, peak) {
        say(&format!("warning: {warning}"))?;
    }
    let count = subject.cases.len();
    if failed > 0 {
        bail!("{failed} of {count} samples of `{}` fail under its own ceiling\nhint: see above", tool.name());
    }
    say(&format!("ok: `{}` loads, belongs to its manifest, and answers {count} samples", tool.name()))?;
    Ok(ExitCode::SUCCESS)
}

fn sample(name: &str, observation: &Observation) -> String {
    let text: String = observation.text().chars().take(160).collect();
    let usage = &observation.usage;
    format!(
        "{name}: {}, {:.2} ms CPU, {} of memory: {text}",
        observation.outcome.name(),
        usage.cpu_ms,
        Bytes(usage.peak_memory_bytes.next_multiple_of(1 << 10))
    )
}

/// What works but deserves a look. `peak` is the most memory that a sample took, 0 without samples.
fn warnings(manifest: &Manifest, component: &LoadedComponent, peak: u64) -> Vec<String> {
    let imports = |package: &str| component.imports().iter().find(|import| import.starts_with(package));
    let permissions = &manifest.permissions;
    let ceiling = manifest.quota.ceiling.memory;
    let mut all = Vec::new();
    if manifest.samples.is_empty() {
        all.push("there are no [[samples]]: it cannot be profiled, so no planner can learn when to call it".to_owned());
    }
    if manifest.description.trim().len() < 20 && component.exports().iter().all(|e| e.description.len() < 20) {
        all.push("its description says little; planners choose tools by what they say of themselves".to_owned());
    }
    if component.bytes() > LARGE.0 {
        all.push(format!(
            "the component has {}; above {LARGE} it takes seconds to compile when it is first seen",
            Bytes(component.bytes().next_multiple_of(1 << 20))
        ));
    }
    match imports("wasi:filesystem/") {
        None if permissions.files != FileAccess::None => {
            all.push("it may use files, but imports nothing that could; drop `files` from [permissions]".to_owned());
        }
        _ => {}
    }
    if permissions.random && imports("wasi:random/").is_none() {
        all.push("it may use randomness, but imports none; drop `random` from [permissions]".to_owned());
    }
    if permissions.clock && imports("wasi:clocks/").is_none() {
        all.push("it may read clocks, but imports none; drop `clock` from [permissions]".to_owned());
    }
    match (imports("wasi:nn/"), permissions.models.is_empty()) {
        (Some(import), true) => all.push(format!(
            "it imports `{import}`, but may use no model; name those it needs under [permissions]: `models = [\"NAME\"]`"
        )),
        (None, false) => all.push("it may use models, but imports no `wasi:nn`; drop `models` from [permissions]".to_owned()),
        _ => {}
    }
    if let Some(socket) = imports("wasi:sockets/") {
        all.push(format!("it imports `{socket}`; every use of sockets is refused"));
    }
    match (imports("wasi:http/outgoing-handler"), permissions.network.is_empty()) {
        (Some(_), true) => all.push(
            "it can send HTTP requests, but may reach nothing; add `network = [\"host:port\"]` to [permissions]"
                .to_owned(),
        ),
        (None, false) => {
            all.push("it may reach hosts, but imports no HTTP; drop `network` from [permissions]".to_owned())
        }
        _ => {}
    }
    if permissions.keyvalue && imports("wasi:keyvalue/").is_none() {
        all.push("it may keep values, but imports no store; drop `keyvalue` from [permissions]".to_owned());
    }
    if !manifest.config.is_empty() && imports("wasi:config/").is_none() {
        all.push("it is given a [config], but imports nothing that reads one".to_owned());
    }
    if manifest.quota.ceiling.cpu.0 > 1000 && imports("tomas:tool/parallel").is_none() {
        all.push("its ceiling is more than one core, but only `tomas:tool/parallel` can use more".to_owned());
    }
    if peak > ceiling.0 / 10 * 9 {
        all.push(format!("a sample takes nine tenths of the memory ceiling of {ceiling}; a larger input will not fit"));
    }
    all
}
