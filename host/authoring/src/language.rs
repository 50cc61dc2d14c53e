//! The languages that tools are written in here.

use crate::error::AuthoringError;
use std::{fmt, path::Path, str::FromStr};

/// A language with a way to a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// `Cargo.toml`, built for `wasm32-wasip2`.
    Rust,
    /// `tool.js`, with componentize-js.
    JavaScript,
    /// `tool.py`, with componentize-py.
    Python,
    /// `tool.c`, with clang and wasi-libc.
    C,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Rust, Self::JavaScript, Self::Python, Self::C];

    /// What it is called on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::JavaScript => "javascript",
            Self::Python => "python",
            Self::C => "c",
        }
    }

    /// The file that shows it.
    #[must_use]
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Rust => "Cargo.toml",
            Self::JavaScript => "tool.js",
            Self::Python => "tool.py",
            Self::C => "tool.c",
        }
    }

    /// What its toolchain needs on this machine, or in the tool's folder, as a command.
    #[must_use]
    pub fn needs(self, folder: &Path) -> String {
        let folder = folder.display();
        match self {
            Self::Rust => "rustup target add wasm32-wasip2".to_owned(),
            Self::JavaScript => format!("npm install --prefix {folder}"),
            Self::Python => {
                format!("python3 -m venv {folder}/.venv && {folder}/.venv/bin/pip install componentize-py==0.25.1")
            }
            Self::C => "apt-get install clang lld wasi-libc libclang-rt-dev-wasm32".to_owned(),
        }
    }

    /// The language of a tool's folder.
    ///
    /// # Errors
    /// When no file shows one.
    pub fn of(folder: &Path) -> Result<Self, AuthoringError> {
        let found = Self::ALL.into_iter().find(|language| folder.join(language.mark()).is_file());
        found.ok_or_else(|| AuthoringError::Language(folder.to_owned()))
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Language {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "rust" | "rs" => Ok(Self::Rust),
            "javascript" | "js" => Ok(Self::JavaScript),
            "python" | "py" => Ok(Self::Python),
            "c" => Ok(Self::C),
            other => Err(format!("there is no `{other}` here; allowed are `rust`, `javascript`, `python` and `c`")),
        }
    }
}
