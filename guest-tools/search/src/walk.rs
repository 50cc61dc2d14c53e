//! The text files of a folder.

use std::fs;
use std::io::Read;
use std::path::Path;

use tomas_tool_sdk::{ToolError, log};

/// Files above this many bytes are left out: data, not something to read.
const MOST_BYTES: u64 = 4 << 20;
/// Folders deeper than this are left out.
const MOST_DEPTH: usize = 32;
/// Folders that hold what machines wrote.
const SKIPPED: [&str; 3] = ["node_modules", "target", "__pycache__"];
/// Endings of files that are never text.
const BINARY: [&str; 24] = [
    "7z",
    "a",
    "bin",
    "bmp",
    "class",
    "dll",
    "exe",
    "gif",
    "gz",
    "ico",
    "jar",
    "jpeg",
    "jpg",
    "mp3",
    "mp4",
    "o",
    "pdf",
    "png",
    "safetensors",
    "so",
    "wasm",
    "webp",
    "xz",
    "zip",
];

/// The paths of files that may be text, relative to `root`, with `/`, sorted.
pub(crate) fn files(root: &Path) -> Result<Vec<String>, ToolError> {
    let entries = fs::read_dir(root).map_err(|error| {
        ToolError::not_found(format!(
            "no folder to search: `{}`: {error}\nhint: grant the session a folder to read",
            root.display()
        ))
    })?;
    let mut files = Vec::new();
    let mut folders = Vec::new();
    list(entries, "", 0, &mut files, &mut folders);
    while let Some((folder, depth)) = folders.pop() {
        match fs::read_dir(root.join(&folder)) {
            Ok(entries) => list(entries, &format!("{folder}/"), depth, &mut files, &mut folders),
            Err(error) => log::warn(&format!("`{folder}` is left out: {error}")),
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// Sorts the entries of one folder into files and folders. Links are not followed: they may lead round
/// in circles.
fn list(entries: fs::ReadDir, prefix: &str, depth: usize, files: &mut Vec<String>, folders: &mut Vec<(String, usize)>) {
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Ok(kind) = entry.file_type() else { continue };
        if name.starts_with('.') {
            continue;
        }
        if kind.is_dir() && depth < MOST_DEPTH && !SKIPPED.contains(&name.as_str()) {
            folders.push((format!("{prefix}{name}"), depth + 1));
        } else if kind.is_file() && !is_binary_name(&name) {
            files.push(format!("{prefix}{name}"));
        }
    }
}

fn is_binary_name(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    ending.is_some_and(|ending| BINARY.binary_search(&ending.as_str()).is_ok())
}

/// The text of a file, or nothing when it is too big, binary or cannot be read.
pub(crate) fn text(root: &Path, file: &str) -> Option<String> {
    let mut open = fs::File::open(root.join(file)).ok()?;
    let length = open.metadata().ok()?.len();
    if length > MOST_BYTES {
        return None;
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).ok()? + 1);
    open.read_to_end(&mut bytes).ok()?;
    if bytes.contains(&0) {
        return None;
    }
    Some(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_endings_are_sorted() {
        assert!(BINARY.is_sorted());
        assert!(is_binary_name("a.PNG") && !is_binary_name("a.png.txt") && !is_binary_name("png"));
    }
}
