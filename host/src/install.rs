//! How a tool that came from elsewhere is put into a folder of tools: whole or not at all.

use crate::{
    files, lock,
    parcel::Parcel,
    tools::{self, Folder},
    trust,
};
use anyhow::{Context as _, bail};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use tomas_core::amount::Bytes;
use tomas_distribution::{Digest, Locked, Reference};

/// What became of a parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It is there now.
    New,
    /// It was there before, byte for byte.
    Same,
}

impl Parcel {
    /// Puts it into a folder of tools, and into that folder's lock where it has one. What is there and differs is only
    /// replaced by `force`.
    ///
    /// # Errors
    /// When something is in the way, or the disk does not take it; then the folder is as it was.
    pub fn put(&self, folder: &Path, force: bool, from: &Reference, image: Digest) -> anyhow::Result<(Put, PathBuf)> {
        // A damaged lock is an error before anything is written.
        let lock = lock::Held::of(folder)?;
        let files = self.files(folder)?;
        let target = match &self.manifest {
            Some(_) => folder.join(self.name.as_str()),
            None => folder.join(format!("{}.wasm", self.name)),
        };
        let put = if holds(&target, &files) {
            Put::Same
        } else {
            if target.symlink_metadata().is_ok() {
                replaceable(&target, force)?;
            }
            match &self.manifest {
                Some(_) => place(folder, &target, &files)?,
                None => files::replace(&target, &self.component)?,
            }
            Put::New
        };
        if let Some(mut lock) = lock {
            let manifest = self.manifest.as_ref().map(|(text, _)| text.as_bytes());
            let mut locked = Locked::new(self.name.as_str(), &self.component, manifest).pulled(from, image);
            locked.signer = self.signer.as_ref().map(ToString::to_string);
            lock.put(locked)?;
        }
        Ok((put, target))
    }

    /// What its folder will hold, by name; of a component alone, the component under no name.
    fn files(&self, folder: &Path) -> anyhow::Result<BTreeMap<String, &[u8]>> {
        let Some((text, manifest)) = &self.manifest else {
            return Ok(BTreeMap::from([(String::new(), self.component.as_slice())]));
        };
        let component = match &manifest.component {
            Some(file) => file.clone(),
            None => {
                let file = format!("{}.wasm", self.name);
                let built = folder.join("dist").join(&file);
                if built.symlink_metadata().is_ok() {
                    bail!(
                        "`{}` would be taken for the component of `{}`\nhint: pull into another folder with --into",
                        built.display(),
                        self.name
                    );
                }
                file
            }
        };
        let signature = self.signature.as_ref().map(|text| (trust::SIGNATURE.to_owned(), text.as_bytes()));
        let files = [(component, self.component.as_slice()), ("tool.toml".to_owned(), text.as_bytes())];
        Ok(files.into_iter().chain(signature).collect())
    }
}

/// Refuses a tool that another folder has under the same name: then neither would load.
///
/// # Errors
/// Says where it is.
pub fn alone(parcel: &Parcel, into: &Path, folders: &[Folder]) -> anyhow::Result<()> {
    if parcel.manifest.is_none() {
        return Ok(());
    }
    let here = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let target = here(into).join(parcel.name.as_str());
    let found = tools::discover(folders)?;
    match found.iter().find(|found| found.manifest.name == parcel.name && here(&found.folder) != target) {
        Some(found) => bail!(
            "tool `{}` is in `{}` already\nhint: remove it there first; two tools of one name do not load",
            parcel.name,
            found.folder.display()
        ),
        None => Ok(()),
    }
}

/// Whether exactly these files are there.
fn holds(target: &Path, files: &BTreeMap<String, &[u8]>) -> bool {
    let same = |(name, bytes): (&String, &&[u8])| {
        let path = if name.is_empty() { target.to_owned() } else { target.join(name) };
        files::read(&path, Bytes(bytes.len() as u64)).is_ok_and(|found| found == *bytes)
    };
    // A signature that is there and did not come would not be of these bytes.
    files.iter().all(same) && (files.contains_key(trust::SIGNATURE) || !target.join(trust::SIGNATURE).exists())
}

/// Refuses to replace what is there, or what is more than a tool that was pulled.
fn replaceable(target: &Path, force: bool) -> anyhow::Result<()> {
    let shown = target.display();
    if !force {
        bail!("`{shown}` exists and differs\nhint: replace it with --force, or pull into another folder with --into");
    }
    let Ok(entries) = fs::read_dir(target) else { return Ok(()) };
    let pulled = |name: &str| name == "tool.toml" || name == trust::SIGNATURE || name.ends_with(".wasm");
    for entry in entries {
        let name = entry.with_context(|| format!("`{shown}` cannot be read"))?.file_name();
        if !name.to_str().is_some_and(pulled) {
            bail!(
                "`{shown}` also holds `{}`, which would be lost\n\
                 hint: it was not pulled; move it away, or pull into another folder with --into",
                name.display()
            );
        }
    }
    Ok(())
}

