//! `tool key | sign | verify`.

use super::output::{note, say};
use crate::{
    files,
    place::Place,
    tools::Found,
    trust::{self, SIGNATURE},
};
use anyhow::{Context as _, bail};
use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::ExitCode,
};
use tomas_core::amount::Bytes;
use tomas_distribution::{PrivateKey, Signature};

/// Most bytes of a key's file; it has a hundred.
const MOST: Bytes = Bytes(4 << 10);

/// Makes a pair of keys: the private one into a file that nobody else can read, the public one on standard output.
///
/// # Errors
/// When the name cannot be one, or the file is there already or cannot be written.
pub fn key(name: &str, into: Option<&Path>) -> anyhow::Result<ExitCode> {
    let key = PrivateKey::generate(name)?;
    let path = into.map_or_else(|| PathBuf::from(format!("{name}.key")), Path::to_owned);
    let shown = path.display();
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    let mut file = file.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => anyhow::anyhow!(
            "`{shown}` exists, and a key is never overwritten\nhint: choose another name, or another file with --into"
        ),
        _ => anyhow::Error::new(error).context(format!("`{shown}` cannot be written")),
    })?;
    let written = file.write_all(key.text().as_bytes()).and_then(|()| file.sync_all());
    if written.is_err() {
        // Half a key is none.
        drop(fs::remove_file(&path));
    }
    written.with_context(|| format!("`{shown}` cannot be written\nhint: is the disk full?"))?;
    say(&key.public().to_string())?;
    note(&format!(
        "{shown} is the private key: keep it to yourself. The line above is the public one: give it to those who shall trust you"
    ));
    Ok(ExitCode::SUCCESS)
}

/// Signs a tool as it is now.
///
/// # Errors
/// When the tool or the key cannot be read, others can read the key, or the disk does not take the signature.
pub fn sign(place: &Place, folder: &Path, key: &Path) -> anyhow::Result<ExitCode> {
    let key = private(key)?;
    let found = Found::read(folder)?;
    let most = place.sandbox()?.max_component();
    let component = files::read(found.component()?, most)?;
    let manifest = found.papers().manifest.as_deref().unwrap_or_default();
    let signature = Signature::sign(&key, &component, manifest);
    let path = folder.join(SIGNATURE);
    files::replace(&path, signature.text().as_bytes())?;
    say(&format!("{}: `{}` signed by `{}`", path.display(), found.manifest.name, key.public()))?;
    Ok(ExitCode::SUCCESS)
}

fn private(path: &Path) -> anyhow::Result<PrivateKey> {
    let refused = || format!("key `{}` is refused", path.display());
    let bytes = files::read(path, MOST).with_context(refused)?;
    let mode = path.metadata().with_context(refused)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let shown = path.display();
        bail!("key `{shown}` has mode {mode:o}, so that others can use it; 600 is wanted\nhint: chmod 600 {shown}");
    }
    PrivateKey::parse(&String::from_utf8_lossy(&bytes)).with_context(refused)
}

/// Says whose signature a tool carries, and fails unless it is a good one of somebody trusted.
///
/// # Errors
/// When it is not signed, the signature is not its own, or `[trust] keys` does not name who signed it.
pub fn verify(place: &Place, folder: &Path) -> anyhow::Result<ExitCode> {
    let found = Found::read(folder)?;
    let (name, keys) = (&found.manifest.name, &place.config.trust.keys);
    let bytes = files::read(found.component()?, place.sandbox()?.max_component())?;
    let refused = || format!("tool `{name}` is refused");
    let Some(signer) = found.papers().signer(&bytes).with_context(refused)? else {
        bail!("tool `{name}` is not signed\nhint: sign it with `tomas-host tool sign`");
    };
    trust::trusted(Some(signer), keys).with_context(refused)?;
    let trusted = if keys.is_empty() { "`[trust] keys` names nobody" } else { "whom `[trust] keys` names" };
    say(&format!("ok: `{name}` is what `{signer}` signed; {trusted}"))?;
    Ok(ExitCode::SUCCESS)
}
