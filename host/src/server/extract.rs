//! Reading requests: bodies that are bounded in size and time, and JSON whose errors say what was wrong where.

use super::{App, error::ApiError};
use axum::{
    body::{Bytes, to_bytes},
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// The body, within the configured limits of size and time.
pub struct Raw(pub Bytes);

/// A JSON body. An empty one is an empty object.
pub struct Json<T>(pub T);

/// The query string.
pub struct Query<T>(pub T);

/// The variables of the path.
pub struct Path<T>(pub T);

impl FromRequest<Arc<App>> for Raw {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ApiError> {
        let server = &app.config.server;
        let most = usize::try_from(server.max_body.0).unwrap_or(usize::MAX);
        let large = |found: String| {
            let told = format!(
                "the body has {found} bytes, `{most}` are allowed\nhint: send less, or raise [server] max_body"
            );
            ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", told)
        };
        if let Some(length) = length(request.headers()).filter(|n| *n > server.max_body.0) {
            return Err(large(format!("`{length}`")));
        }
        match tokio::time::timeout(server.body_timeout.0, to_bytes(request.into_body(), most)).await {
            Ok(Ok(bytes)) => Ok(Self(bytes)),
            Ok(Err(error)) if format!("{error:?}").contains("LengthLimit") => Err(large(format!("more than `{most}`"))),
            Ok(Err(error)) => Err(ApiError::invalid(format!("the body cannot be read: {error}"))),
            Err(_) => {
                let told = format!("the body did not arrive within `{}`\nhint: send it at once", server.body_timeout);
                Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, "timeout", told))
            }
        }
    }
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ApiError> {
        let kind = request.headers().get(header::CONTENT_TYPE).cloned();
        let Raw(bytes) = Raw::from_request(request, app).await?;
        if bytes.is_empty() {
            return parse(b"{}").map(Self);
        }
        // A browser asks before it sends this type to a foreign host, which keeps web pages away from a local server.
        let json = |v: &str| v.split(';').next().is_some_and(|v| v.trim().eq_ignore_ascii_case("application/json"));
        if !kind.as_ref().and_then(|v| v.to_str().ok()).is_some_and(json) {
            let found = kind.as_ref().map_or("none", |v| v.to_str().unwrap_or("something else"));
            let told = format!(
                "the content type is `{found}`, `application/json` is wanted\nhint: send `content-type: application/json`"
            );
            return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", told));
        }
        parse(&bytes).map(Self)
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        ApiError::invalid(format!(
            "the body is not UTF-8: byte {} does not belong to a character\nhint: send JSON in UTF-8",
            error.valid_up_to()
        ))
    })?;
    // serde would take the fields of a structure from an array as well, in order.
    if !text.trim_start().starts_with('{') {
        return Err(ApiError::invalid("the body is refused: it is not a JSON object\nhint: send one JSON object"));
    }
    serde_json::from_str(text).map_err(|error| {
        let hint = if error.is_data() { "see the fields of this route in docs/api.md" } else { "send one JSON object" };
        ApiError::invalid(format!("the body is refused: {error}\nhint: {hint}"))
    })
}

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<App>> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        match axum::extract::Query::<T>::from_request_parts(parts, app).await {
            Ok(query) => Ok(Self(query.0)),
            Err(error) => Err(ApiError::invalid(format!("the query string is refused: {}", error.body_text()))),
        }
    }
}

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<App>> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        match axum::extract::Path::<T>::from_request_parts(parts, app).await {
            Ok(path) => Ok(Self(path.0)),
            // Not UTF-8 after decoding: no session and no file has such a name.
            Err(_) => Err(ApiError::not_found("this path")),
        }
    }
}