/// Writes the files beside the target and moves them there in one go, with what was there moved out of the way first.
fn place(folder: &Path, target: &Path, files: &BTreeMap<String, &[u8]>) -> anyhow::Result<()> {
    let failed =
        || format!("`{}` cannot be written\nhint: is the disk full, or the folder read-only?", target.display());
    fs::create_dir_all(folder).with_context(failed)?;
    // One level deeper than a host looks for tools.
    let draft = tempfile::Builder::new().prefix(".pull-").tempdir_in(folder).with_context(failed)?;
    let (new, old) = (draft.path().join("new"), draft.path().join("old"));
    fs::create_dir(&new).with_context(failed)?;
    for (name, bytes) in files {
        files::replace(&new.join(name), bytes)?;
    }
    let replaces = target.symlink_metadata().is_ok();
    if replaces {
        fs::rename(target, &old).with_context(failed)?;
    }
    let placed = fs::rename(&new, target);
    if placed.is_err() && replaces && fs::rename(&old, target).is_err() {
        // What was there is now in the draft, and must not go with it.
        drop(draft.keep());
    }
    placed.with_context(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parcel::MANIFEST;
    use tomas_distribution::Artifact;

    const MINIMAL: &str = "name = \"loud\"\ncomponent = \"any.wasm\"\n";

    fn reference() -> Reference {
        "localhost:5000/a/loud.tool:1".parse().unwrap()
    }

    fn artifact(manifest: Option<&str>, component: &[u8]) -> Artifact {
        let annotations = manifest.map(|text| (MANIFEST.to_owned(), text.to_owned()));
        Artifact { component: component.to_vec(), annotations: annotations.into_iter().collect() }
    }

    fn put(folder: &Path, manifest: Option<&str>, component: &[u8], force: bool) -> anyhow::Result<(Put, PathBuf)> {
        Parcel::open(artifact(manifest, component), &reference())?.put(folder, force, &reference(), Digest::of(b""))
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = entries.collect();
        names.sort();
        names
    }

    #[test]
    fn a_tool_is_put_whole_and_replaced_only_by_force() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(put(folder.path(), Some(MINIMAL), b"one", false).unwrap().0, Put::New);
        assert_eq!(put(folder.path(), Some(MINIMAL), b"one", false).unwrap().0, Put::Same);
        let told = put(folder.path(), Some(MINIMAL), b"two", false).unwrap_err().to_string();
        assert!(told.contains("--force"), "{told}");
        assert_eq!(put(folder.path(), Some(MINIMAL), b"two", true).unwrap().0, Put::New);
        assert_eq!(fs::read(folder.path().join("loud/any.wasm")).unwrap(), b"two");
        fs::write(folder.path().join("loud/notes.txt"), "mine").unwrap();
        let told = put(folder.path(), Some(MINIMAL), b"one", true).unwrap_err().to_string();
        assert!(told.contains("`notes.txt`"), "{told}");
        assert_eq!((names(folder.path()), names(&folder.path().join("loud")).len()), (vec!["loud".to_owned()], 3));
    }

    #[test]
    fn a_component_alone_is_called_like_its_repository() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), None, b"one", false).unwrap();
        assert_eq!(names(folder.path()), ["loud_tool.wasm"]);
        assert!(put(folder.path(), None, b"two", false).unwrap_err().to_string().contains("--force"));
        put(folder.path(), None, b"two", true).unwrap();
        assert_eq!(fs::read(folder.path().join("loud_tool.wasm")).unwrap(), b"two");
    }

    #[test]
    fn a_lock_is_kept_and_a_damaged_one_stops_everything() {
        let folder = tempfile::tempdir().unwrap();
        let lock = folder.path().join(lock::FILE);
        fs::write(&lock, tomas_distribution::Lock::default().text()).unwrap();
        put(folder.path(), Some(MINIMAL), b"one", false).unwrap();
        let held = lock::Held::of(folder.path()).unwrap().unwrap();
        assert!(held.check("loud", b"one", Some(MINIMAL.as_bytes())).is_ok());
        assert!(held.check("loud", b"two", Some(MINIMAL.as_bytes())).is_err());
        assert_eq!(held.lock.tools().next().unwrap().from.as_deref(), Some("localhost:5000/a/loud.tool:1"));
        fs::write(&lock, "damaged").unwrap();
        assert!(put(folder.path(), Some(MINIMAL), b"two", true).is_err());
        assert_eq!(fs::read(folder.path().join("loud/any.wasm")).unwrap(), b"one");
    }
}
