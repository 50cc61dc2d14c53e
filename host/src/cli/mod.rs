//! The command line. `main` is one match; each command has a file of its own.

pub mod author;
pub mod budget;
pub mod check;
pub mod data;
pub mod distribute;
pub mod eval;
pub mod files;
pub mod lock;
pub mod mcp;
pub mod output;
pub mod profile;
pub mod registry;
pub mod replay;
pub mod run;
pub mod serve;
pub mod sign;
pub mod tool;
pub mod train;

use crate::place::Place;
use clap::{ArgAction, Parser, Subcommand};
use std::{path::PathBuf, process::ExitCode};
use tracing_subscriber::EnvFilter;

const EXAMPLES: &str = "\
Examples:
  tomas-host run \"what is 17.5% of 2,340?\"
  tomas-host serve
  tomas-host tool list
  tomas-host tool run calculator '{\"expression\": \"17.5% of 2,340\"}'
  tomas-host profile --tools calculator,units
  tomas-host registry build
  tomas-host data build

Amounts: `500m` and `0.5` are half a core; `32MiB`, `64MB` and `1.5GiB` are memory; `250ms` and `5s` are times.
Exit status: 0 done, 1 failed, 2 wrong usage.";

/// A host that plans with tools and resources, runs WebAssembly tools under quota, measures, and learns.
#[derive(Debug, Parser)]
#[command(name = "tomas-host", version, after_help = EXAMPLES, max_term_width = 110)]
struct Cli {
    /// Folder that relative paths of the configuration start from [default: the nearest folder above the working
    /// directory that has configs/host.toml, else the checkout the executable was built from]
    #[arg(long, global = true, env = "TOMAS_ROOT", value_name = "DIR")]
    root: Option<PathBuf>,
    /// Configuration file over the shipped defaults [default: configs/host.toml below the root]
    #[arg(long, global = true, env = "TOMAS_CONFIG", value_name = "FILE")]
    host_config: Option<PathBuf>,
    /// Say more on standard error: -v the steps, -vv the log of the host
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer one request
    Run(run::Arguments),
    /// Serve sessions and chat completions over HTTP
    Serve(serve::Arguments),
    /// Offer the tools to an MCP client over standard input and output
    Mcp(mcp::Arguments),
    /// List, show, run, write, check, sign and share tools
    #[command(subcommand)]
    Tool(tool::Command),
    /// Measure tools under a grid of quotas and write profiling.csv
    Profile(profile::Arguments),
    /// Seal tools, configurations and profiles into data/registry.json
    #[command(subcommand)]
    Registry(registry::Command),
    /// Build training data from the language and the registry
    #[command(subcommand)]
    Data(data::Command),
    /// Fit the planner on built data
    Train(train::Arguments),
    /// Judge a planner and both baselines
    Eval(eval::EvalArguments),
    /// Show what the planner decides, without running anything
    Predict(eval::PredictArguments),
}

/// Parses the arguments and runs the command.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    log(cli.verbose);
    let done = Place::find(cli.root.as_deref(), cli.host_config.as_deref()).and_then(|place| match cli.command {
        Command::Run(arguments) => run::run(&place, &arguments, cli.verbose > 0),
        Command::Serve(arguments) => serve::run(&place, &arguments),
        Command::Mcp(arguments) => mcp::run(&place, &arguments),
        Command::Tool(command) => tool::run(&place, command),
        Command::Profile(arguments) => profile::run(&place, &arguments),
        Command::Registry(command) => registry::run(&place, &command),
        Command::Data(command) => data::run(&place, &command),
        Command::Train(arguments) => train::run(&place, &arguments),
        Command::Eval(arguments) => eval::eval(&place, &arguments),
        Command::Predict(arguments) => eval::predict(&place, &arguments),
    });
    done.unwrap_or_else(|error| {
        output::complain(&error);
        ExitCode::FAILURE
    })
}

/// The log goes to standard error; `RUST_LOG` overrides.
fn log(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "warn,tomas_host=info",
        _ => "info,tomas_host=debug,tomas_sandbox=debug",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
