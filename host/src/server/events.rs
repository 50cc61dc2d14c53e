//! `GET /v1/sessions/{id}/events`: the log, as a page or as it grows.

use super::{
    App,
    error::ApiError,
    extract::{Path, Query},
};
use crate::{session::Session, store::Store};
use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event as Message, KeepAlive},
    },
};
use futures::stream;
use serde::Deserialize;
use serde_json::json;
use std::{collections::VecDeque, convert::Infallible, sync::Arc};
use tokio::sync::broadcast;
use tomas_core::session::Entry;
use tomas_sandbox::CancelToken;

/// Events in one page.
const PAGE: u32 = 1000;

/// The query.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct After {
    /// Only events after this sequence number.
    #[serde(default)]
    after: u64,
}

/// A page of the log; with `accept: text/event-stream` all of it, and then what comes.
pub async fn events(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Query(After { after }): Query<After>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let session = match app.live.get(&id, &app.host.sessions).await {
        // What a closed session did can still be read.
        Err(error) if error.kind == "closed" => return page(&app.host.sessions.store, &id, after).await,
        found => found?,
    };
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if accept.contains("text/event-stream") {
        // A client that was cut off says where it was.
        let last = headers.get("last-event-id").and_then(|v| v.to_str().ok()?.parse().ok()).unwrap_or(after);
        let follower =
            Follower { news: session.listen(), session, last, ready: VecDeque::new(), stop: app.stop.clone() };
        return Ok(Sse::new(stream::unfold(follower, Follower::next)).keep_alive(KeepAlive::default()).into_response());
    }
    page(&app.host.sessions.store, &id, after).await
}

async fn page(store: &Store, id: &str, after: u64) -> Result<Response, ApiError> {
    let events = store.events(id, after, PAGE).await?;
    let more = match events.last() {
        Some(last) => !store.events(id, last.sequence, 1).await?.is_empty(),
        None => false,
    };
    Ok(axum::Json(json!({ "events": events, "more": more })).into_response())
}

/// Reads the log, and then listens. What it misses while it is slow it reads from the log.
struct Follower {
    session: Arc<Session>,
    news: broadcast::Receiver<Arc<Entry>>,
    last: u64,
    ready: VecDeque<Entry>,
    stop: CancelToken,
}

impl Follower {
    async fn next(mut self) -> Option<(Result<Message, Infallible>, Self)> {
        loop {
            if self.ready.is_empty() {
                self.ready = self.session.log(self.last, PAGE).await.ok()?.into();
            }
            if let Some(entry) = self.ready.pop_front() {
                self.last = entry.sequence;
                let data = serde_json::to_string(&entry).ok()?;
                return Some((Ok(Message::default().id(entry.sequence.to_string()).event("event").data(data)), self));
            }
            // Whatever the news is, it is in the log.
            tokio::select! {
                heard = self.news.recv() => if matches!(heard, Err(broadcast::error::RecvError::Closed)) { return None },
                () = self.session.cancel.cancelled() => return None,
                () = self.stop.cancelled() => return None,
            }
        }
    }
}
