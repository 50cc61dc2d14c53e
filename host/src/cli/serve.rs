//! `serve`: the HTTP server.

use super::output::{note, say};
use crate::{
    config::PlannerKind,
    host::Host,
    mcp::live::Live,
    place::Place,
    server::{self, App, mcp::Mcp},
};
use clap::Args;
use std::{net::SocketAddr, process::ExitCode, sync::Arc};

const EXAMPLES: &str = "\
Examples:
  tomas-host serve
  tomas-host serve --address 127.0.0.1:9000 --planner bm25-cheapest
  curl -s localhost:8077/v1/chat/completions -H 'content-type: application/json' \\
    -d '{\"model\": \"tomas\", \"messages\": [{\"role\": \"user\", \"content\": \"26.2 miles in km\"}]}'

SIGINT and SIGTERM stop it; requests under way get time to finish.";

/// Serve sessions and chat completions over HTTP.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Where to listen [default: as configured]
    #[arg(long, value_name = "IP:PORT")]
    address: Option<SocketAddr>,
    /// Which planner decides [default: as configured]
    #[arg(long, value_enum, value_name = "KIND")]
    planner: Option<PlannerKind>,
}

/// Serves until it is told to stop.
///
/// # Errors
/// When the address is taken, another server uses the store, or a part of the host is missing.
pub fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        // The port first: it is what is most often wrong, and it costs nothing.
        let listener = server::bind(arguments.address.unwrap_or(place.config.server.address)).await?;
        let host = Host::open(place, arguments.planner).await?;
        let store = Arc::clone(&host.sessions.store);
        let _claim = store.claim()?;
        let interrupted = store.recover().await?;
        if interrupted > 0 {
            note(&format!("closed {interrupted} requests that a stopped host had left open"));
        }
        warm(&host);
        let address = listener.local_addr()?;
        let (toolbox, registry) = (Arc::clone(&host.agent.toolbox), Arc::clone(&host.agent.registry));
        let tools = Live::open(place.clone(), toolbox, registry).await?;
        let mcp = Mcp::new(&host, tools, &place.config, address.ip())?;
        let app = App::new(host, place.config.clone(), mcp);
        // Before the address is told: whoever knows it may already want to stop the server.
        let signal = server::signal();
        say(&format!(
            "http://{address}  policy {}  registry {}",
            app.host.agent.planner.policy(),
            app.host.agent.registry.digest()
        ))?;
        server::run(listener, app, signal).await
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Loads all components in the background, so that the first requests need not wait for the compiler.
fn warm(host: &Host) {
    let toolbox = Arc::clone(&host.agent.toolbox);
    tokio::task::spawn_blocking(move || toolbox.warm());
}
