//! What can go wrong on the host's side. A tool going wrong is an observation instead.

use crate::{capability::AVAILABLE, compile::CompileError};
use std::{io, path::PathBuf};
use tomas_core::amount::Bytes;

/// The host could not run a call.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The engine cannot be built from the configuration.
    #[error("the wasm engine cannot start: {0}\nhint: lower `workers` or the sizes in [sandbox] of the configuration")]
    Engine(String),
    /// No thread can be started.
    #[error("no thread can be started for tools: {0}\nhint: raise the process limits, or lower `workers`")]
    Thread(#[source] io::Error),
    /// The folder of the call cannot be opened.
    #[error("the folder `{path}` cannot be opened: {reason}\nhint: grant a folder that exists and can be read", path = path.display())]
    Workspace {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// More instances than the pool has.
    #[error("all instance slots are taken\nhint: raise `workers`, or let the accountant admit fewer calls at once")]
    Busy,
    /// The thread of the call failed.
    #[error("the host failed while it ran the call\nhint: this is a fault of the host; see its log")]
    Panicked,
    /// `call_blocking` was called where it would block an executor.
    #[error("`call_blocking` was called inside an asynchronous runtime\nhint: use `call`")]
    InsideRuntime,
    /// wasmtime reports something that no guest should be able to cause.
    #[error("the wasm engine failed: {0}\nhint: this is a fault of the host; see its log")]
    Fault(String),
}

/// A component cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("component `{path}` cannot be read: {source}\nhint: give the path of a `.wasm` component", path = path.display())]
    File {
        /// The path as it was given.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There are no bytes.
    #[error("the component is empty\nhint: build it again, or copy it again")]
    Empty,
    /// More memories, tables or other parts than an instance may have.
    #[error(
        "the component needs more than an instance may have: {0}\nhint: fewer memories and smaller tables; see docs/architecture.md"
    )]
    Instance(String),
    /// The file is larger than allowed.
    #[error("the component has `{found}` bytes, at most `{most}` are accepted\nhint: strip it, or raise `max_component`", most = most.0)]
    TooLarge {
        /// Its length in bytes.
        found: u64,
        /// The limit.
        most: Bytes,
    },
    /// The bytes are not WebAssembly.
    #[error(
        "the file is not WebAssembly: it begins with `{0}` instead of `00 61 73 6d`\nhint: give a `.wasm` component (text format is not accepted)"
    )]
    NotWasm(String),
    /// A core module where a component is needed.
    #[error(
        "the file is a core WebAssembly module, not a component\nhint: build for `wasm32-wasip2`, or wrap it with `wasm-tools component new`"
    )]
    CoreModule,
    /// A binary format of another version.
    #[error(
        "the component has binary format version `{0}`, only `0d 00 01 00` is known\nhint: build it with a newer toolchain"
    )]
    Version(String),
    /// Compiling failed.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The component wants something that no host of ours gives.
    #[error(
        "the component imports {unknown}, which this host does not have: {reason}\nhint: available are {AVAILABLE}"
    )]
    Imports {
        /// The imports that are unknown, in backticks.
        unknown: String,
        /// What wasmtime says.
        reason: String,
    },
    /// The component exports nothing that can be called with JSON.
    #[error(
        "the component has no function that can be a tool; it exports {found}{why}\nhint: export functions of plain types, or the world `tomas:tool/tool`, for instance with the SDK in guest-tools/sdk"
    )]
    NoTools {
        /// What it exports, in backticks.
        found: String,
        /// Why functions were left out.
        why: String,
    },
    /// The component does not export the world `tool` rightly.
    #[error(
        "the component lacks {missing}; it exports {found}\nhint: export the world `tomas:tool/tool`, for instance with the SDK in guest-tools/sdk"
    )]
    Exports {
        /// What is missing or has another type, in backticks.
        missing: String,
        /// What it exports.
        found: String,
    },
    /// `describe` does not say what it should.
    #[error(
        "`describe` of the component {0}\nhint: it must return a JSON array of {{\"name\", \"description\", \"parameters\", \"result\"}}"
    )]
    Describe(String),
    /// The host is at fault.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
}
