//! `data build`.

use super::output::{bar, say};
use crate::place::Place;
use anyhow::Context as _;
use clap::Subcommand;
use std::{path::PathBuf, process::ExitCode};
use tomas_trainer::data::{
    build::{self, BuildConfig},
    language::Language,
    overlap, store,
};

/// What to do with data.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Build train, dev and test samples; fails when anything lies on two sides of the split
    Build {
        /// How much of what to build
        #[arg(long, default_value = "configs/data.toml", value_name = "FILE")]
        config: PathBuf,
        /// Folder to write to
        #[arg(long, default_value = "runs/data", value_name = "DIR")]
        out: PathBuf,
    },
}

/// Runs a data command.
///
/// # Errors
/// When configuration, language or registry are refused, the split overlaps, or the disk does not take the files.
pub fn run(place: &Place, command: &Command) -> anyhow::Result<ExitCode> {
    let Command::Build { config, out } = command;
    let (path, out) = (place.at(config), place.at(out));
    let text = std::fs::read_to_string(&path).with_context(|| format!("config `{}` cannot be read", path.display()))?;
    let mut config: BuildConfig =
        toml::from_str(&text).with_context(|| format!("config `{}` is refused", path.display()))?;
    config.language = place.at(&config.language);
    config.public_sets = place.at(&config.public_sets);
    let registry = place.registry()?;
    let language = Language::read(&config.language)?;
    let bar = bar((config.train + config.dev + config.test) as u64, "data")?;
    let samples = build::build(&config, &language, &registry, |n| bar.set_position(n as u64))?;
    bar.finish_and_clear();
    let counts = overlap::check(&samples)?;
    store::write(&out, &samples, &counts)?;
    say(&format!("{}\n{}", out.display(), serde_json::to_string_pretty(&counts)?))?;
    Ok(ExitCode::SUCCESS)
}
