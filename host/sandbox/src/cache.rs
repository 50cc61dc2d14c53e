//! The cache of machine code: a folder that is ours alone.
//!
//! Running machine code from a file is as unsafe as running a program from it, so a file is used only if its keyed
//! BLAKE3 digest, under a key that only this user can read, says that this host wrote it for this component and this
//! engine. Whatever else is found is ignored and written anew. No failure of the cache fails a load.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::SystemTime,
};

/// Length of a key, and of the digest in front of each file, in bytes.
const KEY: usize = 32;

/// Extension of the cache's files.
const EXTENSION: &str = "cwasm";

/// An opened cache.
pub(crate) struct Cache {
    folder: PathBuf,
    key: [u8; KEY],
    most: u64,
}

impl Cache {
    /// Opens the cache in `folder` and makes it where it does not exist. It keeps at most `most` bytes.
    ///
    /// # Errors
    /// When the folder or its key cannot be made, or others have access to them.
    pub(crate) fn open(folder: &Path, most: u64) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        private(&fs::metadata(folder)?, folder)?;
        let key = key(&folder.join("key"))?;
        Ok(Self { folder: folder.to_owned(), key, most })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name).with_extension(EXTENSION)
    }

    fn digest(&self, name: &str, code: &[u8]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(&(name.len() as u64).to_le_bytes()).update(name.as_bytes()).update(code);
        hasher.finalize()
    }

    /// The machine code kept under `name`, if it is what this host put there.
    pub(crate) fn get(&self, name: &str) -> Option<Vec<u8>> {
        let path = self.path(name);
        let mut file = File::open(&path).ok()?;
        let mut digest = [0; KEY];
        let mut code = Vec::new();
        let read = file.read_exact(&mut digest).and_then(|()| file.read_to_end(&mut code));
        // `Hash` compares in constant time.
        if read.is_err() || self.digest(name, &code) != digest {
            tracing::warn!(path = %path.display(), "damaged or foreign file in the compile cache; compiling again");
            return None;
        }
        drop(file.set_modified(SystemTime::now())); // only decides what is evicted first
        Some(code)
    }

    /// Keeps `code` under `name`. The file appears complete or not at all.
    pub(crate) fn put(&self, name: &str, code: &[u8]) {
        self.evict(code.len() as u64);
        if let Err(error) = self.write(name, code) {
            tracing::warn!(folder = %self.folder.display(), %error, "cannot keep machine code; it is compiled again at the next start");
        }
    }

    fn write(&self, name: &str, code: &[u8]) -> io::Result<()> {
        let unique = blake3::Hash::from_bytes(random()?).to_hex();
        let draft = self.folder.join(format!("{unique}.tmp"));
        let written = (|| {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
            file.write_all(self.digest(name, code).as_bytes())?;
            file.write_all(code)?;
            file.sync_data()?;
            fs::rename(&draft, self.path(name))
        })();
        if written.is_err() {
            drop(fs::remove_file(&draft));
        }
        written
    }

    /// Removes the files unused for longest until `coming` bytes fit, and drafts that a crash left behind.
    fn evict(&self, coming: u64) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        let mut files: Vec<_> =
            entries.flatten().filter_map(|entry| Some((entry.path(), entry.metadata().ok()?))).collect();
        files.retain(|(path, _)| path.extension().is_some_and(|extension| extension == EXTENSION));
        files.sort_by_key(|(_, metadata)| metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH));
        let mut total = files.iter().map(|(_, metadata)| metadata.len()).fold(coming, u64::saturating_add);
        for (path, metadata) in files {
            if total <= self.most {
                break;
            }
            if fs::remove_file(path).is_ok() {
                total = total.saturating_sub(metadata.len());
            }
        }
    }
}

/// Refuses what others could have written to.
fn private(metadata: &fs::Metadata, path: &Path) -> io::Result<()> {
    #[expect(unsafe_code, reason = "geteuid has no preconditions")]
    let own = unsafe { libc::geteuid() };
    if metadata.uid() == own && metadata.mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "`{}` belongs to user {} with mode {:o}, it must belong to {own} with no access for others",
        path.display(),
        metadata.uid(),
        metadata.mode() & 0o777,
    )))
}

/// Reads the key, or makes one.
fn key(path: &Path) -> io::Result<[u8; KEY]> {
    match read_key(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => make_key(path),
        // A key cut short authenticates nothing: a new one makes all files foreign, which is safe.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            fs::remove_file(path)?;
            make_key(path)
        }
        other => other,
    }
}

fn read_key(path: &Path) -> io::Result<[u8; KEY]> {
    let mut file = File::open(path)?;
    private(&file.metadata()?, path)?;
    let mut key = [0; KEY];
    file.read_exact(&mut key)?;
    Ok(key)
}

/// Two processes may do this at once: the first link wins and both read the winner's key.
fn make_key(path: &Path) -> io::Result<[u8; KEY]> {
    let draft = path.with_extension(format!("{}.tmp", blake3::Hash::from_bytes(random()?).to_hex()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(&random()?)?;
    file.sync_data()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => read_key(path),
    }
}

fn random() -> io::Result<[u8; KEY]> {
    let mut bytes = [0; KEY];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn opened(folder: &Path) -> Cache {
        Cache::open(folder, 1 << 20).unwrap()
    }

    #[test]
    fn what_is_kept_comes_back_to_the_same_name_and_key_only() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        let cache = opened(&one);
        cache.put("a", b"code");
        assert_eq!(opened(&one).get("a").as_deref(), Some(&b"code"[..]));
        assert_eq!(cache.get("b"), None);
        fs::copy(cache.path("a"), cache.path("b")).unwrap();
        assert_eq!(cache.get("b"), None, "a file renamed to another component");
        let other = opened(&two);
        fs::copy(cache.path("a"), other.path("a")).unwrap();
        assert_eq!(other.get("a"), None, "a file written under another key");
    }

    #[test]
    fn damage_is_noticed_at_every_byte() {
        let folder = tempfile::tempdir().unwrap();
        let cache = opened(&folder.path().join("cache"));
        cache.put("a", b"0123456789");
        let good = fs::read(cache.path("a")).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(cache.path("a"), &bad).unwrap();
            assert_eq!(cache.get("a"), None, "byte {at}");
            fs::write(cache.path("a"), &good[..at]).unwrap();
            assert_eq!(cache.get("a"), None, "cut at {at}");
        }
        fs::write(cache.path("a"), &good).unwrap();
        assert!(cache.get("a").is_some());
    }

    #[test]
    fn folder_and_key_are_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache");
        drop(opened(&path));
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&path), mode(&path.join("key"))), (0o700, 0o600));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(Cache::open(&path, 0).is_err(), "others can read the folder");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        fs::set_permissions(path.join("key"), fs::Permissions::from_mode(0o644)).unwrap();
        assert!(Cache::open(&path, 0).is_err(), "others can read the key");
    }

    #[test]
    fn a_key_cut_short_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache");
        let cache = opened(&path);
        cache.put("a", b"code");
        fs::write(path.join("key"), b"short").unwrap();
        let renewed = opened(&path);
        assert_ne!(renewed.key, cache.key);
        assert_eq!(renewed.get("a"), None);
    }

    #[test]
    fn the_oldest_files_make_room() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(&folder.path().join("cache"), 3000).unwrap();
        for name in ["a", "b"] {
            cache.put(name, &[7; 1000]);
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        assert!(cache.get("a").is_some(), "using a file makes it young");
        cache.put("c", &[7; 1000]);
        assert_eq!(["a", "b", "c"].map(|name| cache.get(name).is_some()), [true, false, true]);
    }
}
