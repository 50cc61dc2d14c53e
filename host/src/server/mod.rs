//! The HTTP server: sessions with their event logs, and OpenAI's chat completions.
//!
//! [`run`] takes its world as arguments, so that tests bring their own. [`error`] renders every failure, [`live`] keeps
//! sessions in memory, [`sessions`], [`messages`] and [`events`] are the native API, [`chat`] is OpenAI's, [`mcp`]
//! offers the tools themselves, [`status`] says how the host is.
//!
//! Architecture invariant: nothing in here knows the trainer.

pub mod chat;
pub mod error;
pub mod events;
pub mod extract;
pub mod live;
pub mod mcp;
pub mod messages;
pub mod metrics;
pub mod sessions;
pub mod status;

use crate::{config::Config, host::Host};
use anyhow::Context as _;
use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post},
};
use error::ApiError;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{future::Future, net::SocketAddr, pin::pin, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tomas_sandbox::CancelToken;
use tower_http::catch_panic::CatchPanicLayer;

/// What handlers share.
pub struct App {
    /// Answers requests and keeps sessions.
    pub host: Host,
    /// Limits of the server.
    pub config: Config,
    /// The tools for MCP clients.
    pub mcp: mcp::Mcp,
    /// Sessions in memory.
    pub live: live::Live,
    /// What `/metrics` counts.
    pub metrics: metrics::Metrics,
    /// Cancelled when the server begins to stop: whoever only listens is sent away.
    pub stop: CancelToken,
}

impl App {
    /// The world of a server.
    #[must_use]
    pub fn new(host: Host, config: Config, mcp: mcp::Mcp) -> Arc<Self> {
        let live = live::Live::new(config.session.live);
        Arc::new(Self { host, config, mcp, live, metrics: metrics::Metrics::default(), stop: CancelToken::new() })
    }
}

/// Binds an address.
///
/// # Errors
/// When it is in use, or not this machine's.
pub async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("`{address}` cannot be listened on\nhint: another program may have the port; choose one with --address")
    })
}

/// All routes.
pub fn router(app: &Arc<App>) -> Router {
    Router::new()
        .route("/v1/sessions", post(sessions::open))
        .route("/v1/sessions/{id}", get(sessions::show).delete(sessions::close))
        .route("/v1/sessions/{id}/attachments", post(sessions::attach))
        .route("/v1/sessions/{id}/blobs/{name}", get(sessions::blob))
        .route("/v1/sessions/{id}/messages", post(messages::send))
        .route("/v1/sessions/{id}/events", get(events::events))
        .route("/v1/chat/completions", post(chat::complete))
        .route_service("/mcp", app.mcp.service())
        .route("/v1/models", get(status::models))
        .route("/v1/tools", get(status::tools))
        .route("/v1/ledger", get(status::ledger))
        .route("/health", get(status::health))
        .route("/metrics", get(status::metrics))
        .fallback(|| async { ApiError::not_found("this path") })
        .method_not_allowed_fallback(|| async { ApiError::method() })
        // Bodies are bounded where they are read, by the configured limit.
        .layer(DefaultBodyLimit::disable())
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(middleware::from_fn_with_state(Arc::clone(app), error::finish))
        .with_state(Arc::clone(app))
}

/// Serves until `shutdown` resolves, then lets requests under way finish for as long as the configuration says.
///
/// # Errors
/// Never after it began; a connection that fails ends alone.
pub async fn run(listener: TcpListener, app: Arc<App>, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
    let service = router(&app);
    let (closing, closed) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    drop(stream.set_nodelay(true));
                    connections.spawn(connection(stream, service.clone(), app.config.server.header_timeout.0, closed.clone()));
                }
                Err(error) => {
                    // Out of file descriptors, most likely: accepting again at once would spin.
                    tracing::warn!(%error, "a connection cannot be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
    drop(listener);
    let _ = closing.send(true);
    app.stop.cancel();
    let finished = async { while connections.join_next().await.is_some() {} };
    // MCP clients keep a stream open for as long as there is a server: what they called is what there is to wait for.
    let called = async {
        quiet(&app).await;
        app.mcp.stop();
        std::future::pending::<()>().await;
    };
    let finished = async {
        tokio::select! { () = finished => {}, () = called => {} }
    };
    if tokio::time::timeout(app.config.server.shutdown.0, finished).await.is_err() {
        app.mcp.stop();
        tracing::warn!("some requests did not finish in time and are cancelled");
    }
    app.live.cancel().await;
    let rest = async { while connections.join_next().await.is_some() {} };
    drop(tokio::time::timeout(Duration::from_secs(2), rest).await);
    app.host.sessions.accountant.close();
    Ok(())
}

/// Resolves when no tool has run for a moment, in which answers get out.
async fn quiet(app: &App) {
    const MOMENT: Duration = Duration::from_millis(200);
    loop {
        tokio::time::sleep(MOMENT).await;
        if app.host.sessions.accountant.ledger().grants == 0 {
            tokio::time::sleep(MOMENT).await;
            if app.host.sessions.accountant.ledger().grants == 0 {
                return;
            }
        }
    }
}

async fn connection(stream: TcpStream, service: Router, head: Duration, mut closed: watch::Receiver<bool>) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut connection = pin!(connection);
    let early = tokio::select! {
        done = connection.as_mut() => Some(done),
        _ = closed.wait_for(|closed| *closed) => None,
    };
    let done = match early {
        Some(done) => done,
        None => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = done {
        tracing::debug!(%error, "a connection failed");
    }
}

/// Listens for SIGINT and SIGTERM from now on; the future resolves at the first of them.
pub fn signal() -> impl Future<Output = ()> + Send {
    use tokio::signal::unix::{SignalKind, signal};
    let heard = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    async {
        let (Ok(mut interrupt), Ok(mut terminate)) = heard else {
            tracing::warn!("signals cannot be heard; stop the host by killing it");
            return std::future::pending().await;
        };
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
    }
}
