//! Blobs: bytes by their BLAKE3 digest, one file each, written once.

use anyhow::{Context as _, bail};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use tomas_core::observation::BlobRef;

/// A folder of blobs.
#[derive(Debug, Clone)]
pub struct Blobs {
    folder: PathBuf,
}

impl Blobs {
    /// The blobs of a folder, which is made when the first one is written.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Stores the bytes that `blob` describes. They are on the disk when this returns. Blocks.
    ///
    /// # Errors
    /// When the disk does not take them.
    pub fn put(&self, blob: &BlobRef, bytes: &[u8]) -> anyhow::Result<()> {
        let path = self.path(&blob.digest)?;
        if path.is_file() { Ok(()) } else { crate::files::replace(&path, bytes) }
    }

    /// Reads the bytes of a digest. Blocks.
    ///
    /// # Errors
    /// When they are not there, or are damaged.
    pub fn get(&self, digest: &str) -> anyhow::Result<Vec<u8>> {
        let path = self.path(digest)?;
        let bytes = fs::read(&path).with_context(|| format!("blob `{digest}` cannot be read"))?;
        if blake3::hash(&bytes).to_hex().as_str() != digest {
            let damaged = io::Error::from(io::ErrorKind::InvalidData);
            return Err(damaged).with_context(|| format!("blob `{}` does not match its digest", path.display()));
        }
        Ok(bytes)
    }

    /// `blobs/ab/abcdef…`: two levels, because some file systems slow down with many files in one folder.
    fn path(&self, digest: &str) -> anyhow::Result<PathBuf> {
        let hex = digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit());
        match digest.get(..2) {
            Some(head) if hex => Ok(self.folder.join(head).join(digest)),
            _ => bail!("`{digest}` is not a digest: 64 hexadecimal digits are wanted"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::describe;

    #[test]
    fn bytes_come_back_and_damage_is_noticed() {
        let root = tempfile::tempdir().unwrap();
        let blobs = Blobs::new(root.path());
        let blob = describe("a.txt", b"hello");
        blobs.put(&blob, b"hello").unwrap();
        blobs.put(&blob, b"hello").unwrap();
        assert_eq!(blobs.get(&blob.digest).unwrap(), b"hello");
        fs::write(blobs.path(&blob.digest).unwrap(), "hallo").unwrap();
        assert!(blobs.get(&blob.digest).unwrap_err().to_string().contains("does not match"));
        for bad in ["", "../../etc/passwd", &"é".repeat(32), &"0".repeat(64)] {
            assert!(blobs.get(bad).is_err(), "{bad}");
        }
    }
}
