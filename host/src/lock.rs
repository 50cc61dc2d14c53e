//! `tools.lock`: the digests of a folder's tools. Where a folder has one, what is not in it, or differs, does not load.

use crate::{
    files,
    tools::{self, Folder},
};
use anyhow::Context as _;
use std::path::{Path, PathBuf};
use tomas_core::amount::Bytes;
use tomas_distribution::{Lock, Locked};
use tomas_sandbox::Sandbox;

/// The file, in a folder of tools.
pub const FILE: &str = "tools.lock";

/// Most bytes of it: tens of thousands of tools.
const MOST: Bytes = Bytes::mib(16);

/// The lock of a folder, as it was read.
#[derive(Debug, Clone)]
pub struct Held {
    path: PathBuf,
    /// What it lists.
    pub lock: Lock,
}

impl Held {
    /// Reads the lock of a folder, if it has one.
    ///
    /// # Errors
    /// When it cannot be read or is damaged: a lock that is there is never passed over.
    pub fn of(folder: &Path) -> anyhow::Result<Option<Self>> {
        let path = folder.join(FILE);
        if path.symlink_metadata().is_err() {
            return Ok(None);
        }
        let refused = || format!("lock `{}` is refused", path.display());
        let text = String::from_utf8(files::read(&path, MOST)?).with_context(refused)?;
        let lock = Lock::parse(&text).with_context(refused)?;
        Ok(Some(Self { path, lock }))
    }

    /// Refuses bytes that are not those listed.
    ///
    /// # Errors
    /// Says what differs, or that the tool is not listed.
    pub fn check(&self, name: &str, component: &[u8], manifest: Option<&[u8]>) -> anyhow::Result<()> {
        let checked = self.lock.check(name, component, manifest);
        checked.with_context(|| format!("lock `{}` has something against it", self.path.display()))
    }

    /// Writes it back with this entry.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn put(&mut self, locked: Locked) -> anyhow::Result<()> {
        self.lock.put(locked);
        files::replace(&self.path, self.lock.text().as_bytes())
    }
}

/// The lock that a folder should have. What is known of where a tool was pulled from is kept while its bytes are the
/// same. Tools that are not built are left out.
///
/// # Errors
/// When a tool cannot be read, or carries a signature that is not its own.
pub fn of(folder: &Path, before: Option<&Lock>, sandbox: &Sandbox) -> anyhow::Result<Lock> {
    let folders = [Folder::open(folder)];
    let found = tools::discover(&folders)?;
    let alone = tools::alone(&found, &folders);
    let mut lock = Lock::default();
    let mut put = |papers: &crate::trust::Papers, component: &[u8]| {
        let mut locked = Locked::new(&papers.name, component, papers.manifest.as_deref());
        let signer = papers.signer(component).with_context(|| format!("tool `{}` is refused", papers.name))?;
        locked.signer = signer.map(ToString::to_string);
        if let Some(known) = before.and_then(|lock| lock.like(&locked)).filter(|known| known.same(&locked)) {
            (locked.from, locked.image) = (known.from.clone(), known.image);
        }
        lock.put(locked);
        anyhow::Ok(())
    };
    for found in found.iter().filter(|found| found.component.is_some()) {
        put(found.papers(), &found.bytes(sandbox)?)?;
    }
    for (path, folder) in alone {
        put(&folder.papers_alone(&path)?, &tools::read(&path, sandbox)?)?;
    }
    Ok(lock)
}

/// What makes two locks differ, a line for each tool.
#[must_use]
pub fn differences(before: &Lock, after: &Lock) -> Vec<String> {
    let kind = |locked: &Locked| if locked.manifest.is_some() { "tool" } else { "component" };
    let mut lines = Vec::new();
    for locked in after.tools() {
        match before.like(locked) {
            None => lines.push(format!("{} `{}` is new", kind(locked), locked.name)),
            Some(known) if known != locked => lines.push(format!("{} `{}` changed", kind(locked), locked.name)),
            Some(_) => {}
        }
    }
    let gone = before.tools().filter(|locked| after.like(locked).is_none());
    lines.extend(gone.map(|locked| format!("{} `{}` is gone", kind(locked), locked.name)));
    lines
}
