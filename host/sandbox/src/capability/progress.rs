//! `tomas:tool/progress`: reports of a running call.

use crate::{call::Progress, state::State};
use tomas_bindings::tomas::tool::progress::Host;

/// Longest message passed on, in characters.
const MESSAGE: usize = 500;

impl Host for State {
    fn report(&mut self, done: u64, total: u64, message: String) -> wasmtime::Result<()> {
        if let Some(sink) = &self.context.given.progress {
            sink.report(Progress { done, total, message: message.chars().take(MESSAGE).collect() });
        }
        Ok(())
    }
}
