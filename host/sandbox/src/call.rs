//! A call as it is handed in, and what comes back.

use crate::{
    cancel::{CancelToken, lock},
    component::LoadedComponent,
    keyvalue::KeyValue,
    tape::Tape,
};
use std::{
    collections::BTreeMap,
    fmt,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tomas_core::{
    accountant::Settlement, amount::Bytes, manifest::Permissions, name::ToolName, observation::Observation,
};

/// What to run. The quota is not in here: it comes with the grant.
#[derive(Debug, Clone)]
pub struct Call {
    /// The component.
    pub component: Arc<LoadedComponent>,
    /// Which of its tools.
    pub tool: ToolName,
    /// The arguments: the text of a JSON object.
    pub arguments: String,
    /// What the tool may read through `blobs`, by name.
    pub blobs: BTreeMap<String, Arc<[u8]>>,
    /// What the tool may reach.
    pub permissions: Permissions,
    /// The folder seen at `/workspace`, where `permissions.files` allows it.
    pub workspace: Option<Workspace>,
    /// What the tool sees of an environment: names and values.
    pub environment: Vec<(String, String)>,
    /// What the tool reads through `wasi:config`: keys and values.
    pub config: Vec<(String, String)>,
    /// What the tool keeps between calls, where `permissions.keyvalue` allows it.
    pub keyvalue: Option<KeyValue>,
    /// What records the call, or what it was recorded to.
    pub tape: Option<Tape>,
    /// Stops the call.
    pub cancel: CancelToken,
    /// Who hears of progress.
    pub progress: Option<ProgressSink>,
}

impl Call {
    /// A call without attachments, permissions or folder.
    #[must_use]
    pub fn new(component: Arc<LoadedComponent>, tool: ToolName, arguments: String) -> Self {
        Self {
            component,
            tool,
            arguments,
            blobs: BTreeMap::new(),
            permissions: Permissions::default(),
            workspace: None,
            environment: Vec::new(),
            config: Vec::new(),
            keyvalue: None,
            tape: None,
            cancel: CancelToken::new(),
            progress: None,
        }
    }
}

/// A folder for a call.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// Where it is.
    pub folder: PathBuf,
    /// How much may be written into it; nothing without.
    pub writable: Option<Room>,
}

/// Bytes that calls may still add to a folder. Clones share them; removing files gives nothing back.
#[derive(Debug, Clone)]
pub struct Room(Arc<AtomicU64>);

impl Room {
    /// Room for so many bytes.
    #[must_use]
    pub fn new(bytes: Bytes) -> Self {
        Self(Arc::new(AtomicU64::new(bytes.0)))
    }

    /// Bytes that are left.
    #[must_use]
    pub fn left(&self) -> Bytes {
        Bytes(self.0.load(Ordering::Acquire))
    }

    /// Gives back what was taken and not used.
    pub(crate) fn give(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::AcqRel);
    }

    /// Takes all of `bytes`, or none.
    pub(crate) fn take(&self, bytes: u64) -> bool {
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(bytes)).is_ok()
    }
}

/// What a call came to.
#[derive(Debug, Clone)]
pub struct Finished {
    /// Outcome, usage, result or error.
    pub observation: Observation,
    /// The blobs that the observation names, with their bytes; empty unless the outcome is `ok`.
    pub written: Vec<(String, Vec<u8>)>,
    /// What became of the grant.
    pub settlement: Settlement,
}

/// How far a call is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Units done.
    pub done: u64,
    /// Units in all; 0 when unknown.
    pub total: u64,
    /// What is going on; at most 500 characters.
    pub message: String,
}

/// Hears of progress, at most a hundred times a second and always when all units are done. It runs on the tool's thread
/// and on the tool's CPU quota: hand the report on and return.
#[derive(Clone)]
pub struct ProgressSink(Arc<Sink>);

struct Sink {
    heard: Box<dyn Fn(Progress) + Send + Sync>,
    last: Mutex<Option<Instant>>,
}

impl ProgressSink {
    /// Reports come closer than this are dropped.
    const INTERVAL: Duration = Duration::from_millis(10);

    /// A sink that hands reports to `heard`.
    pub fn new(heard: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        Self(Arc::new(Sink { heard: Box::new(heard), last: Mutex::new(None) }))
    }

    pub(crate) fn report(&self, progress: Progress) {
        let now = Instant::now();
        let complete = progress.total > 0 && progress.done == progress.total;
        let mut last = lock(&self.0.last);
        if !complete && last.is_some_and(|last| now.saturating_duration_since(last) < Self::INTERVAL) {
            return;
        }
        *last = Some(now);
        drop(last);
        (self.0.heard)(progress);
    }
}

impl fmt::Debug for ProgressSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProgressSink").finish_non_exhaustive()
    }
}
