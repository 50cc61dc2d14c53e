//! `mcp`: the tools for an MCP client that starts this program and talks over pipes.

use super::{budget::Budget, files::Files};
use crate::{
    kept::Kept,
    mcp::{
        handler::{Connection, Handler, Notices},
        lines::Lines,
        live::Live,
    },
    place::Place,
    tools::Toolbox,
};
use anyhow::Context as _;
use clap::Args;
use rmcp::{ServiceExt as _, service::ServerInitializeError, transport::io};
use std::{process::ExitCode, sync::Arc};
use tomas_core::accountant::Accountant;

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
    #[command(flatten)]
    files: Files,
}

/// Serves one client until it closes standard input.
///
/// # Errors
/// When a part of the host is missing, an input cannot be read, or the client breaks the protocol from the start.
pub fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let config = &place.config;
    let inputs = arguments.files.inputs(config.session.attachments)?;
    let (sandbox, registry) = (place.sandbox()?, place.registry()?);
    let toolbox = Arc::new(Toolbox::new(sandbox, &place.found()?, registry.tools())?.recording(place.recordings()));
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
            kept: Kept::new(config.session.kept),
            attachments: config.session.attachments,
            lasts: true,
            notices: Notices::default(),
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
