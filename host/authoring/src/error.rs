//! What can go wrong when a tool is begun or built.

use std::path::PathBuf;

/// See the module.
#[derive(Debug, thiserror::Error)]
pub enum AuthoringError {
    /// No file shows the language.
    #[error(
        "`{0}` has no source that can be built\nhint: it needs `Cargo.toml` (Rust), `tool.js`, `tool.py` or `tool.c`; `tomas-host tool new` makes such a folder"
    )]
    Language(PathBuf),
    /// The folder of a new tool is there already.
    #[error("`{0}` exists and is not empty\nhint: choose another name, or remove it")]
    Exists(PathBuf),
    /// A name that WIT cannot spell.
    #[error("`{0}` cannot be the name of a new tool\nhint: use lower-case words joined by `-`, such as `count-words`")]
    Name(String),
    /// A program is not there, or not in a state to work.
    #[error("{what}\nhint: {install}")]
    Toolchain {
        /// What is missing.
        what: String,
        /// What to install, as a command.
        install: String,
    },
    /// The toolchain refused the source.
    #[error("{program} failed\n{said}")]
    Failed {
        /// Which program.
        program: String,
        /// The end of what it said.
        said: String,
    },
    /// `wit/` does not parse, or does not say which world is meant.
    #[error("`{path}` is refused: {why}")]
    Wit {
        /// The folder.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// What was built does not become a component.
    #[error("no component can be made of what was built: {0}")]
    Component(String),
    /// A file cannot be read or written.
    #[error("`{path}`: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl AuthoringError {
    /// Wraps an error of a file.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}
