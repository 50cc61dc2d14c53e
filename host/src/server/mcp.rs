//! `/mcp`: the tools for MCP clients, by streamable HTTP in both eras of the protocol.
//!
//! Requests must name this machine as their host and come from no foreign web page, or a page could reach the server of
//! whoever looks at it (DNS rebinding).

use crate::{
    config::Config,
    host::Host,
    inputs::Inputs,
    kept::Kept,
    mcp::{
        handler::{Connection, Handler, Notices},
        live::Live,
    },
};
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
};
use std::{
    io,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio_util::sync::CancellationToken;
use tomas_core::accountant::Limits;
use tower_http::timeout::RequestBodyTimeout;

/// The route and its connections.
pub struct Mcp {
    service: StreamableHttpService<Handler, LocalSessionManager>,
    stop: CancellationToken,
    body_timeout: Duration,
}

/// Web pages that may ask: those of this machine.
const ORIGINS: [&str; 4] = ["http://localhost:*", "http://127.0.0.1:*", "https://localhost:*", "https://127.0.0.1:*"];

impl Mcp {
    /// All connections together have one session's budget: in one era of the protocol each request is a connection.
    /// `address` is where the server listens.
    ///
    /// # Errors
    /// When the configured budget of a session is refused.
    pub fn new(host: &Host, tools: Live, config: &Config, address: IpAddr) -> anyhow::Result<Self> {
        let accountant = &host.sessions.accountant;
        let all = accountant.open(&config.session_limits(&accountant.capacity()))?;
        let session = &config.session;
        let (most, kept, attachments, live) = (config.quota, session.kept, session.attachments, session.live);
        let connections = Arc::new(AtomicUsize::new(0));
        let connect = move || {
            let place = Place::take(&connections, live)?;
            Ok(Handler::from(Connection {
                tools: tools.clone(),
                account: all.open(&Limits::default()).map_err(io::Error::other)?,
                most,
                inputs: Inputs::default().into(),
                kept: Kept::new(kept),
                attachments,
                lasts: false,
                notices: Notices::default(),
                held: Box::new(place),
            }))
        };
        let mut settings = StreamableHttpServerConfig::default()
            .with_allowed_origins(ORIGINS)
            .with_max_request_body_bytes(usize::try_from(config.server.max_body.0).unwrap_or(usize::MAX));
        if !address.is_unspecified() {
            settings.allowed_hosts.push(address.to_string());
        }
        let stop = settings.cancellation_token.clone();
        let service = StreamableHttpService::new(connect, Arc::new(LocalSessionManager::default()), settings);
        Ok(Self { service, stop, body_timeout: config.server.body_timeout.0 })
    }

    /// What answers the route. Clients that stall in the middle of a body are sent away.
    pub fn service(&self) -> RequestBodyTimeout<StreamableHttpService<Handler, LocalSessionManager>> {
        RequestBodyTimeout::new(self.service.clone(), self.body_timeout)
    }

    /// Ends all connections.
    pub fn stop(&self) {
        self.stop.cancel();
    }
}

/// One of the connections that may be open at once.
pub struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(connections: &Arc<AtomicUsize>, most: usize) -> io::Result<Self> {
        let open = connections.fetch_add(1, Ordering::AcqRel);
        let place = Self(Arc::clone(connections));
        if open < most {
            Ok(place)
        } else {
            Err(io::Error::other(format!("{most} connections are open, which is the most allowed")))
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
