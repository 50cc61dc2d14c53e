//! Rust, by cargo.

use crate::{
    error::AuthoringError,
    language::Language,
    toolchain::{need, run},
};
use std::{fs, path::Path, process::Command};

/// The target whose output is a component.
const TARGET: &str = "wasm32-wasip2";

/// Builds the crate in `folder`.
///
/// # Errors
/// When cargo or the target is missing, or the crate does not compile to one library or program.
pub(crate) fn build(folder: &Path) -> Result<Vec<u8>, AuthoringError> {
    let cargo = need("cargo", &[], "install Rust from https://rustup.rs")?;
    let rustc = need("rustc", &[], "install Rust from https://rustup.rs")?;
    // In the folder, which may choose a toolchain of its own.
    let root = run(Command::new(rustc).current_dir(folder).args(["--print", "sysroot"]))?;
    let root = String::from_utf8_lossy(&root).trim().to_owned();
    if !Path::new(&root).join("lib/rustlib").join(TARGET).is_dir() {
        return Err(AuthoringError::Toolchain {
            what: format!("Rust has no target `{TARGET}`"),
            install: format!("`{}`", Language::Rust.needs(folder)),
        });
    }
    let mut command = Command::new(cargo);
    command.current_dir(folder).args(["build", "--release", "--target", TARGET]);
    command.args(["--message-format", "json-render-diagnostics"]);
    let messages = run(&mut command)?;
    let messages = String::from_utf8_lossy(&messages).into_owned();
    let files = messages.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let files = message.get("filenames")?.as_array()?.iter().filter_map(|f| f.as_str().map(str::to_owned));
        Some(files.filter(|file| file.ends_with(".wasm")).collect::<Vec<_>>())
    });
    // Dependencies come first, the crate itself last.
    let Some(file) = files.flatten().last() else {
        return Err(AuthoringError::Component(
            "the crate built no `.wasm`\nhint: `crate-type = [\"cdylib\"]` under [lib], or a `main`".to_owned(),
        ));
    };
    fs::read(&file).map_err(AuthoringError::file(file))
}
