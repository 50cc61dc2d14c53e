//! `tomas:tool/log`: notes for the operator, kept in the call's log.

use crate::state::State;
use tomas_bindings::tomas::tool::log::{Host, Level};

impl Host for State {
    fn log(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        let level = match level {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        };
        Ok(self.context.write_log(format!("{level}: {message}\n").as_bytes())?)
    }
}
