//! Failures: what the client is told and what the log says are separate, and both carry the request's id.

use super::App;
use crate::{agent::fault::Fault, inputs::NoRoom, session::SessionError};
use axum::{
    Json,
    body::Body,
    extract::{MatchedPath, Request, State},
    http::{HeaderValue, Response, StatusCode, header},
    middleware::Next,
    response::IntoResponse,
};
use serde_json::{Value, json};
use std::{any::Any, sync::Arc, time::Instant};
use tomas_core::accountant::Refusal;
use tomas_planner::PlanError;

/// A failure of a request.
#[derive(Debug, Clone)]
pub struct ApiError {
    /// HTTP status.
    pub status: StatusCode,
    /// A word that programs can branch on.
    pub kind: &'static str,
    /// What the client is told: what was found and what is allowed, with a line `hint: …`.
    pub told: String,
    /// What only the log says.
    pub log: Option<String>,
    /// Seconds after which it may be tried again.
    pub retry_after: Option<u32>,
}

impl ApiError {
    /// A failure that the client can mend.
    #[must_use]
    pub fn new(status: StatusCode, kind: &'static str, told: impl Into<String>) -> Self {
        Self { status, kind, told: told.into(), log: None, retry_after: None }
    }

    /// A request that cannot be understood.
    #[must_use]
    pub fn invalid(told: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", told)
    }

    /// The same for what does not exist and for what is not the caller's, so that nothing can be probed.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            format!(
                "{what} does not exist\nhint: sessions are opened with POST /v1/sessions; see the routes in docs/api.md"
            ),
        )
    }

    /// A path that does not know the method.
    #[must_use]
    pub fn method() -> Self {
        let told = "this path does not take this method\nhint: see the header `allow`";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", told)
    }

    /// A fault of the host.
    #[must_use]
    pub fn host(error: &anyhow::Error) -> Self {
        let log = Some(format!("{error:#}"));
        let full = log.as_ref().is_some_and(|l| l.contains("No space left") || l.contains("disk is full"));
        let (status, kind, told) = if full {
            let told = "the disk of the host is full, so nothing more is accepted\nhint: its operator has to make room";
            (StatusCode::INSUFFICIENT_STORAGE, "full", told)
        } else {
            let told = "the host failed\nhint: this is not a fault of the request; the host's log has more under this request id";
            (StatusCode::INTERNAL_SERVER_ERROR, "internal", told)
        };
        Self { log, ..Self::new(status, kind, told) }
    }

    fn busy(told: String) -> Self {
        Self { retry_after: Some(1), ..Self::new(StatusCode::TOO_MANY_REQUESTS, "busy", told) }
    }

    /// Too many requests of one session at once.
    #[must_use]
    pub fn crowded(found: usize, allowed: usize) -> Self {
        Self::busy(format!(
            "the session has `{found}` requests under way, `{allowed}` are allowed\nhint: wait for an answer"
        ))
    }

    /// Writes to the log what the client is not told, or what it is.
    pub fn note(&self, id: &str) {
        match &self.log {
            Some(log) => tracing::error!(request_id = id, "{log}"),
            None => tracing::info!(request_id = id, kind = self.kind, "{}", self.told.replace('\n', "; ")),
        }
    }

    /// The JSON that a client gets, in the native shape or in OpenAI's.
    #[must_use]
    pub fn body(&self, id: &str, openai: bool) -> Value {
        let (hints, told): (Vec<&str>, Vec<&str>) = self.told.lines().partition(|l| l.starts_with("hint: "));
        let hint = hints.iter().map(|h| h.trim_start_matches("hint: ")).collect::<Vec<_>>().join("; ");
        let told = told.join("\n");
        if openai {
            let class = match self.status.as_u16() {
                429 => "rate_limit_error",
                500.. => "server_error",
                _ => "invalid_request_error",
            };
            let message = if hint.is_empty() { told } else { format!("{told} (hint: {hint})") };
            return json!({"error": {"message": message, "type": class, "param": null, "code": self.kind, "request_id": id}});
        }
        json!({"error": {"kind": self.kind, "message": told, "hint": hint, "request_id": id}})
    }
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        let told = fault.told();
        match fault {
            Fault::Query(_) => Self::new(StatusCode::BAD_REQUEST, "invalid_request", told),
            Fault::Budget(_) => Self::new(StatusCode::BAD_REQUEST, "invalid_budget", told),
            Fault::Folder(_) => Self::new(StatusCode::CONFLICT, "folder", told),
            Fault::Plan(PlanError::NothingFits { .. }) | Fault::Refused(Refusal::Never { .. }) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "nothing_fits", told)
            }
            Fault::Refused(Refusal::QueueFull { .. } | Refusal::Busy { .. }) => Self::busy(told),
            Fault::Refused(Refusal::Closed) => Self::new(StatusCode::CONFLICT, "closed", told),
            Fault::Cancelled => Self::new(StatusCode::SERVICE_UNAVAILABLE, "cancelled", told),
            Fault::Plan(PlanError::Unfinished { .. }) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unplanned", told),
            Fault::Plan(error) => Self::host(&error.into()),
            Fault::Host(error) => Self::host(&error),
        }
    }
}

impl From<SessionError> for ApiError {
    fn from(error: SessionError) -> Self {
        let told = error.to_string();
        match error {
            SessionError::Budget(_) => Self::new(StatusCode::BAD_REQUEST, "invalid_budget", told),
            SessionError::Folder(_) => Self::new(StatusCode::BAD_REQUEST, "folder", told),
            SessionError::Name(_) => Self::invalid(told),
            SessionError::Room(NoRoom::Many) => Self::new(StatusCode::CONFLICT, "full", told),
            SessionError::Room(NoRoom::Full { .. }) => Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", told),
            SessionError::Closed => Self::new(StatusCode::CONFLICT, "closed", told),
            SessionError::Host(error) => Self::host(&error),
        }
    }
}

impl From<anyhow::Error> for ApiError {
    fn from(error: anyhow::Error) -> Self {
        Self::host(&error)
    }
}

impl IntoResponse for ApiError {
    /// The body is written by [`finish`], which knows the request's id.
    fn into_response(self) -> Response<Body> {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// Turns a panic of a handler into an answer; others go on being served.
pub fn panicked(panic: Box<dyn Any + Send>) -> Response<Body> {
    let why = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    ApiError::host(&anyhow::anyhow!("a handler panicked: {}", why.unwrap_or("no message"))).into_response()
}

/// The id of a request, for failures that are told after the head of the answer was sent.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// Gives every request an id, writes the bodies of failures, counts and logs.
pub async fn finish(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response<Body> {
    let begun = Instant::now();
    let id = uuid::Uuid::now_v7().to_string();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let route = request.extensions().get::<MatchedPath>().map_or("unknown", MatchedPath::as_str).to_owned();
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.run(request).await;
    if let Some(error) = response.extensions_mut().remove::<Arc<ApiError>>() {
        let openai = path.starts_with("/v1/chat/") || path.starts_with("/v1/models");
        let allow = response.headers().get(header::ALLOW).cloned();
        response = (error.status, Json(error.body(&id, openai))).into_response();
        if let Some(seconds) = error.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if let Some(allow) = allow {
            response.headers_mut().insert(header::ALLOW, allow);
        }
        error.note(&id);
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", value);
    }
    let status = response.status().as_u16();
    app.metrics.http(&route, status);
    tracing::info!(request_id = id, %method, path, status, ms = begun.elapsed().as_secs_f64() * 1e3);
    response
}
