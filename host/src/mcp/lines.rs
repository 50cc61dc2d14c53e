//! JSON-RPC over pipes, one message a line.
//!
//! The transport of `rmcp` drops lines that it cannot read, and the client that sent one waits for ever. This one
//! answers each with an error that carries the request's id where it has one, and so a request whose id another has that
//! is not answered yet. It bounds lines and answers in memory, and writes all answers that are ready in one go.

use rmcp::{
    RoleServer,
    model::{ClientNotification, JsonRpcMessage, RequestId},
    service::{RxJsonRpcMessage, TxJsonRpcMessage},
    transport::Transport,
};
use serde_json::{Value, json};
use std::{
    collections::{HashSet, VecDeque},
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader},
    sync::mpsc,
    task::JoinHandle,
};

/// Answers that may wait for a client that does not read.
const WAITING: usize = 256;

/// Bytes read at once.
const BUFFER: usize = 64 << 10;

/// Ids of cancelled requests that are remembered.
const CANCELLED: usize = 1024;

/// See the module.
pub struct Lines<R> {
    read: BufReader<R>,
    line: Vec<u8>,
    most: usize,
    /// Until the end of a line that is too long; kept here because `receive` may be dropped half-way.
    skipping: bool,
    /// An error that waits for room.
    owed: Option<Vec<u8>>,
    open: Open,
    answers: Option<mpsc::Sender<Vec<u8>>>,
    writer: Option<JoinHandle<io::Result<()>>>,
}

/// The ids of requests that are not answered yet, or never will be.
#[derive(Clone, Default)]
struct Open(Arc<Mutex<Ids>>);

#[derive(Default)]
struct Ids {
    taken: HashSet<RequestId>,
    /// Those of `taken` that were cancelled, the latest last. They get no answer, but what would have been one may still come,
    /// and must not be taken for that of another request.
    cancelled: VecDeque<RequestId>,
}

