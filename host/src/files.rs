//! Writing files so that they are complete or absent.

use anyhow::Context as _;
use std::{fs, io::Write as _, path::Path};

/// Writes a file through a temporary one beside it, and renames it when all bytes are on the disk. Folders are made.
///
/// # Errors
/// When the disk does not take it; an earlier file of that name is then still there.
pub fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let failed = || format!("`{}` cannot be written\nhint: is the disk full, or the folder read-only?", path.display());
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).with_context(failed)?;
    let mut partial = tempfile::NamedTempFile::new_in(folder).with_context(failed)?;
    partial.write_all(bytes).with_context(failed)?;
    partial.as_file().sync_all().with_context(failed)?;
    readable(partial.as_file()).with_context(failed)?;
    partial.persist(path).map_err(|e| e.error).with_context(failed)?;
    Ok(())
}

/// Temporary files are private; what replaces an ordinary file should be an ordinary file.
fn readable(file: &fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(test)]
mod tests {
    use super::*;

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
