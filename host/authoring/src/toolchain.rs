//! Programs of this machine.

use crate::error::AuthoringError;
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Most characters of what a program said.
const SAID: usize = 6000;

/// Where a program is: in `near` (such as `node_modules/.bin`), or on the path.
pub(crate) fn find(program: &str, near: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = near.iter().cloned().chain(std::env::split_paths(&path));
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// A program, or what to install.
///
/// # Errors
/// When it is in none of the places.
pub(crate) fn need(program: &str, near: &[PathBuf], install: &str) -> Result<PathBuf, AuthoringError> {
    find(program, near).ok_or_else(|| AuthoringError::Toolchain {
        what: format!("`{program}` is not installed"),
        install: install.to_owned(),
    })
}

/// Runs a program to its end and returns its standard output.
///
/// # Errors
/// When it cannot be started or fails; with the end of what it said.
pub(crate) fn run(command: &mut Command) -> Result<Vec<u8>, AuthoringError> {
    let name = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let output = command.output().map_err(AuthoringError::file(command.get_program()))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let mut said = String::from_utf8_lossy(&output.stderr).into_owned();
    if said.trim().is_empty() {
        said = String::from_utf8_lossy(&output.stdout).into_owned();
    }
    let skipped = said.chars().count().saturating_sub(SAID);
    let said = said.chars().skip(skipped).collect::<String>().trim().to_owned();
    Err(AuthoringError::Failed { program: name, said })
}
