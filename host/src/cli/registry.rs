//! `registry build | show | check`.

use super::output::{note, say};
use crate::{place::Place, profile::table};
use anyhow::{Context as _, bail};
use clap::Subcommand;
use std::{collections::BTreeMap, process::ExitCode};
use tomas_core::{profile::Profile, registry::Registry};

/// What to do with the registry.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Seal the tools on disk, their configurations and profiling.csv under a digest
    Build {
        /// Only these tools
        #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
        tools: Vec<String>,
    },
    /// Show what is sealed
    Show {
        /// As JSON, with all profiles
        #[arg(long)]
        json: bool,
    },
    /// Check the registry against its digest and the components on disk
    Check,
}

/// Runs a registry command.
///
/// # Errors
/// When tools, profiles and levels do not belong together, or a file cannot be read or written.
pub fn run(place: &Place, command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Build { tools } => build(place, tools)?,
        Command::Show { json } => show(&*place.registry()?, *json)?,
        Command::Check => check(place)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn build(place: &Place, names: &[String]) -> anyhow::Result<()> {
    let (sandbox, levels) = (place.sandbox()?, place.levels()?);
    let mut tools = Vec::new();
    for found in place.chosen(names)? {
        tools.push(found.load(&sandbox)?.1);
    }
    let path = place.profiles_path();
    let mut profiles = if path.is_file() { table::read(&path, &levels)? } else { Vec::new() };
    if profiles.is_empty() {
        note("note: there are no profiles, so planners cannot compare configurations; run `tomas-host profile`");
    }
    if !names.is_empty() {
        profiles.retain(|p| tools.iter().any(|t| *t.name() == p.configuration.tool));
    }
    let registry = Registry::seal(tools, levels, profiles)?;
    let path = place.registry_path();
    crate::files::replace(&path, registry.to_text()?.as_bytes())?;
    say(&format!("{}\n{}", path.display(), summary(&registry)))
}

fn summary(registry: &Registry) -> String {
    let feasible = registry.profiles().iter().filter(|p| p.feasible()).count();
    format!(
        "digest {}\nvocabulary {}\n{} tools, {} configurations, {} profiled, {feasible} of them feasible",
        registry.digest(),
        registry.vocabulary(),
        registry.tools().len(),
        registry.configurations().len(),
        registry.profiles().len(),
    )
}

fn show(registry: &Registry, json: bool) -> anyhow::Result<()> {
    if json {
        return say(registry.to_text()?.trim_end());
    }
    let mut lines = vec![summary(registry)];
    for tool in registry.tools() {
        let mine: Vec<&Profile> = registry.profiles().iter().filter(|p| p.configuration.tool == *tool.name()).collect();
        lines.push(format!("\n{}: {}", tool.name(), tool.description()));
        lines.extend(mine.iter().map(|p| {
            let how = if p.feasible() { String::new() } else { format!("  infeasible: {}", p.outcome.name()) };
            format!("  {:<44} p50 {:>9.3} ms  p95 {:>9.3} ms{how}", p.configuration.to_string(), p.p50_ms, p.p95_ms)
        }));
    }
    say(&lines.join("\n"))
}

fn check(place: &Place) -> anyhow::Result<()> {
    let registry = place.registry()?;
    let found = place.found()?;
    let mut stale: BTreeMap<&str, String> = BTreeMap::new();
    for tool in registry.tools() {
        let path = crate::tools::pick(&found, tool.name().as_str())?.component()?.to_owned();
        let bytes = std::fs::read(&path).with_context(|| format!("component `{}` cannot be read", path.display()))?;
        let digest = blake3::hash(&bytes).to_hex().to_string();
        if digest != tool.component {
            stale.insert(tool.name().as_str(), digest);
        }
    }
    if let Some((name, digest)) = stale.first_key_value() {
        bail!(
            "the component of `{name}` has digest `{digest}`, which is not the registered one ({} of {} differ)\n\
             hint: run `tomas-host profile` and `tomas-host registry build`",
            stale.len(),
            registry.tools().len()
        );
    }
    say(&format!("{}\nevery component on disk is the registered one", summary(&registry)))
}
