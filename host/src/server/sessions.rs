//! `/v1/sessions`: open, show, close, and attach files.

use super::{
    App,
    error::ApiError,
    extract::{Json, Path, Query, Raw},
};
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use serde::Deserialize;
use serde_json::json;
use std::{path::PathBuf, sync::Arc};
use tomas_core::accountant::Limits;

/// The body of `POST /v1/sessions`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Open {
    #[serde(default)]
    budget: Limits,
    folder: Option<PathBuf>,
}

/// `POST /v1/sessions`: opens a session.
pub async fn open(State(app): State<Arc<App>>, Json(asked): Json<Open>) -> Result<impl IntoResponse, ApiError> {
    let folder = asked.folder.map(|f| granted(&app, f)).transpose()?;
    // Finished even if the client goes away, so that a stored session is always in memory with its account.
    let task = tokio::spawn(async move {
        let session = app.host.sessions.open(&asked.budget, folder).await?;
        app.live.add(Arc::clone(&session)).await?;
        Ok::<_, ApiError>(session)
    });
    let session = task.await.map_err(|e| ApiError::host(&e.into()))??;
    let shown = json!({ "id": session.id, "budget": session.account.budget(), "folder": session.folder });
    Ok((StatusCode::CREATED, axum::Json(shown)))
}

/// A folder may be granted when it is one of the configured ones or lies below one.
fn granted(app: &App, folder: PathBuf) -> Result<PathBuf, ApiError> {
    let refused = || {
        ApiError::new(
            StatusCode::FORBIDDEN,
            "folder",
            format!(
                "the folder `{}` may not be granted\nhint: the operator lists allowed folders in [session] folders",
                folder.display()
            ),
        )
    };
    let real = folder.canonicalize().map_err(|_| refused())?;
    let allowed = app.config.session.folders.iter().filter_map(|f| f.canonicalize().ok()).any(|f| real.starts_with(f));
    if allowed { Ok(real) } else { Err(refused()) }
}

/// `GET /v1/sessions/{id}`: what the session is and holds.
pub async fn show(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<impl IntoResponse, ApiError> {
    let session = app.live.get(&id, &app.host.sessions).await?;
    Ok(axum::Json(json!({
        "id": session.id,
        "budget": session.account.budget(),
        "free": session.account.free(),
        "folder": session.folder,
        "attachments": session.attachments(),
        "requests": session.requests(),
        "under_way": session.active(),
        "ledger": session.account.ledger(),
    })))
}

/// `DELETE /v1/sessions/{id}`: stops what it runs and takes nothing more. The log stays.
pub async fn close(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<StatusCode, ApiError> {
    let session = app.live.get(&id, &app.host.sessions).await?;
    session.close().await?;
    app.live.remove(&id).await;
    Ok(StatusCode::NO_CONTENT)
}

/// The query of `POST /v1/sessions/{id}/attachments`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attach {
    name: String,
}

/// `POST /v1/sessions/{id}/attachments?name=notes.txt`: the body becomes a file of the session.
pub async fn attach(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Query(Attach { name }): Query<Attach>,
    Raw(bytes): Raw,
) -> Result<impl IntoResponse, ApiError> {
    let session = app.live.get(&id, &app.host.sessions).await?;
    let blob = session.attach(&name, bytes.into()).await?;
    Ok((StatusCode::CREATED, axum::Json(blob)))
}

/// `GET /v1/sessions/{id}/blobs/{name}`: the bytes of a file of the session, such as one that a tool wrote.
pub async fn blob(
    State(app): State<Arc<App>>,
    Path((id, name)): Path<(String, String)>,
) -> Result<impl IntoResponse, ApiError> {
    let session = app.live.get(&id, &app.host.sessions).await?;
    let blob = session.attachments().into_iter().find(|b| b.name == name);
    let blob = blob.ok_or_else(|| ApiError::not_found("the file"))?;
    let bytes = session.bytes(&blob.digest).await?;
    // Never rendered by a browser: the bytes are whatever a client or a tool made them.
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CONTENT_DISPOSITION, "attachment"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, bytes))
}
