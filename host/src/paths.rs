//! Where things lie: the root that relative paths start from, and the folders of the user.

use std::path::{Path, PathBuf};

/// The file that marks a root.
const MARK: &str = "configs/host.toml";

/// Finds the root: the folder given, else the nearest one above the working directory that has `configs/host.toml`,
/// else the nearest one above the executable, else the checkout that this executable was built from.
#[must_use]
pub fn root(given: Option<&Path>) -> PathBuf {
    if let Some(given) = given {
        return given.to_owned();
    }
    let above = |start: Option<PathBuf>| start?.ancestors().find(|a| a.join(MARK).is_file()).map(Path::to_owned);
    above(std::env::current_dir().ok())
        .or_else(|| above(std::env::current_exe().ok()))
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
}

/// A folder of the user's for `purpose` (`XDG_DATA_HOME`, `XDG_CACHE_HOME`), or one below `root` where there is no home.
#[must_use]
pub fn user(purpose: Purpose, root: &Path) -> PathBuf {
    let (variable, below_home) = match purpose {
        Purpose::Data => ("XDG_DATA_HOME", ".local/share"),
        Purpose::Cache => ("XDG_CACHE_HOME", ".cache"),
    };
    let set = |name| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    set(variable)
        .or_else(|| Some(set("HOME")?.join(below_home)))
        .map_or_else(|| root.join("runs"), |base| base.join("tomas-host"))
}

/// What a folder of the user's is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// What must be kept: sessions and blobs.
    Data,
    /// What can be made again: compiled components.
    Cache,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checkout_is_found_from_a_folder_inside_it() {
        // Tests run with the package as working directory, which lies inside the checkout.
        assert!(root(None).join("host/Cargo.toml").is_file());
        assert_eq!(root(Some(Path::new("/elsewhere"))), Path::new("/elsewhere"));
    }
}
