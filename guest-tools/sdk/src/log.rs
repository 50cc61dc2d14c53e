//! Notes for the operator of the host. Outside a component nothing happens.

/// For a developer who looks for a fault.
pub fn debug(message: &str) {
    write(Level::Debug, message);
}

/// Worth keeping in an ordinary log.
pub fn info(message: &str) {
    write(Level::Info, message);
}

/// Something unexpected that the tool could work around.
pub fn warn(message: &str) {
    write(Level::Warn, message);
}

/// Something that made the tool fail.
pub fn error(message: &str) {
    write(Level::Error, message);
}

#[cfg(target_family = "wasm")]
use crate::component::tomas::tool::log::{Level, log as write};

#[cfg(not(target_family = "wasm"))]
enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

#[cfg(not(target_family = "wasm"))]
fn write(_: Level, _: &str) {}
