//! Writing tools: a folder to begin with in each language ([`scaffold`](fn@scaffold)), and a component of it ([`build`](fn@build)).
//!
//! A tool's folder holds `wit/` (what it exports), `tool.toml` (what the host must know beside that) and its source; which
//! language it is in shows from the files. Building runs the language's own toolchain, found on this machine, and says what
//! to install where one is missing. The documentation in `wit/` goes into the component, where it is the tool's
//! description.
//!
//! Architecture invariant: this is the only crate of ours that knows the WIT tools (`wit-parser`, `wit-component`,
//! `wit-bindgen-c`) and foreign toolchains.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod build;
mod c;
mod docs;
mod error;
mod javascript;
mod language;
mod python;
mod rust;
mod scaffold;
mod toolchain;

pub use build::{Built, build, sources};
pub use error::AuthoringError;
pub use language::Language;
pub use scaffold::scaffold;
