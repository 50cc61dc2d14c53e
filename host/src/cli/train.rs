//! `train`.

use super::output::say;
use crate::place::Place;
use clap::Args;
use std::{
    io::{IsTerminal as _, stderr},
    path::PathBuf,
    process::ExitCode,
};
use tomas_trainer::recipe::{config::TrainConfig, supervised};

const EXAMPLES: &str = "\
Example:
  tomas-host registry build && tomas-host data build && tomas-host train --config configs/train/default.toml

An interrupted run goes on where it saved its state last: give the same command again.";

/// Fit the planner on built data: resumable, reproducible from the seed in its configuration.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// What to train, on what, for how long; below the root unless absolute
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// Trains, and prints the folder of the checkpoint.
///
/// # Errors
/// When configuration, data or registry are refused, the loss diverges, or the disk does not take the state.
pub fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let config = TrainConfig::read(&place.at(&arguments.config), &place.root)?;
    let checkpoint = supervised::train(&config, !stderr().is_terminal())?;
    say(&checkpoint.display().to_string())?;
    Ok(ExitCode::SUCCESS)
}
