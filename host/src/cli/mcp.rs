//! `mcp`: the tools for an MCP client that starts this program and talks over pipes.

use super::budget::Budget;
use crate::{
    inputs::Inputs,
    mcp::{
        handler::{Connection, Handler},
        lines::Lines,
        live::Live,
    },
    place::Place,
    tools::Toolbox,
};
use anyhow::Context as _;
use clap::Args;
use rmcp::{ServiceExt as _, service::ServerInitializeError, transport::io};
use std::{
    path::PathBuf,
    process::ExitCode,
    sync::{Arc, atomic::AtomicBool},
};
use tokio_util::sync::CancellationToken;
use tomas_core::{accountant::Accountant, amount::Bytes};
use tomas_sandbox::Room;

const EXAMPLES: &str = "\
Examples:
  tomas-host mcp --cpu 500m --memory 64MiB --folder notes
  claude mcp add tomas -- tomas-host mcp
  npx @modelcontextprotocol/inspector tomas-host mcp

The budget is that of the whole connection: calls that together need more wait for each other. Requests are read from
standard input and answers written to standard output, one JSON-RPC message a line; the log goes to standard error.";

/// Offer the tools to an MCP client over standard input and output.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    budget: Budget,
    /// A file that arguments name as `blob:FILENAME`; may be repeated
    #[arg(long, value_name = "FILE")]
    attach: Vec<PathBuf>,
    /// A folder that tools with the permission may read
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Let tools with the permission write at most so much into the folder, all calls together
    #[arg(long, value_name = "BYTES", requires = "folder")]
    writable: Option<Bytes>,
}

/// Serves one client until it closes standard input.
///
/// # Errors
/// When a part of the host is missing, an input cannot be read, or the client breaks the protocol from the start.
pub fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let config = &place.config;
    let mut inputs = Inputs::default();
    for path in &arguments.attach {
        inputs.attach_file(path, config.session.attachments)?;
    }
    if let Some(folder) = &arguments.folder {
        inputs.grant_folder(folder)?;
        inputs.room = arguments.writable.map(Room::new);
    }
    let (sandbox, registry) = (place.sandbox()?, place.registry()?);
    let toolbox = Arc::new(Toolbox::new(sandbox, &place.found()?, registry.tools())?);
    let accountant = Accountant::new(config.capacity(), config.server.queue);
    let account = accountant.open(&arguments.budget.limits()).context("the budget is refused")?;
    // Tools have threads of their own; one thread for the protocol wakes no other.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let most = usize::try_from(config.server.max_body.0).unwrap_or(usize::MAX);
    runtime.block_on(async {
        let tools = Live::open(place.clone(), toolbox, registry).await?;
        let handler = Handler::from(Connection {
            tools,
            account,
            most: config.quota,
            inputs: inputs.into(),
            attachments: config.session.attachments,
            lasts: true,
            told: AtomicBool::new(false),
            gone: CancellationToken::new().drop_guard(),
            held: Box::new(()),
        });
        let (read, write) = io::stdio_pipes();
        match handler.serve(Lines::new(read, write, most)).await {
            Ok(service) => drop(service.waiting().await?),
            // A client that says nothing and goes away is no error.
            Err(ServerInitializeError::ConnectionClosed(_)) => {}
            Err(error) => return Err(error).context("the client does not begin as MCP does"),
        }
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}
