//! Lines of JSON-RPC as they come over pipes, in pieces of any length: each is a message, is answered with an error, or asks
//! for no answer; and the reader gets to the end.

use rmcp::{RoleServer, transport::Transport};
use serde_json::Value;
use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tomas_host::mcp::lines::Lines;

/// Longest line.
const MOST: usize = 512;

/// Bytes that come so many at once.
struct Pieces<'d> {
    data: &'d [u8],
    at_once: usize,
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let (now, later) = self.data.split_at(self.at_once.min(self.data.len()).min(into.remaining()));
        into.put_slice(now);
        self.data = later;
        Poll::Ready(Ok(()))
    }
}

/// What was answered.
#[derive(Clone, Default)]
struct Answers(Arc<Mutex<Vec<u8>>>);

impl AsyncWrite for Answers {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Reads bytes as lines of a client. The first byte says how many come at once.
pub fn run(data: &[u8]) {
    let Some((&at_once, data)) = data.split_first() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let answers = Answers::default();
    let messages = runtime.block_on(async {
        let pieces = Pieces { data, at_once: usize::from(at_once) + 1 };
        let mut lines = Lines::new(pieces, answers.clone(), MOST);
        let mut messages = 0;
        while Transport::<RoleServer>::receive(&mut lines).await.is_some() {
            messages += 1;
        }
        Transport::<RoleServer>::close(&mut lines).await.expect("the end of the answers");
        messages
    });
    let answered = answers.0.lock().unwrap_or_else(PoisonError::into_inner);
    let answered: Vec<&[u8]> = answered.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    for answer in &answered {
        let answer: Value = serde_json::from_slice(answer).expect("an answer is JSON");
        assert!(answer["error"]["code"].is_i64() && answer["error"]["message"].is_string(), "{answer}");
    }
    let lines = data.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
    assert!(messages + answered.len() <= lines, "{messages} messages and {} answers of {lines} lines", answered.len());
}
