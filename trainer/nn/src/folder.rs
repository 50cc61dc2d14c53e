//! Folders that are complete or absent: a reader never sees one half written.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Fills a new folder beside `path` by `fill`, flushes it to disk, and only then gives it the name
/// `path`, replacing a folder of that name. If anything fails, what stood at `path` before stands
/// there still.
///
/// # Errors
/// What `fill` returned, or [`Error::Io`].
pub fn write<T>(path: &Path, fill: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
    let fresh = sibling(path, "new")?;
    clear(&fresh)?;
    std::fs::create_dir(&fresh).map_err(Error::io("create", &fresh))?;
    let filled = fill(&fresh).and_then(|value| flush(&fresh).map(|()| value));
    match filled.and_then(|value| replace(&fresh, path).map(|()| value)) {
        Ok(value) => Ok(value),
        Err(error) => {
            // The error that matters is the first one; a leftover is overwritten next time.
            let _ = std::fs::remove_dir_all(&fresh);
            Err(error)
        }
    }
}

/// Moves `fresh` to `path`, keeping the old folder until the new one is in place.
fn replace(fresh: &Path, path: &Path) -> Result<()> {
    if !path.exists() {
        return std::fs::rename(fresh, path).map_err(Error::io("replace", path));
    }
    let old = sibling(path, "old")?;
    clear(&old)?;
    std::fs::rename(path, &old).map_err(Error::io("replace", path))?;
    if let Err(error) = std::fs::rename(fresh, path) {
        let _ = std::fs::rename(&old, path);
        return Err(Error::io("replace", path)(error));
    }
    clear(&old)
}

/// `.<name>.<process>.<suffix>` beside `path`, so that the final rename stays on one file system.
fn sibling(path: &Path, suffix: &str) -> Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| Error::Input(format!("`{}` does not name a folder", path.display())))?;
    Ok(path.with_file_name(format!(".{}.{}.{suffix}", name.to_string_lossy(), std::process::id())))
}

/// Removes a folder or file if it is there.
fn clear(path: &Path) -> Result<()> {
    let removed = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Flushes every file of a flat folder, and the folder's own entries, to disk.
fn flush(folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir(folder).map_err(Error::io("read", folder))? {
        let path = entry.map_err(Error::io("read", folder))?.path();
        if path.is_file() {
            std::fs::File::open(&path).and_then(|file| file.sync_all()).map_err(Error::io("flush", &path))?;
        }
    }
    std::fs::File::open(folder).and_then(|file| file.sync_all()).map_err(Error::io("flush", folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_folder() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("deep/checkpoint");
        write(&path, |dir| std::fs::write(dir.join("a"), "1").map_err(Error::io("write", dir))).unwrap();
        let failed: Result<()> = write(&path, |dir| {
            std::fs::write(dir.join("a"), "2").map_err(Error::io("write", dir))?;
            Err(Error::Input("stop".into()))
        });
        assert!(failed.is_err());
        assert_eq!(std::fs::read_to_string(path.join("a")).unwrap(), "1");
        write(&path, |dir| std::fs::write(dir.join("b"), "3").map_err(Error::io("write", dir))).unwrap();
        assert!(!path.join("a").exists(), "a replaced folder keeps nothing of the old one");
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no leftovers beside it");
    }
}
