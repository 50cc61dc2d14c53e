//! Standard output and error: both go to the call's log and count against its output quota; but what a program writes to
//! its standard output is its result.

use crate::context::Context;
use std::sync::Arc;
use wasmtime_wasi::{
    async_trait,
    cli::{IsTerminal, StdoutStream},
    p2::{OutputStream, Pollable, StreamError, StreamResult},
};

/// Most bytes accepted in one write; bounds what a guest can make the host allocate at once.
const PERMIT: usize = 64 << 10;

/// A standard stream of one call.
#[derive(Clone)]
pub(crate) struct Stdio {
    context: Arc<Context>,
    result: bool,
}

impl Stdio {
    /// A stream into the log of `context`.
    pub(crate) fn log(context: &Arc<Context>) -> Self {
        Self { context: Arc::clone(context), result: false }
    }

    /// The standard output of a program.
    pub(crate) fn result(context: &Arc<Context>) -> Self {
        Self { context: Arc::clone(context), result: true }
    }
}

impl IsTerminal for Stdio {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Stdio {
    /// Only WASI 0.1 and 0.3 ask for this one, and neither is linked.
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl OutputStream for Stdio {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        let written = if self.result { self.context.write_stdout(&bytes) } else { self.context.write_log(&bytes) };
        written.map_err(|stop| StreamError::Trap(stop.into()))
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PERMIT)
    }
}

#[async_trait]
impl Pollable for Stdio {
    async fn ready(&mut self) {}
}
