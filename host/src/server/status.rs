//! How the host is: health, models, tools, ledger, metrics.

use super::{App, chat::MODEL};
use axum::{Json, extract::State, http::header, response::IntoResponse};
use serde_json::{Value, json};
use std::sync::Arc;

/// `GET /health`: it answers, and with what.
pub async fn health(State(app): State<Arc<App>>) -> Json<Value> {
    let agent = &app.host.agent;
    Json(json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "policy": agent.planner.policy(),
        "registry": agent.registry.digest(),
    }))
}

/// `GET /v1/models`: the planner, as OpenAI's clients list models.
pub async fn models(State(app): State<Arc<App>>) -> Json<Value> {
    let model = |id: &str| json!({"id": id, "object": "model", "created": 0, "owned_by": "tomas-host"});
    Json(json!({"object": "list", "data": [model(MODEL), model(app.host.agent.planner.policy())]}))
}

/// `GET /v1/tools`: what the planner may call.
pub async fn tools(State(app): State<Arc<App>>) -> Json<Value> {
    let tools = app.host.agent.registry.tools().iter().map(|tool| {
        json!({
            "name": tool.name(),
            "description": tool.description(),
            "parameters": tool.export.parameters,
            "result": tool.export.result,
            "ceiling": tool.manifest.quota.ceiling,
            "permissions": tool.manifest.permissions,
            "component": tool.component,
        })
    });
    Json(json!({"tools": tools.collect::<Vec<_>>()}))
}

/// `GET /v1/ledger`: what is held, and what all grants so far reserved, spent and gave back.
pub async fn ledger(State(app): State<Arc<App>>) -> Json<Value> {
    let ledger = app.host.sessions.accountant.ledger();
    Json(json!({"ledger": ledger, "balanced": ledger.balanced()}))
}

/// `GET /metrics`: for Prometheus.
pub async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], app.metrics.text(&app).await)
}