impl Open {
    /// Takes note of what came, unless it is a request whose id is taken.
    fn came(&self, message: &RxJsonRpcMessage<RoleServer>) -> Result<(), Fault> {
        match message {
            JsonRpcMessage::Request(request) if !self.ids().taken.insert(request.id.clone()) => Err(Fault {
                id: request.id.clone().into_json_value(),
                code: -32600,
                message: "another request has this id, and was cancelled or is not answered yet".to_owned(),
            }),
            JsonRpcMessage::Notification(told) => {
                if let ClientNotification::CancelledNotification(cancelled) = &told.notification
                    && let Some(id) = &cancelled.params.request_id
                {
                    self.ids().cancel(id);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Takes note of what is sent.
    fn goes(&self, message: &TxJsonRpcMessage<RoleServer>) {
        let answered = match message {
            JsonRpcMessage::Response(response) => Some(&response.id),
            JsonRpcMessage::Error(error) => error.id.as_ref(),
            _ => None,
        };
        if let Some(id) = answered {
            self.ids().taken.remove(id);
        }
    }

    fn ids(&self) -> MutexGuard<'_, Ids> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ids {
    fn cancel(&mut self, id: &RequestId) {
        if !self.taken.contains(id) {
            return;
        }
        self.cancelled.push_back(id.clone());
        if self.cancelled.len() > CANCELLED
            && let Some(oldest) = self.cancelled.pop_front()
        {
            self.taken.remove(&oldest);
        }
    }
}

/// What is wrong with a line, as JSON-RPC numbers it.
#[derive(Debug, PartialEq)]
struct Fault {
    id: Value,
    code: i32,
    message: String,
}

impl<R: AsyncRead + Send + Unpin> Lines<R> {
    /// A transport whose lines have at most `most` bytes.
    pub fn new<W: AsyncWrite + Send + Unpin + 'static>(read: R, write: W, most: usize) -> Self {
        let (answers, waiting) = mpsc::channel(WAITING);
        let writer = tokio::spawn(write_all(write, waiting));
        Self {
            read: BufReader::with_capacity(BUFFER, read),
            line: Vec::new(),
            most,
            skipping: false,
            owed: None,
            open: Open::default(),
            answers: Some(answers),
            writer: Some(writer),
        }
    }

    /// The next line is in `line`, or what is wrong with it; `None` at the end.
    async fn next_line(&mut self) -> Option<Result<(), Fault>> {
        loop {
            let available = self.read.fill_buf().await.ok().filter(|bytes| !bytes.is_empty())?;
            let end = available.iter().position(|&byte| byte == b'\n');
            let taken = end.map_or(available.len(), |at| at + 1);
            let was_long = self.skipping;
            if !was_long && self.line.len() + taken > self.most {
                self.skipping = true;
                self.line.clear();
            } else if !was_long && let Some(bytes) = available.get(..taken) {
                self.line.extend_from_slice(bytes);
            }
            self.read.consume(taken);
            if end.is_none() {
                continue;
            }
            if !self.skipping {
                return Some(Ok(()));
            }
            self.skipping = false;
            let message = format!("the line has more than `{}` bytes, which is the most allowed", self.most);
            return Some(Err(Fault { id: Value::Null, code: -32600, message }));
        }
    }
}

async fn write_all<W: AsyncWrite + Unpin>(mut write: W, mut waiting: mpsc::Receiver<Vec<u8>>) -> io::Result<()> {
    let (mut answers, mut bytes) = (Vec::with_capacity(WAITING), Vec::new());
    while waiting.recv_many(&mut answers, WAITING).await > 0 {
        bytes.clear();
        for answer in answers.drain(..) {
            bytes.extend_from_slice(&answer);
        }
        write.write_all(&bytes).await?;
        write.flush().await?;
        // One large answer must not be held for ever.
        if bytes.capacity() > BUFFER * 16 {
            bytes = Vec::new();
        }
    }
    Ok(())
}

impl<R: AsyncRead + Send + Unpin> Transport<RoleServer> for Lines<R> {
    type Error = io::Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        self.open.goes(&item);
        let answers = self.answers.clone();
        async move {
            let mut line = serde_json::to_vec(&item)?;
            line.push(b'\n');
            let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
            answers.ok_or_else(gone)?.send(line).await.map_err(|_| gone())
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            if self.owed.is_some() {
                // Room first: this future may be dropped while it waits.
                let room = self.answers.as_ref()?.reserve().await.ok()?;
                if let Some(line) = self.owed.take() {
                    room.send(line);
                }
            }
            let line = self.next_line().await?;
            let read = line.and_then(|()| read(&self.line));
            self.line.clear();
            let fault = match read {
                Ok(None) => continue,
                Ok(Some(message)) => match self.open.came(&message) {
                    Ok(()) => return Some(message),
                    Err(fault) => fault,
                },
                Err(fault) => fault,
            };
            self.owed = Some(fault.line());
        }
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.answers = None;
        match self.writer.take() {
            Some(writer) => writer.await.map_err(io::Error::other)?,
            None => Ok(()),
        }
    }
}

impl Fault {
    fn line(&self) -> Vec<u8> {
        let error = json!({"code": self.code, "message": self.message});
        let mut line = json!({"jsonrpc": "2.0", "id": self.id, "error": error}).to_string().into_bytes();
        line.push(b'\n');
        line
    }
}

/// The message of a line; `None` for an empty one and for notifications that nobody can answer.
fn read(line: &[u8]) -> Result<Option<RxJsonRpcMessage<RoleServer>>, Fault> {
    let line = line.trim_ascii();
    if line.is_empty() {
        return Ok(None);
    }
    match serde_json::from_slice(line) {
        Ok(message) => Ok(Some(message)),
        Err(error) => diagnose(line, &error).map(|()| None),
    }
}

/// What is wrong with a line that is no message; nothing is with a notification that is not known.
fn diagnose(line: &[u8], error: &serde_json::Error) -> Result<(), Fault> {
    let fault = |id: &Value, code, message: String| Err(Fault { id: id.clone(), code, message });
    let Ok(value) = serde_json::from_slice::<Value>(line) else {
        return fault(&Value::Null, -32700, format!("the line is not JSON: {error}"));
    };
    let Some(message) = value.as_object() else {
        return fault(&Value::Null, -32600, "the line is not a JSON object; batches are not part of MCP".to_owned());
    };
    let id = message.get("id").filter(|id| id.is_string() || id.is_number());
    let (Some(id), Some(method)) = (id, message.get("method").and_then(Value::as_str)) else {
        // Without an id or a method it is no request; what cannot be answered is at least not silent where it asks.
        return match message.get("method") {
            Some(Value::String(_)) if !message.contains_key("id") => Ok(()),
            _ => fault(
                &Value::Null,
                -32600,
                "a request needs `method`, a string, and `id`, a string or number".to_owned(),
            ),
        };
    };
    fault(id, -32602, format!("the parameters of `{method}` do not fit: {error}"))
}
