//! What an entry of the corpus is.

use serde_json::{Value, json};
use tomas_core::observation::Outcome;

/// One attack.
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) made: Made,
    pub(crate) tool: &'static str,
    pub(crate) arguments: Value,
    /// What the call may do to its folder.
    pub(crate) folder: Folder,
    pub(crate) ends: Ends,
}

/// How the bytes of a component come about.
pub(crate) enum Made {
    /// `tests/hostile/NAME.wat`.
    File(&'static str),
    /// A function: for what is too large to write down.
    By(fn() -> Vec<u8>),
    /// A fixture of `guest-tools`, which has many tools.
    Fixture(&'static str),
}

/// What a call may do to its folder.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Folder {
    None,
    Read,
    Write,
}

/// How it ends, and a part of the words that say so: of the error, or of the result.
pub(crate) enum Ends {
    /// When it is loaded.
    Refused(&'static str),
    /// When it is called.
    As(Outcome, &'static str),
}

fn entry(name: &'static str, kind: &'static str, made: Made, ends: Ends) -> Entry {
    Entry { name, kind, made, tool: "attack", arguments: json!({}), folder: Folder::None, ends }
}

/// An entry that is a file of its own name.
pub(crate) fn file(kind: &'static str, name: &'static str, ends: Ends) -> Entry {
    entry(name, kind, Made::File(name), ends)
}

/// An entry that a function makes.
pub(crate) fn by(kind: &'static str, name: &'static str, make: fn() -> Vec<u8>, ends: Ends) -> Entry {
    entry(name, kind, Made::By(make), ends)
}

/// An entry that is a tool of the fixture `hostile`.
pub(crate) fn hostile(
    kind: &'static str,
    name: &'static str,
    tool: &'static str,
    arguments: Value,
    ends: Ends,
) -> Entry {
    Entry { tool, arguments, ..entry(name, kind, Made::Fixture("hostile"), ends) }
}

/// An entry that is a command line of a fixture that is a program.
pub(crate) fn program(
    kind: &'static str,
    name: &'static str,
    fixture: &'static str,
    words: &[&str],
    ends: Ends,
) -> Entry {
    let arguments = json!({ "arguments": words });
    Entry { tool: "run", arguments, ..entry(name, kind, Made::Fixture(fixture), ends) }
}

/// An entry that asks the fixture `service` for a path.
pub(crate) fn service(kind: &'static str, name: &'static str, path: &str, ends: Ends) -> Entry {
    Entry { tool: "handle", arguments: json!({ "path": path }), ..entry(name, kind, Made::Fixture("service"), ends) }
}

/// An entry that calls a function of `files.wat`, with a folder to read.
pub(crate) fn files(kind: &'static str, name: &'static str, tool: &'static str, arguments: Value, ends: Ends) -> Entry {
    Entry { tool, arguments, folder: Folder::Read, ..entry(name, kind, Made::File("files"), ends) }
}

impl Entry {
    /// The same with these arguments.
    pub(crate) fn with(self, arguments: Value) -> Self {
        Self { arguments, ..self }
    }

    /// The same with another tool.
    pub(crate) fn calls(self, tool: &'static str) -> Self {
        Self { tool, ..self }
    }

    /// The same without a folder.
    pub(crate) fn without_folder(self) -> Self {
        Self { folder: Folder::None, ..self }
    }

    /// The same with a folder that can be written.
    pub(crate) fn writing(self) -> Self {
        Self { folder: Folder::Write, ..self }
    }
}
