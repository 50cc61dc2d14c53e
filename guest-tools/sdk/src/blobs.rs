//! Named byte strings of the session: attachments, and files that earlier steps made.

use crate::ToolError;

/// What marks a string argument as the name of a blob.
pub const PREFIX: &str = "blob:";

/// The name in `blob:notes.txt`, or nothing when the argument is ordinary text.
#[must_use]
pub fn name(argument: &str) -> Option<&str> {
    argument.trim().strip_prefix(PREFIX).map(str::trim)
}

/// The bytes of the blob `name`.
///
/// # Errors
/// [`ToolError::NotFound`] when the session has no such blob.
pub fn read(name: &str) -> Result<Vec<u8>, ToolError> {
    service::read(name).map_err(ToolError::NotFound)
}

/// The bytes of the blob `name` as text; a byte order mark is dropped, bytes that are not UTF-8
/// become U+FFFD.
///
/// # Errors
/// As [`read`].
pub fn read_text(name: &str) -> Result<String, ToolError> {
    let text = match String::from_utf8(read(name)?) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    };
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

/// Stores `data` under `name` and returns its digest.
///
/// # Errors
/// [`ToolError::Failed`] when the host refuses, e.g. because the output quota is used up.
pub fn write(name: &str, data: &[u8]) -> Result<String, ToolError> {
    service::write(name, data).map_err(ToolError::Failed)
}

/// The length of the blob `name` in bytes, without reading it.
///
/// # Errors
/// As [`read`].
pub fn size(name: &str) -> Result<u64, ToolError> {
    service::size(name).map_err(ToolError::NotFound)
}

#[cfg(target_family = "wasm")]
use crate::component::tomas::tool::blobs as service;

#[cfg(not(target_family = "wasm"))]
pub(crate) mod service {
    //! The stand-in outside a component: a map of the current thread.

    use std::cell::RefCell;
    use std::collections::BTreeMap;

    thread_local! {
        static BLOBS: RefCell<BTreeMap<String, Vec<u8>>> = const { RefCell::new(BTreeMap::new()) };
    }

    pub(crate) fn read(name: &str) -> Result<Vec<u8>, String> {
        BLOBS.with_borrow(|blobs| blobs.get(name).cloned().ok_or_else(|| format!("no blob `{name}`")))
    }

    pub(crate) fn write(name: &str, data: &[u8]) -> Result<String, String> {
        BLOBS.with_borrow_mut(|blobs| blobs.insert(name.to_owned(), data.to_vec()));
        Ok(format!("{:016x}", data.len()))
    }

    pub(crate) fn size(name: &str) -> Result<u64, String> {
        read(name).map(|data| data.len() as u64)
    }
}
