//! The one error type of this package.

use std::path::{Path, PathBuf};

/// What can go wrong with tensors, files and action sequences.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A tensor operation failed: shapes that do not fit, or a device at fault.
    #[error("tensor operation failed: {0}")]
    Tensor(#[from] candle_core::Error),
    /// A file or folder could not be read or written.
    #[error("cannot {verb} `{path}`: {source}", path = path.display())]
    Io {
        /// What was tried, as a verb: `read`, `write`, `replace`.
        verb: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The reason the operating system gave.
        source: std::io::Error,
    },
    /// A file was read but does not hold what it should.
    #[error("`{path}` is malformed: {reason}\nhint: {hint}", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What was found, and what was allowed.
        reason: String,
        /// What the reader can do about it.
        hint: &'static str,
    },
    /// A tensor that the network needs is not in the weights.
    #[error(
        "tensor `{name}` is missing\nhint: the weights belong to another network; load them with the config saved beside them"
    )]
    Missing {
        /// The tensor's full name.
        name: String,
    },
    /// A tensor has another shape than the config asks for.
    #[error(
        "tensor `{name}` has shape `{found:?}`, but the config asks for `{expected:?}`\nhint: load the weights with the config saved beside them"
    )]
    Shape {
        /// The tensor's full name.
        name: String,
        /// The shape in the weights.
        found: Vec<usize>,
        /// The shape the config asks for.
        expected: Vec<usize>,
    },
    /// A config is readable but impossible.
    #[error("impossible config: {0}")]
    Config(String),
    /// A tokenizer could not be made or used.
    #[error("tokenizer: {0}")]
    Tokenizer(String),
    /// An action is not allowed where it stands, or points outside the request.
    #[error("action {index}: {reason}")]
    Script {
        /// Index into the sequence of actions.
        index: usize,
        /// What was found, and what was allowed.
        reason: String,
    },
    /// Whoever asked for the work wants it no more.
    #[error("stopped")]
    Stopped,
    /// Arguments of a call do not fit the network (a piece or a symbol out of range).
    #[error("{0}")]
    Input(String),
}

/// Shorthand used throughout the package.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Wraps an I/O error with the verb and the path it happened on.
    pub fn io(verb: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { verb, path, source }
    }

    /// A malformed file, with the usual hint.
    pub(crate) fn malformed(path: &Path, reason: impl Into<String>) -> Self {
        let hint = "restore the file from its source, or build the checkpoint again";
        Self::Malformed { path: path.to_path_buf(), reason: reason.into(), hint }
    }
}
