//! `POST /v1/chat/completions`, as OpenAI's clients call it.
//!
//! The last user message is the request. What came before is not read: sessions carry files and budgets, not talk.
//! Extensions: `session_id` (goes on with a session, and names it in every answer), `budget`, and `tomas` in the answer,
//! the report with its steps. Fields that are not listed here are ignored, as OpenAI's own clients add new ones often.

use super::{
    App,
    error::{ApiError, RequestId},
    extract::Json,
    messages::Running,
};
use crate::agent::{fault::Fault, report::Report};
use axum::{
    Extension,
    extract::State,
    http::StatusCode,
    response::{
        IntoResponse, Response, Sse,
        sse::{Event as Message, KeepAlive},
    },
};
use futures::{StreamExt as _, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    convert::Infallible,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};
use tomas_core::{accountant::Limits, query::check_text};

/// The name under which the configured planner is offered.
pub const MODEL: &str = "tomas";

/// The body.
#[derive(Debug, Deserialize)]
pub struct Completion {
    model: String,
    messages: Vec<Turn>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    n: Option<u32>,
    session_id: Option<String>,
    #[serde(default)]
    budget: Limits,
}

#[derive(Debug, Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Turn {
    role: String,
    content: Option<Content>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "`content` is a string or a list of text parts")]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Debug, Deserialize)]
struct Part {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
}

/// Completes a chat.
pub async fn complete(
    State(app): State<Arc<App>>,
    Extension(request_id): Extension<RequestId>,
    Json(asked): Json<Completion>,
) -> Result<Response, ApiError> {
    if asked.model != MODEL && asked.model != app.host.agent.planner.policy() {
        let told = format!("the model `{}` does not exist\nhint: use `{MODEL}`", asked.model);
        return Err(ApiError::new(StatusCode::NOT_FOUND, "model_not_found", told));
    }
    if asked.n.is_some_and(|n| n != 1) {
        return Err(ApiError::invalid("`n` is not 1, and one answer is all there is\nhint: leave `n` out"));
    }
    let text = request(&asked.messages)?;
    check_text(&text).map_err(|e| ApiError::from(Fault::from(e)))?;
    let session = match &asked.session_id {
        Some(id) => app.live.get(id, &app.host.sessions).await?,
        None => {
            let session = app.host.sessions.open(&Limits::default(), None).await?;
            app.live.add(Arc::clone(&session)).await?;
            session
        }
    };
    let prompt = tokens(&text);
    let mut running = Running::start(&app, &session, text, asked.budget)?;
    let head = Head::new(&app, &session.id);
    if asked.stream == Some(true) {
        let usage = asked.stream_options.and_then(|o| o.include_usage) == Some(true);
        let begin = head.chunk(&json!({"role": "assistant", "content": ""}), None);
        let chunks = stream::iter([begin])
            .chain(stream::once(rest(running, head, request_id, prompt, usage)).flat_map(stream::iter));
        return Ok(Sse::new(chunks.map(Ok::<_, Infallible>)).keep_alive(KeepAlive::default()).into_response());
    }
    let report = running.done().await?;
    Ok(axum::Json(head.whole(&report, prompt)).into_response())
}

/// The last user message.
fn request(messages: &[Turn]) -> Result<String, ApiError> {
    let Some(turn) = messages.iter().rev().find(|m| m.role == "user") else {
        return Err(ApiError::invalid("`messages` has no message of the role `user`\nhint: add one"));
    };
    match &turn.content {
        Some(Content::Text(text)) => Ok(text.clone()),
        Some(Content::Parts(parts)) => {
            if let Some(part) = parts.iter().find(|p| p.kind != "text") {
                return Err(ApiError::invalid(format!(
                    "a content part is `{}`, only `text` is read\n\
                     hint: attach files with POST /v1/sessions/{{id}}/attachments and give `session_id`",
                    part.kind
                )));
            }
            Ok(parts.iter().filter_map(|p| p.text.as_deref()).collect::<Vec<_>>().join("\n"))
        }
        None => Err(ApiError::invalid("the last user message has no `content`\nhint: give it a text")),
    }
}

/// What all chunks of an answer share.
#[derive(Debug, Clone)]
struct Head {
    id: String,
    created: u64,
    model: String,
    session: String,
}

impl Head {
    fn new(app: &App, session: &str) -> Self {
        Self {
            id: format!("chatcmpl-{}", uuid::Uuid::now_v7().simple()),
            created: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
            model: app.host.agent.planner.policy().to_owned(),
            session: session.to_owned(),
        }
    }

    fn whole(&self, report: &Report, prompt: usize) -> Value {
        json!({
            "id": self.id, "object": "chat.completion", "created": self.created, "model": self.model,
            "choices": [{
                "index": 0,
                "message": {"role": "assistant", "content": report.answer, "refusal": null},
                "logprobs": null,
                "finish_reason": "stop",
            }],
            "usage": usage(prompt, &report.answer),
            "session_id": self.session,
            "tomas": report,
        })
    }

    fn part(&self, choices: &Value) -> Value {
        json!({
            "id": self.id, "object": "chat.completion.chunk", "created": self.created, "model": self.model,
            "choices": choices, "session_id": self.session,
        })
    }

    fn chunk(&self, delta: &Value, finish: Option<&str>) -> Message {
        let choices = json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}]);
        Message::default().data(self.part(&choices).to_string())
    }
}

/// Everything after the first chunk: the answer word by word, the end, and the usage where it is wanted.
async fn rest(mut running: Running, head: Head, id: RequestId, prompt: usize, usage_wanted: bool) -> Vec<Message> {
    let mut out = Vec::new();
    match running.done().await {
        Ok(report) => {
            out.extend(report.answer.split_inclusive(' ').map(|word| head.chunk(&json!({"content": word}), None)));
            out.push(head.chunk(&json!({}), Some("stop")));
            if usage_wanted {
                let mut last = head.part(&json!([]));
                if let Some(fields) = last.as_object_mut() {
                    fields.insert("usage".to_owned(), usage(prompt, &report.answer));
                }
                out.push(Message::default().data(last.to_string()));
            }
        }
        Err(error) => {
            error.note(&id.0);
            out.push(Message::default().data(error.body(&id.0, true).to_string()));
        }
    }
    out.push(Message::default().data("[DONE]"));
    out
}

/// Token counts as clients expect them. Requests are read in pieces and answers are written by tools, so the counts are
/// an estimate and say so.
fn usage(prompt: usize, answer: &str) -> Value {
    let completion = tokens(answer);
    json!({
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "estimated": true,
    })
}

/// Four bytes a token, the usual rule of thumb for English.
const fn tokens(text: &str) -> usize {
    text.len().div_ceil(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(messages: &Value) -> Result<String, ApiError> {
        request(&serde_json::from_value::<Vec<Turn>>(messages.clone()).unwrap())
    }

    #[test]
    fn the_last_user_message_is_the_request() {
        let talk = json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]);
        assert_eq!(asked(&talk).unwrap(), "c");
        let parts =
            json!([{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]);
        assert_eq!(asked(&parts).unwrap(), "a\nb");
        assert!(asked(&json!([])).is_err());
        assert!(asked(&json!([{"role": "user", "content": null}])).is_err());
        assert!(asked(&json!([{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}])).is_err());
    }
}
