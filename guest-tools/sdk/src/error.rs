//! Why a call brought no result.

use std::fmt;

/// The error of a call, as the host and the planner see it. Messages are lower case, say what was
/// found and what is allowed, and end with a `hint: ...` line where there is something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolError {
    /// The arguments do not fit the schema or name something impossible.
    InvalidArguments(String),
    /// A blob, a file or the tool itself does not exist.
    NotFound(String),
    /// The arguments were fine but the work could not be done.
    Failed(String),
}

impl ToolError {
    /// [`ToolError::InvalidArguments`] of anything that can be shown.
    pub fn invalid(message: impl fmt::Display) -> Self {
        Self::InvalidArguments(message.to_string())
    }

    /// [`ToolError::NotFound`] of anything that can be shown.
    pub fn not_found(message: impl fmt::Display) -> Self {
        Self::NotFound(message.to_string())
    }

    /// [`ToolError::Failed`] of anything that can be shown.
    pub fn failed(message: impl fmt::Display) -> Self {
        Self::Failed(message.to_string())
    }

    /// The message without the kind.
    pub fn message(&self) -> &str {
        match self {
            Self::InvalidArguments(message) | Self::NotFound(message) | Self::Failed(message) => message,
        }
    }
}

impl fmt::Display for ToolError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.message())
    }
}

impl std::error::Error for ToolError {}
