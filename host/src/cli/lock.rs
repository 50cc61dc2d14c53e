//! `tool lock`.

use super::output::say;
use crate::{
    files,
    lock::{self, FILE, Held},
    place::Place,
};
use anyhow::bail;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};
use tomas_sandbox::Sandbox;

/// Writes the locks of folders of tools, or compares them with what is there.
///
/// # Errors
/// When a tool is refused or cannot be read, the disk does not take a lock, or `check` finds a difference.
pub fn lock(place: &Place, folders: &[PathBuf], check: bool) -> anyhow::Result<ExitCode> {
    let sandbox = place.sandbox()?;
    let configured = || place.config.paths.tools.iter().map(|path| place.at(path)).collect();
    let folders: Vec<PathBuf> = if folders.is_empty() { configured() } else { folders.to_vec() };
    let mut differing = 0;
    for folder in &folders {
        differing += if check { compare(folder, &sandbox)? } else { write(folder, &sandbox)? };
    }
    if check && differing > 0 {
        bail!("{differing} of the tools differ from their lock\nhint: restore them, or run `tomas-host tool lock`");
    }
    Ok(ExitCode::SUCCESS)
}

/// How many tools differ.
fn compare(folder: &Path, sandbox: &Sandbox) -> anyhow::Result<usize> {
    let path = folder.join(FILE);
    let Some(held) = Held::of(folder)? else {
        bail!("`{}` does not exist\nhint: write it with `tomas-host tool lock`", path.display());
    };
    let now = lock::of(folder, Some(&held.lock), sandbox)?;
    let lines = lock::differences(&held.lock, &now);
    report(&path, now.tools().count(), &lines, "checked")?;
    Ok(lines.len())
}

fn write(folder: &Path, sandbox: &Sandbox) -> anyhow::Result<usize> {
    let path = folder.join(FILE);
    let before = Held::of(folder)?.map(|held| held.lock).unwrap_or_default();
    let now = lock::of(folder, Some(&before), sandbox)?;
    let lines = lock::differences(&before, &now);
    files::replace(&path, now.text().as_bytes())?;
    report(&path, now.tools().count(), &lines, "written")?;
    Ok(lines.len())
}

fn report(path: &Path, count: usize, lines: &[String], done: &str) -> anyhow::Result<()> {
    let lines = lines.iter().map(|line| format!("\n  {line}")).collect::<String>();
    say(&format!("{}: {count} tools {done}{lines}", path.display()))
}
