//! Queries: what the user asked.

use crate::{observation::BlobRef, resource::Resources};
use serde::{Deserialize, Serialize};

/// The longest request that is accepted, in bytes. Longer texts belong in an attachment.
pub const MAX_REQUEST_BYTES: usize = 64 * 1024;

/// A request with what it may use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Query {
    /// The request, as typed.
    pub text: String,
    /// Attachments that arguments can name.
    #[serde(default)]
    pub attachments: Vec<BlobRef>,
    /// What is free for this request at this moment.
    pub budget: Resources,
}

/// Why a request is refused before any planning.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// Nothing to plan for.
    #[error("the request is empty\nhint: say what you want, such as `what is 17.5% of 2,340?`")]
    Empty,
    /// More than a request may hold.
    #[error("the request has {found} bytes, {allowed} are allowed\nhint: put long text into an attachment")]
    TooLong {
        /// Bytes found.
        found: usize,
        /// Bytes allowed.
        allowed: usize,
    },
}

/// Checks a request's text.
///
/// # Errors
/// When it is blank or longer than [`MAX_REQUEST_BYTES`].
pub fn check_text(text: &str) -> Result<(), QueryError> {
    if text.trim().is_empty() {
        Err(QueryError::Empty)
    } else if text.len() > MAX_REQUEST_BYTES {
        Err(QueryError::TooLong { found: text.len(), allowed: MAX_REQUEST_BYTES })
    } else {
        Ok(())
    }
}
