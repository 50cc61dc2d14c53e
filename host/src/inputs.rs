//! Inputs of a call that are not arguments: named bytes and a folder.

use anyhow::{Context as _, bail};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use tomas_core::{amount::Bytes, manifest::Sample, observation::BlobRef};
use tomas_sandbox::{Room, Workspace};

/// What a call may read.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// Bytes by name.
    pub blobs: BTreeMap<String, Arc<[u8]>>,
    /// Name, digest and size of each of [`blobs`](Self::blobs), in the order in which they came.
    pub attachments: Vec<BlobRef>,
    /// The folder seen at `/workspace`.
    pub folder: Option<PathBuf>,
    /// Bytes of all files in it.
    pub folder_bytes: u64,
    /// How much tools may write into it; nothing without.
    pub room: Option<Room>,
}

/// The most files: every request stores their names, and the planner reads them.
const MOST_FILES: usize = 256;

/// Why files are not taken in.
#[derive(Debug, thiserror::Error)]
pub enum NoRoom {
    /// They are too large together.
    #[error(
        "attachments would have `{found}` bytes together, `{allowed}` are allowed\n\
         hint: attach less, or raise [session] attachments", allowed = .allowed.0
    )]
    Full {
        /// Bytes with the new ones.
        found: u64,
        /// The limit.
        allowed: Bytes,
    },
    /// They are too many.
    #[error("there are {MOST_FILES} attachments, which is the most allowed\nhint: reuse a name, or begin anew")]
    Many,
}

/// Checks that files of these names and lengths fit beside the others, or in the place of those of the same name.
///
/// # Errors
/// When they are too many or too large together.
pub fn room(others: &[BlobRef], new: &[(&str, u64)], allowed: Bytes) -> Result<(), NoRoom> {
    let stay = others.iter().filter(|other| new.iter().all(|(name, _)| other.name != *name));
    let (count, bytes) = stay.fold((new.len(), 0u64), |(n, bytes), blob| (n + 1, bytes.saturating_add(blob.bytes)));
    let found = new.iter().fold(bytes, |sum, (_, bytes)| sum.saturating_add(*bytes));
    if count > MOST_FILES {
        Err(NoRoom::Many)
    } else if found > allowed.0 {
        Err(NoRoom::Full { found, allowed })
    } else {
        Ok(())
    }
}

/// Most files and folders that are looked at to size a folder.
const MAX_ENTRIES: usize = 200_000;

/// The largest attachment of a sample.
const SAMPLE: Bytes = Bytes::mib(256);

impl Inputs {
    /// Adds bytes under a name; they replace earlier ones of that name.
    pub fn attach(&mut self, name: &str, bytes: Vec<u8>) -> BlobRef {
        let blob = describe(name, &bytes);
        self.attachments.retain(|b| b.name != name);
        self.attachments.push(blob.clone());
        self.blobs.insert(name.to_owned(), bytes.into());
        blob
    }

    /// Adds a file of at most `most` bytes under its file name.
    ///
    /// # Errors
    /// When it cannot be read or is larger, or its name is not one that arguments can spell.
    pub fn attach_file(&mut self, path: &Path, most: Bytes) -> anyhow::Result<BlobRef> {
        let failed = || format!("attachment `{}` cannot be read\nhint: give the path of a file", path.display());
        if !fs::metadata(path).with_context(failed)?.is_file() {
            bail!("attachment `{}` is not a file\nhint: give a file; --folder grants a folder", path.display());
        }
        let bytes = crate::files::read(path, most).with_context(failed)?;
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        check_name(name).with_context(|| format!("attachment `{}` is refused", path.display()))?;
        if self.blobs.contains_key(name) {
            bail!("two attachments are named `{name}`\nhint: rename one of them");
        }
        Ok(self.attach(name, bytes))
    }

    /// Grants a folder.
    ///
    /// # Errors
    /// When it is not a folder that can be read, or is too large.
    pub fn grant_folder(&mut self, folder: &Path) -> anyhow::Result<()> {
        let folder = folder.canonicalize().with_context(|| {
            format!("folder `{}` cannot be opened\nhint: give the path of a folder", folder.display())
        })?;
        self.folder_bytes = folder_bytes(&folder)?;
        self.folder = Some(folder);
        Ok(())
    }

    /// The folder as a call sees it.
    #[must_use]
    pub fn workspace(&self) -> Option<Workspace> {
        Some(Workspace { folder: self.folder.clone()?, writable: self.room.clone() })
    }

