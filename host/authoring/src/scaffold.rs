//! A folder to begin with: the example of the language in `guest-tools/examples`, under the new tool's name.

use crate::{error::AuthoringError, language::Language};
use std::{fs, path::Path};

/// A file of an example.
type File = (&'static str, &'static str);

macro_rules! example {
    ($language:literal, $($file:literal),+) => {
        &[$(($file, include_str!(concat!("../../../guest-tools/examples/", $language, "/", $file)))),+]
    };
}

/// What the examples are called.
const EXAMPLE: &str = "repeat-text";

const fn files(language: Language) -> &'static [File] {
    match language {
        Language::Rust => example!("rust", "Cargo.toml", "src/lib.rs", "tool.toml", "wit/world.wit"),
        Language::JavaScript => example!("javascript", "package.json", "tool.js", "tool.toml", "wit/world.wit"),
        Language::Python => example!("python", "tool.py", "tool.toml", "wit/world.wit"),
        Language::C => example!("c", "tool.c", "tool.toml", "wit/world.wit"),
    }
}

/// Makes a folder with a tool that builds and runs, to be changed into the one that is wanted.
///
/// # Errors
/// When the name cannot be spelled in WIT, or the folder cannot be made or is not empty.
pub fn scaffold(folder: &Path, name: &str, language: Language) -> Result<(), AuthoringError> {
    let word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    if name.len() > 64 || !name.split('-').all(word) {
        return Err(AuthoringError::Name(name.chars().take(80).collect()));
    }
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(AuthoringError::Exists(folder.to_owned()));
    }
    for (file, content) in files(language) {
        let path = folder.join(file);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(AuthoringError::file(parent))?;
        fs::write(&path, renamed(content, name)).map_err(AuthoringError::file(&path))?;
    }
    let ignored = format!("target/\nnode_modules/\n__pycache__/\n.build/\n.venv/\n{name}.wasm\n");
    let path = folder.join(".gitignore");
    fs::write(&path, ignored).map_err(AuthoringError::file(&path))
}

/// The name in every way in which languages spell it.
fn renamed(content: &str, name: &str) -> String {
    content.replace(EXAMPLE, name).replace(&snake(EXAMPLE), &snake(name)).replace(&camel(EXAMPLE), &camel(name))
}

fn snake(name: &str) -> String {
    name.replace('-', "_")
}

fn camel(name: &str) -> String {
    let mut words = name.split('-');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |all, word| {
        let (head, tail) = word.split_at(word.len().min(1));
        all + &head.to_ascii_uppercase() + tail
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_gets_its_files_under_the_new_name() {
        let root = tempfile::tempdir().unwrap();
        for language in Language::ALL {
            let folder = root.path().join(language.name());
            scaffold(&folder, "count-all-words", language).unwrap();
            assert_eq!(Language::of(&folder).unwrap(), language);
            let wit = fs::read_to_string(folder.join("wit/world.wit")).unwrap();
            assert!(wit.contains("export count-all-words: func("), "{wit}");
            let source = match language {
                Language::Rust => fs::read_to_string(folder.join("src/lib.rs")).unwrap(),
                _ => fs::read_to_string(folder.join(language.mark())).unwrap(),
            };
            let spelled = if language == Language::JavaScript { "countAllWords" } else { "count_all_words" };
            assert!(source.contains(spelled) && !source.to_lowercase().contains("repeat_text"), "{source}");
            assert!(matches!(scaffold(&folder, "other", language), Err(AuthoringError::Exists(_))));
        }
    }

    #[test]
    fn names_must_be_those_of_wit() {
        let root = tempfile::tempdir().unwrap();
        for name in ["", "Count", "count_words", "-a", "a-", "a--b", "1a", "../a", &"a".repeat(65)] {
            let error = scaffold(&root.path().join("x"), name, Language::Rust).unwrap_err();
            assert!(matches!(error, AuthoringError::Name(_)), "{name}: {error}");
        }
    }
}
