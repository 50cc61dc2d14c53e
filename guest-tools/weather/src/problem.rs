//! Why a question about the weather has no answer.

use std::fmt;

/// An error for the user: what was found and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    message: String,
    /// The city is not in the table.
    pub(crate) missing: bool,
}

impl Problem {
    /// An argument that is not understood.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), missing: false }
    }

    /// A city that is not in the table.
    pub(crate) fn missing(message: impl Into<String>) -> Self {
        Self { message: message.into(), missing: true }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}
