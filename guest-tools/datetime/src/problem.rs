//! Why a question about time has no answer.

use std::fmt;

/// An error for the user: what was found and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem(String);

impl Problem {
    /// A problem with this message.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// The date is before the year -9999 or after 9999.
    pub(crate) fn too_far() -> Self {
        Self::new("the date is out of range\nhint: years up to 9999 are known")
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
