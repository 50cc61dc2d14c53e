//! From a tool's folder to its component.

use crate::{c, docs::Wit, error::AuthoringError, javascript, language::Language, python, rust};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Folders that hold what was made, not what it is made of.
const MADE: [&str; 6] = ["target", "node_modules", "__pycache__", ".build", ".venv", "venv"];

/// A component that was built.
#[derive(Debug)]
pub struct Built {
    /// The language of its source.
    pub language: Language,
    /// Its bytes, with the documentation of `wit/`.
    pub component: Vec<u8>,
}

/// Builds the tool in `folder` with the toolchain of its language. Blocks for as long as that takes.
///
/// # Errors
/// When a toolchain is missing, or refuses the source; says what to install or what it said.
pub fn build(folder: &Path) -> Result<Built, AuthoringError> {
    let language = Language::of(folder)?;
    // A crate of a world of its own, or a program, needs no `wit/`.
    if language == Language::Rust && !folder.join("wit").is_dir() {
        return Ok(Built { language, component: rust::build(folder)? });
    }
    let wit = Wit::read(folder)?;
    let component = match language {
        Language::Rust => rust::build(folder)?,
        Language::JavaScript => javascript::build(folder, &wit)?,
        Language::Python => python::build(folder, &wit)?,
        Language::C => c::build(folder, &wit)?,
    };
    Ok(Built { language, component: wit.documented(component)? })
}

/// The files that a tool is made of, sorted: all of its folder but what was built.
///
/// # Errors
/// When a folder cannot be read.
pub fn sources(folder: &Path) -> Result<Vec<PathBuf>, AuthoringError> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(AuthoringError::file(&folder))? {
            let entry = entry.map_err(AuthoringError::file(&folder))?;
            let (path, name) = (entry.path(), entry.file_name());
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder && !MADE.iter().any(|made| name == *made) {
                folders.push(path);
            } else if !is_folder && path.extension().is_none_or(|extension| extension != "wasm" && extension != "lock")
            {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_leave_out_what_was_made() {
        let root = tempfile::tempdir().unwrap();
        for file in ["tool.c", "tool.toml", "wit/world.wit", ".build/tool.h", "node_modules/a/b.js", "x.wasm"] {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let found = sources(root.path()).unwrap();
        let names: Vec<_> = found.iter().map(|p| p.strip_prefix(root.path()).unwrap().display().to_string()).collect();
        assert_eq!(names, ["tool.c", "tool.toml", "wit/world.wit"]);
    }

    #[test]
    fn a_folder_without_source_is_told_what_it_needs() {
        let root = tempfile::tempdir().unwrap();
        let error = build(root.path()).unwrap_err().to_string();
        assert!(error.contains("tool.py") && error.contains("tool new"), "{error}");
    }

    #[test]
    fn wit_that_does_not_parse_is_quoted() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("tool.c"), "").unwrap();
        fs::create_dir(root.path().join("wit")).unwrap();
        fs::write(root.path().join("wit/world.wit"), "package a:b;\nworld tool { export f: func( }").unwrap();
        let error = build(root.path()).unwrap_err().to_string();
        assert!(error.contains("world.wit:2"), "{error}");
        fs::write(root.path().join("wit/world.wit"), "package a:b;\nworld one {}\nworld two {}").unwrap();
        let error = build(root.path()).unwrap_err().to_string();
        assert!(error.contains("`one`, `two`"), "{error}");
    }
}
