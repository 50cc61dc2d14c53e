//! Files that are complete or absent when written, and of bounded size when read.

use anyhow::{Context as _, bail};
use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
};
use tomas_core::amount::Bytes;

/// Writes a file through a temporary one beside it, and renames it when all bytes are on the disk. Folders are made.
///
/// # Errors
/// When the disk does not take it; an earlier file of that name is then still there.
pub fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    write(path, bytes, 0o644)
}

/// As [`replace`], for what nobody else of the machine should read.
///
/// # Errors
/// As [`replace`].
pub fn replace_private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    write(path, bytes, 0o600)
}

/// Temporary files are private; what replaces an ordinary file should be an ordinary file.
fn write(path: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    let failed = || format!("`{}` cannot be written\nhint: is the disk full, or the folder read-only?", path.display());
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).with_context(failed)?;
    let mut partial = tempfile::NamedTempFile::new_in(folder).with_context(failed)?;
    partial.write_all(bytes).with_context(failed)?;
    partial.as_file().sync_all().with_context(failed)?;
    partial.as_file().set_permissions(fs::Permissions::from_mode(mode)).with_context(failed)?;
    partial.persist(path).map_err(|e| e.error).with_context(failed)?;
    Ok(())
}

/// Reads a regular file of at most `most` bytes.
///
/// # Errors
/// When it cannot be read, is a folder, a device or a pipe, or is larger.
pub fn read(path: &Path, most: Bytes) -> anyhow::Result<Vec<u8>> {
    let failed = || format!("`{}` cannot be read", path.display());
    let file = fs::File::open(path).with_context(failed)?;
    if !file.metadata().with_context(failed)?.is_file() {
        bail!("`{}` is not a regular file\nhint: give the path of a file", path.display());
    }
    let mut bytes = Vec::new();
    file.take(most.0.saturating_add(1)).read_to_end(&mut bytes).with_context(failed)?;
    if bytes.len() as u64 > most.0 {
        bail!("`{}` has more than {most}, which is the most allowed\nhint: give a smaller file", path.display());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_bounded_size_are_read() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a");
        fs::write(&path, "1234").unwrap();
        assert_eq!(read(&path, Bytes(4)).unwrap(), b"1234");
        assert!(read(&path, Bytes(3)).unwrap_err().to_string().contains("more than"));
        assert!(read(root.path(), Bytes(9)).unwrap_err().to_string().contains("not a regular file"));
        assert!(read(Path::new("/dev/zero"), Bytes(9)).unwrap_err().to_string().contains("not a regular file"));
    }

    #[test]
    fn a_file_is_replaced_and_folders_are_made() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a/b.txt");
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(root.path().join("a")).unwrap().count(), 1);
        assert!(replace(root.path(), b"x").is_err());
    }
}
