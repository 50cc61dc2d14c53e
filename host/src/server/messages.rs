//! `POST /v1/sessions/{id}/messages`: a request and its answer, at once or stage by stage.

use super::{
    App,
    error::{ApiError, RequestId},
    extract::{Json, Path},
};
use crate::{
    agent::{Ask, fault::Fault, report::Report},
    session::Session,
};
use axum::{
    Extension,
    extract::State,
    response::{
        IntoResponse, Response, Sse,
        sse::{Event as Message, KeepAlive},
    },
};
use futures::stream;
use serde::Deserialize;
use serde_json::json;
use std::{convert::Infallible, sync::Arc};
use tokio::{sync::mpsc, task::JoinHandle};
use tomas_core::{
    accountant::Limits,
    session::{Entry, Event},
};
use tomas_sandbox::CancelToken;

/// The body.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Send {
    content: String,
    #[serde(default)]
    budget: Limits,
    #[serde(default)]
    stream: bool,
}

/// A request that the agent works on. Dropping it, because the client went away, cancels it.
pub struct Running {
    /// Its events as they are stored.
    pub events: mpsc::UnboundedReceiver<Arc<Entry>>,
    task: JoinHandle<Result<Report, Fault>>,
    _cancel: CancelOnDrop,
}

struct CancelOnDrop(CancelToken);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl Running {
    /// Sets the agent to work. It works in a task of its own, so that its log and ledger are always brought to an end.
    ///
    /// # Errors
    /// When the session has too many requests under way.
    pub fn start(app: &Arc<App>, session: &Arc<Session>, text: String, limits: Limits) -> Result<Self, ApiError> {
        let allowed = app.config.session.requests;
        let active = session.enter(allowed).map_err(|found| ApiError::crowded(found, allowed))?;
        let cancel = CancelToken::new();
        let (send, events) = mpsc::unbounded_channel();
        let ask = Ask { text, limits, cancel: cancel.clone(), events: Some(send) };
        let (app, session) = (Arc::clone(app), Arc::clone(session));
        let task = tokio::spawn(async move {
            let _active = active;
            let done = app.host.agent.answer(&session, ask).await;
            app.metrics.answered(&done);
            done
        });
        Ok(Self { events, task, _cancel: CancelOnDrop(cancel) })
    }

    /// What it came to.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn done(&mut self) -> Result<Report, ApiError> {
        (&mut self.task).await.map_err(|e| ApiError::host(&e.into()))?.map_err(ApiError::from)
    }
}

/// Answers a message.
pub async fn send(
    State(app): State<Arc<App>>,
    Extension(request): Extension<RequestId>,
    Path(id): Path<String>,
    Json(sent): Json<Send>,
) -> Result<Response, ApiError> {
    tomas_core::query::check_text(&sent.content).map_err(|e| ApiError::from(Fault::from(e)))?;
    let session = app.live.get(&id, &app.host.sessions).await?;
    let mut running = Running::start(&app, &session, sent.content, sent.budget)?;
    if sent.stream {
        return Ok(Sse::new(stream::unfold(Some((running, request)), next))
            .keep_alive(KeepAlive::default())
            .into_response());
    }
    Ok(axum::Json(running.done().await?).into_response())
}

/// A request whose stages are being sent.
type Stream = (Running, RequestId);

/// The next stage as a server-sent event; after the last one the answer, or the error.
async fn next(under_way: Option<Stream>) -> Option<(Result<Message, Infallible>, Option<Stream>)> {
    let (mut running, request) = under_way?;
    while let Some(entry) = running.events.recv().await {
        if let Some(message) = stage(&entry.event) {
            return Some((Ok(message), Some((running, request))));
        }
    }
    let last = match running.done().await {
        Ok(report) => message("answer", &json!(report)),
        Err(error) => {
            error.note(&request.0);
            message("error", &error.body(&request.0, false))
        }
    };
    Some((Ok(last), None))
}

fn stage(event: &Event) -> Option<Message> {
    match event {
        Event::Planned { .. } => Some(message("plan", &json!(event))),
        Event::Granted { .. } => Some(message("grant", &json!(event))),
        Event::Observed { .. } => Some(message("observation", &json!(event))),
        _ => None,
    }
}

/// A server-sent event of one line of JSON.
fn message(name: &str, data: &serde_json::Value) -> Message {
    Message::default().event(name).data(data.to_string())
}
