//! Queries: what the user asked.

use crate::{configuration::SizeClass, manifest::Measure, observation::BlobRef, resource::Resources, tool::Tool};
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
    /// Bytes in the folder that the session granted, 0 where none is.
    #[serde(default)]
    pub folder_bytes: u64,
    /// What is free for this request at this moment.
    pub budget: Resources,
}

impl Query {
    /// The text that a planner reads: the request, then the names of its attachments.
    #[must_use]
    pub fn prompt(&self) -> String {
        if self.attachments.is_empty() {
            return self.text.clone();
        }
        let names: Vec<_> = self.attachments.iter().map(|b| b.name.as_str()).collect();
        format!("{}\n[attached: {}]", self.text, names.join(", "))
    }

    /// The size classes that an input of a tool can have in this request. One attachment settles it where the measured
    /// argument can name a blob; text quoted from the request is at most as long as the request.
    #[must_use]
    pub fn sizes(&self, tool: &Tool) -> Vec<SizeClass> {
        let rule = &tool.manifest.size;
        let property = tool.export.parameters.pointer(&format!("/properties/{}", rule.argument));
        let source = property.and_then(|p| p.get("x-tomas-source")).and_then(|s| s.as_str()).unwrap_or("quote");
        if rule.measure == Measure::Folder {
            return vec![rule.class(self.folder_bytes)];
        }
        let mut classes: Vec<SizeClass> = Vec::new();
        if source.contains("blob") {
            classes.extend(self.attachments.iter().map(|b| rule.class(b.measure(rule.measure))));
        }
        if !source.starts_with("blob") && (self.attachments.is_empty() || rule.measure == Measure::Elements) {
            let longest = match rule.measure {
                Measure::Elements => u64::MAX,
                _ => self.text.len() as u64,
            };
            classes.extend(SizeClass::ALL.into_iter().filter(|c| *c <= rule.class(longest)));
        }
        if classes.is_empty() {
            classes.extend(SizeClass::ALL);
        }
        classes.sort_unstable();
        classes.dedup();
        classes
    }
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
