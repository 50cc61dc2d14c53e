//! Python, by componentize-py: the interpreter, its library and the source in one component.

use crate::{
    docs::Wit,
    error::AuthoringError,
    language::Language,
    toolchain::{need, run},
};
use std::{fs, path::Path, process::Command};

/// Builds `tool.py` in `folder`.
///
/// # Errors
/// When componentize-py is missing, or the source does not do what the world says.
pub(crate) fn build(folder: &Path, wit: &Wit) -> Result<Vec<u8>, AuthoringError> {
    let near = [".venv/bin", "venv/bin"].map(|place| folder.join(place));
    let install = format!("`{}`, or have it on the path", Language::Python.needs(folder));
    let program = need("componentize-py", &near, &install)?;
    let program = program.canonicalize().map_err(AuthoringError::file(&program))?;
    let scratch = tempfile::tempdir().map_err(AuthoringError::file("temporary folder"))?;
    let out = scratch.path().join("tool.wasm");
    let mut command = Command::new(program);
    command.current_dir(folder).args([
        "-d",
        "wit",
        "-w",
        wit.world_name(),
        "componentize",
        "--stub-wasi",
        "tool",
        "-o",
    ]);
    run(command.arg(&out))?;
    fs::read(&out).map_err(AuthoringError::file(&out))
}
