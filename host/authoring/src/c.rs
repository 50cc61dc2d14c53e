//! C, by clang and wasi-libc: bindings are generated, a core module is built, and it is made a component here.

use crate::{
    docs::Wit,
    error::AuthoringError,
    language::Language,
    toolchain::{need, run},
};
use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_component::ComponentEncoder;

/// Builds all `.c` files of `folder`.
///
/// # Errors
/// When clang or wasi-libc is missing, or the source does not compile.
pub(crate) fn build(folder: &Path, wit: &Wit) -> Result<Vec<u8>, AuthoringError> {
    let install = format!("`{}`, or set WASI_SDK_PATH to a wasi-sdk", Language::C.needs(folder));
    let sdk = std::env::var_os("WASI_SDK_PATH").map(PathBuf::from);
    let near: Vec<PathBuf> = sdk.iter().map(|sdk| sdk.join("bin")).collect();
    let clang = need("clang", &near, &install)?;
    need("wasm-ld", &near, &install)?;
    if sdk.is_none() && !Path::new("/usr/include/wasm32-wasi").is_dir() {
        let what = "wasi-libc is not installed".to_owned();
        return Err(AuthoringError::Toolchain { what, install });
    }
    // Beside the source, so that an editor finds the header.
    let made = folder.join(".build");
    fs::create_dir_all(&made).map_err(AuthoringError::file(&made))?;
    let generated = bindings(wit, &made)?;
    let sources = files(folder, "c")?;
    let module = made.join("module.wasm");
    let mut command = Command::new(clang);
    command.args(["--target=wasm32-wasi", "-O2", "-Wall", "-mexec-model=reactor", "-I"]).arg(&made);
    command.args(&sources).args(&generated).arg("-o").arg(&module);
    run(&mut command)?;
    let module = fs::read(&module).map_err(AuthoringError::file(&module))?;
    component(&module).map_err(AuthoringError::Component)
}

/// Writes the bindings and returns what of them is compiled and linked.
fn bindings(wit: &Wit, to: &Path) -> Result<Vec<PathBuf>, AuthoringError> {
    let mut files = wit_bindgen_core::Files::default();
    let mut resolve = wit.resolve.clone();
    let refused = |error| AuthoringError::Wit { path: to.to_owned(), why: format!("{error:#}") };
    wit_bindgen_c::Opts::default().build().generate(&mut resolve, wit.world, &mut files).map_err(refused)?;
    let mut linked = Vec::new();
    for (name, content) in files.iter() {
        let path = to.join(name);
        fs::write(&path, content).map_err(AuthoringError::file(&path))?;
        if path.extension().is_some_and(|extension| extension != "h") {
            linked.push(path);
        }
    }
    Ok(linked)
}

fn component(module: &[u8]) -> Result<Vec<u8>, String> {
    let mut encoder = ComponentEncoder::default();
    let whole = encoder.module(module).map_err(|error| format!("{error:#}"))?;
    whole
        .adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER)
        .and_then(|encoder| encoder.validate(true).encode())
        .map_err(|error| format!("{error:#}"))
}

/// The files of a folder with an extension, sorted.
fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, AuthoringError> {
    let entries = fs::read_dir(folder).map_err(AuthoringError::file(folder))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.extension() == Some(OsStr::new(extension)));
    files.sort();
    Ok(files)
}
