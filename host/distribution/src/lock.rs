//! Lists of digests: which bytes the tools of a folder have. What is not listed, or differs, is refused.

use crate::{
    digest::{Digest, hex},
    error::printable,
    reference::Reference,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Begins a digest of the host's own kind.
const PREFIX: &str = "blake3:";

/// A list of tools, sorted by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lock(BTreeMap<Key, Locked>);

/// Name, and whether it has a manifest: a component alone may be called like a folder beside it.
type Key = (String, bool);

/// One tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locked {
    /// What it is called; of a component alone, the name of its file.
    pub name: String,
    /// The component's BLAKE3.
    pub component: String,
    /// The manifest's BLAKE3, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
    /// Where it was pulled from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The manifest digest that the registry has it under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Digest>,
    /// Who signed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
}

/// Why a list, or a tool that it should have, is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// The text is no list.
    #[error("it is no list of digests: {0}\nhint: remove it and write it anew with `tomas-host tool lock`")]
    Malformed(String),
    /// Two entries have one name.
    #[error("it has `{0}` twice\nhint: write it anew with `tomas-host tool lock`")]
    Twice(String),
    /// A tool that is not listed.
    #[error("`{0}` is not in it\nhint: if it belongs there, run `tomas-host tool lock`")]
    Missing(String),
    /// A tool of other bytes.
    #[error(
        "the {what} of `{name}` has digest `{found}`, `{locked}` is locked\nhint: restore it, or run `tomas-host tool lock` if the change is yours"
    )]
    Changed {
        /// What was changed.
        what: &'static str,
        /// Of which tool.
        name: String,
        /// What is there.
        found: String,
        /// What is listed.
        locked: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    #[serde(default)]
    tool: Vec<Locked>,
}

impl Locked {
    /// The entry of these bytes.
    #[must_use]
    pub fn new(name: &str, component: &[u8], manifest: Option<&[u8]>) -> Self {
        let (name, component, manifest) = (name.to_owned(), digest(component), manifest.map(digest));
        Self { name, component, manifest, from: None, image: None, signer: None }
    }

    /// The same, pulled from a registry.
    #[must_use]
    pub fn pulled(self, from: &Reference, image: Digest) -> Self {
        Self { from: Some(from.to_string()), image: Some(image), ..self }
    }

    /// Whether the bytes are the same, wherever they come from.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        (&self.name, &self.component, &self.manifest) == (&other.name, &other.component, &other.manifest)
    }

    fn key(&self) -> Key {
        (self.name.clone(), self.manifest.is_some())
    }

    fn well_formed(&self) -> bool {
        let digest = |text: &String| hex(text, PREFIX).is_some();
        digest(&self.component) && self.manifest.as_ref().is_none_or(digest)
    }
}

impl Lock {
    /// Reads the text of a list. Any text may come here.
    ///
    /// # Errors
    /// When it is none, or names a tool twice.
    pub fn parse(text: &str) -> Result<Self, LockError> {
        let malformed = |why: &str| LockError::Malformed(printable(why, 300));
        let file: File = toml::from_str(text).map_err(|e| malformed(e.message()))?;
        if file.version != 1 {
            return Err(malformed(&format!("version {} is not known, 1 is", file.version)));
        }
        let mut lock = Self::default();
        for locked in file.tool {
            if !locked.well_formed() {
                return Err(malformed(&format!("`{}` has a digest that is not `blake3:` and 64 digits", locked.name)));
            }
            let name = locked.name.clone();
            if lock.put(locked).is_some() {
                return Err(LockError::Twice(printable(&name, 80)));
            }
        }
        Ok(lock)
    }

    /// The text that [`parse`](Self::parse) reads.
    #[must_use]
    pub fn text(&self) -> String {
        let file = File { version: 1, tool: self.0.values().cloned().collect() };
        // Texts always are TOML.
        let tools = toml::to_string(&file).unwrap_or_default();
        format!("# Written by `tomas-host tool lock`: what is not listed here, or differs, does not load.\n{tools}")
    }

    /// Adds an entry, and returns the one that it replaces.
    pub fn put(&mut self, locked: Locked) -> Option<Locked> {
        self.0.insert(locked.key(), locked)
    }

    /// The entry of the same name and kind.
    #[must_use]
    pub fn like(&self, locked: &Locked) -> Option<&Locked> {
        self.0.get(&locked.key())
    }

    /// All entries, by name.
    pub fn tools(&self) -> impl Iterator<Item = &Locked> {
        self.0.values()
    }

    /// Refuses bytes that are not those listed.
    ///
    /// # Errors
    /// Says what differs, or that the tool is not listed.
    pub fn check(&self, name: &str, component: &[u8], manifest: Option<&[u8]>) -> Result<(), LockError> {
        let found = Locked::new(name, component, manifest);
        let locked = self.like(&found).ok_or_else(|| LockError::Missing(name.to_owned()))?;
        let changed = |what, found: &str, locked: &str| {
            let (name, found, locked) = (name.to_owned(), found.to_owned(), locked.to_owned());
            Err(LockError::Changed { what, name, found, locked })
        };
        if found.component != locked.component {
            return changed("component", &found.component, &locked.component);
        }
        match (&found.manifest, &locked.manifest) {
            (Some(found), Some(locked)) if found != locked => changed("manifest", found, locked),
            _ => Ok(()),
        }
    }
}

fn digest(bytes: &[u8]) -> String {
    format!("{PREFIX}{}", blake3::hash(bytes).to_hex())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock() -> Lock {
        let mut lock = Lock::default();
        lock.put(Locked::new("b", b"alone", None));
        lock.put(Locked::new("b", b"component", Some(b"manifest")));
        let from = "localhost:5000/a:1".parse().unwrap();
        lock.put(Locked::new("a", b"x", Some(b"y")).pulled(&from, Digest::of(b"z")));
        lock
    }

    #[test]
    fn a_list_is_sorted_and_reads_back() {
        let text = lock().text();
        assert_eq!(Lock::parse(&text), Ok(lock()));
        assert!(text.find("name = \"a\"").unwrap() < text.find("name = \"b\"").unwrap(), "{text}");
        assert_eq!(Lock::parse(&Lock::default().text()), Ok(Lock::default()));
    }

    #[test]
    fn what_differs_or_is_missing_is_refused() {
        let lock = lock();
        assert_eq!(lock.check("b", b"component", Some(b"manifest")), Ok(()));
        assert_eq!(lock.check("b", b"alone", None), Ok(()));
        let why = |n, c: &[u8], m| lock.check(n, c, m).unwrap_err().to_string();
        assert!(why("b", b"other", Some(b"manifest")).starts_with("the component of `b`"));
        assert!(why("b", b"component", Some(b"other")).starts_with("the manifest of `b`"));
        assert!(why("a", b"x", None).starts_with("`a` is not in it"));
    }

    #[test]
    fn damaged_lists_are_refused() {
        let text = lock().text();
        let twice = format!("{text}\n[[tool]]\nname = \"b\"\ncomponent = \"blake3:{}\"\n", "0".repeat(64));
        let deep = format!("version = {}", "[".repeat(100_000));
        for bad in ["", "version = 2", "version = 1\nx = 1", "\0", &deep, &twice, &text.replace("blake3:", "blake3:x")]
        {
            assert!(Lock::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(Lock::parse(&twice), Err(LockError::Twice("b".to_owned())));
    }
}
