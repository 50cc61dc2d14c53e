//! Why an expression has no answer.

use std::fmt;

/// An error for the user: what was found and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    message: String,
    /// The words were not understood, so that another reading may be tried.
    pub(crate) unclear: bool,
}

impl Problem {
    /// The words make no expression.
    pub(crate) fn unclear(message: impl Into<String>) -> Self {
        Self { message: message.into(), unclear: true }
    }

    /// The expression is clear but has no value, or one too large.
    pub(crate) fn impossible(message: impl Into<String>) -> Self {
        Self { message: message.into(), unclear: false }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}