    /// What a manifest's sample needs. A repeated folder is copied to `scratch`.
    ///
    /// # Errors
    /// When a file of the sample cannot be read, or `scratch` not written.
    pub fn of_sample(sample: &Sample, manifest: &Path, scratch: &Path) -> anyhow::Result<Self> {
        let mut inputs = Self::default();
        for (name, blob) in &sample.blobs {
            let path = manifest.join(&blob.path);
            let bytes = crate::files::read(&path, SAMPLE).context("a sample file is refused")?;
            let whole = bytes.len() as u64 * u64::from(blob.repeat.max(1));
            if whole > SAMPLE.0 {
                bail!(
                    "sample file `{}` repeated {} times has {whole} bytes; allowed are {SAMPLE}\nhint: correct [[samples]] in tool.toml",
                    path.display(),
                    blob.repeat
                );
            }
            inputs.attach(name, bytes.repeat(blob.repeat.max(1) as usize));
        }
        if let Some(files) = &sample.files {
            let folder = manifest.join(files);
            if sample.repeat <= 1 {
                inputs.grant_folder(&folder)?;
            } else {
                let copies = scratch.join(format!("{}-{}", files.replace(['/', '\\'], "-"), sample.repeat));
                for n in 0..sample.repeat {
                    copy(&folder, &copies.join(format!("{n:04}")))?;
                }
                inputs.grant_folder(&copies)?;
            }
        }
        Ok(inputs)
    }
}

/// Name, digest, length and, for images, pixels of some bytes.
#[must_use]
pub fn describe(name: &str, bytes: &[u8]) -> BlobRef {
    let pixels = imagesize::blob_size(bytes).ok().map(|s| (s.width as u64).saturating_mul(s.height as u64));
    BlobRef {
        name: name.to_owned(),
        digest: blake3::hash(bytes).to_hex().to_string(),
        bytes: bytes.len() as u64,
        pixels,
    }
}

/// Checks a name that arguments will spell as `blob:NAME`.
///
/// # Errors
/// When it is empty, too long, hidden, a path, or has control characters.
pub fn check_name(name: &str) -> anyhow::Result<()> {
    // U+FFFD stands for bytes that were not UTF-8.
    let plain =
        !name.starts_with('.') && !name.contains(['/', '\\', ':', '\u{fffd}']) && !name.chars().any(char::is_control);
    if name.is_empty() || name.len() > 255 || !plain {
        let shown: String = name.chars().take(80).collect();
        bail!(
            "`{}` is not a name for an attachment\n\
             hint: use a plain UTF-8 file name of 1 to 255 bytes, such as `notes.txt`",
            shown.escape_debug()
        );
    }
    Ok(())
}

/// Bytes of all files below a folder. Links are not followed.
fn folder_bytes(folder: &Path) -> anyhow::Result<u64> {
    let (mut bytes, mut seen, mut open) = (0u64, 0usize, vec![folder.to_owned()]);
    while let Some(next) = open.pop() {
        let entries = match fs::read_dir(&next) {
            Ok(entries) => entries,
            // A folder below that may not be entered is invisible to tools as well.
            Err(_) if next != folder => continue,
            Err(e) => return Err(e).with_context(|| format!("folder `{}` cannot be listed", next.display())),
        };
        for entry in entries.flatten() {
            seen += 1;
            if seen > MAX_ENTRIES {
                bail!(
                    "folder `{}` holds more than `{MAX_ENTRIES}` files\nhint: grant a folder below it",
                    folder.display()
                );
            }
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(entry.path()),
                Ok(kind) if kind.is_file() => {
                    bytes = bytes.saturating_add(entry.metadata().map_or(0, |m| m.len()));
                }
                _ => {}
            }
        }
    }
    Ok(bytes)
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let failed = || format!("`{}` cannot be copied to `{}`", from.display(), to.display());
    fs::create_dir_all(to).with_context(failed)?;
    for entry in fs::read_dir(from).with_context(failed)? {
        let entry = entry.with_context(failed)?;
        let target = to.join(entry.file_name());
        if entry.file_type().with_context(failed)?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target).with_context(failed)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_headers_give_pixels() {
        // The head of a 3 × 2 GIF.
        let gif = b"GIF89a\x03\x00\x02\x00\x00\x00\x00;";
        assert_eq!(describe("a.gif", gif).pixels, Some(6));
        assert_eq!(describe("a.txt", b"hello").pixels, None);
        assert_eq!(describe("a.txt", b"").bytes, 0);
    }

    #[test]
    fn only_plain_names_are_attached() {
        for name in ["notes.txt", "a b.png", "ünïcode.csv"] {
            check_name(name).unwrap();
        }
        for name in ["", ".hidden", "a/b", "..", "a:b", "a\nb", &"x".repeat(256)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_folder_is_sized_with_what_lies_below() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("below")).unwrap();
        fs::write(root.path().join("a"), "123").unwrap();
        fs::write(root.path().join("below/b"), "45").unwrap();
        let mut inputs = Inputs::default();
        inputs.grant_folder(root.path()).unwrap();
        assert_eq!(inputs.folder_bytes, 5);
        assert!(inputs.grant_folder(&root.path().join("a")).is_err());
        assert!(inputs.grant_folder(&root.path().join("absent")).is_err());
    }
}
