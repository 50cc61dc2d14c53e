//! What all instances of one call share: its quota, what it used so far, and what it produced.

use crate::{
    call::{ProgressSink, Workspace},
    cancel::{CancelToken, lock},
    component::LoadedComponent,
    cpu::{Bucket, Spent, thread_time},
    keyvalue::KeyValue,
    limits::{Memory, Output},
    sandbox::Core,
    tape::Tape,
    typed::program::CommandLine,
};
use std::{
    collections::BTreeMap,
    future::poll_fn,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering},
    },
    task::Poll,
    time::{Duration, Instant},
};
use tomas_core::{manifest::Permissions, quota::Quota};
use wasmtime::format_err;

/// Why the host ended a call. The first reason stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stop {
    #[error("deadline exceeded")]
    Deadline = 1,
    #[error("cancelled")]
    Cancelled = 2,
    #[error("output exceeded")]
    Output = 3,
    #[error("memory exceeded")]
    Memory = 4,
    /// Another worker of the same `parallel.map` failed; never the reason of the whole call.
    #[error("abandoned")]
    Abandoned = 5,
}

/// Something that no grant of the call allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    /// Opening a file or folder.
    Files = 1,
    /// Sending a request, opening a socket or resolving a name.
    Network = 2,
    /// Writing more than there is room for.
    Room = 4,
    /// Opening a store.
    KeyValue = 8,
    /// Computing with a model; which one is in [`Context::model`].
    Model = 16,
}

/// Most of a deadline that is added to an instant; longer ones are as good as none.
const FOREVER: Duration = Duration::from_secs(30 * 365 * 86_400);

/// What a call was given: a [`Call`](crate::Call) without the tool and its arguments.
pub(crate) struct Given {
    pub(crate) component: Arc<LoadedComponent>,
    pub(crate) permissions: Permissions,
    pub(crate) workspace: Option<Workspace>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) config: Vec<(String, String)>,
    pub(crate) keyvalue: Option<KeyValue>,
    pub(crate) blobs: BTreeMap<String, Arc<[u8]>>,
    pub(crate) tape: Option<Tape>,
    pub(crate) progress: Option<ProgressSink>,
    pub(crate) cancel: CancelToken,
}

impl Given {
    /// Nothing but the component.
    pub(crate) fn nothing(component: Arc<LoadedComponent>) -> Self {
        Self {
            component,
            permissions: Permissions::default(),
            workspace: None,
            environment: Vec::new(),
            config: Vec::new(),
            keyvalue: None,
            blobs: BTreeMap::new(),
            tape: None,
            progress: None,
            cancel: CancelToken::new(),
        }
    }
}

/// See the module.
pub(crate) struct Context {
    pub(crate) core: Arc<Core>,
    pub(crate) given: Given,
    pub(crate) quota: Quota,
    pub(crate) deadline: Instant,
    pub(crate) bucket: Bucket,
    pub(crate) memory: Memory,
    pub(crate) output: Output,
    pub(crate) input: AtomicU64,
    /// What a program is started with; unset for other tools.
    pub(crate) command: OnceLock<CommandLine>,
    /// Connections that are open.
    pub(crate) connections: AtomicU32,
    /// Whether there ever was one.
    pub(crate) connected: AtomicBool,
    /// What was first denied of the network, in words.
    network: OnceLock<String>,
    /// What its randomness follows from, drawn when it is first needed.
    seed: OnceLock<[u8; 32]>,
    /// Fork-joins so far.
    pub(crate) maps: AtomicU64,
    /// The model that was denied first.
    pub(crate) model: OnceLock<String>,
    products: Mutex<Products>,
    stop: AtomicU8,
    /// Whether the call runs on the thread of whoever asked for it, which it must not hold up.
    guest: AtomicBool,
    denied: AtomicU8,
}

/// What a call leaves beside its result.
#[derive(Debug, Default)]
pub(crate) struct Products {
    /// Standard output and error and log notes, in the order in which they came.
    pub(crate) log: Vec<u8>,
    /// Standard output of a program, which is its result.
    pub(crate) stdout: Vec<u8>,
    /// Blobs written, by name.
    pub(crate) written: BTreeMap<String, Written>,
}

/// A blob that a call wrote.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) data: Vec<u8>,
    pub(crate) digest: blake3::Hash,
}

/// The most blobs that a call may write: names cost memory too, and empty blobs would be free.
const BLOBS: usize = 256;

impl Context {
    /// The context of a call that was handed in at `started` and runs now.
    pub(crate) fn new(core: Arc<Core>, quota: Quota, given: Given, started: Instant) -> Self {
        let deadline = started + quota.deadline.0.min(FOREVER);
        Self {
            core,
            given,
            quota,
            deadline,
            bucket: Bucket::new(quota.cpu, Instant::now()),
            memory: Memory::new(quota.memory),
            output: Output::new(quota.output),
            input: AtomicU64::new(0),
            command: OnceLock::new(),
            connections: AtomicU32::new(0),
            connected: AtomicBool::new(false),
            network: OnceLock::new(),
            seed: OnceLock::new(),
            maps: AtomicU64::new(0),
            model: OnceLock::new(),
            products: Mutex::new(Products::default()),
            stop: AtomicU8::new(0),
            guest: AtomicBool::new(false),
            denied: AtomicU8::new(0),
        }
    }

    /// Ends the call for `reason`, unless it has one already, and returns the reason that stands.
    pub(crate) fn stop(&self, reason: Stop) -> Stop {
        match self.stop.compare_exchange(0, reason as u8, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => reason,
            Err(_) => self.stopped().unwrap_or(reason),
        }
    }

    /// Why the host ended the call, if it did.
    pub(crate) fn stopped(&self) -> Option<Stop> {
        match self.stop.load(Ordering::Acquire) {
            1 => Some(Stop::Deadline),
            2 => Some(Stop::Cancelled),
            3 => Some(Stop::Output),
            4 => Some(Stop::Memory),
            _ => None,
        }
    }

    /// Whether the call runs on the thread of whoever asked for it.
    pub(crate) fn is_guest(&self) -> bool {
        self.guest.load(Ordering::Relaxed)
    }

    /// Notes whose thread the call runs on.
    pub(crate) fn set_guest(&self, guest: bool) {
        self.guest.store(guest, Ordering::Relaxed);
    }

    /// Waits until the call has a thread of its own: before anything that may block, or wants a timer.
    pub(crate) async fn at_home(&self) {
        poll_fn(|_| if self.is_guest() { Poll::Pending } else { Poll::Ready(()) }).await;
    }

    /// Ends the call when it must not run at `now`.
    pub(crate) fn check(&self, now: Instant) -> Result<(), Stop> {
        if let Some(stop) = self.stopped() {
            Err(stop)
        } else if self.given.cancel.is_cancelled() {
            Err(self.stop(Stop::Cancelled))
        } else if now >= self.deadline {
            Err(self.stop(Stop::Deadline))
        } else {
            Ok(())
        }
    }

    /// Sleeps until the CPU quota is out of debt, or the call must end.
    pub(crate) fn pay(&self, mut now: Instant) -> Result<(), Stop> {
        loop {
            self.check(now)?;
            let debt = self.bucket.debt(now);
            if debt.is_zero() {
                return Ok(());
            }
            let cpu = thread_time();
            self.given.cancel.sleep_until((now + debt).min(self.deadline));
            let awake = Instant::now();
            // Going to sleep and waking costs CPU time, which is charged as such.
            let cpu = Duration::from_nanos(thread_time().saturating_sub(cpu));
            Spent::throttled(awake.saturating_duration_since(now).saturating_sub(cpu));
            now = awake;
        }
    }

    /// Resolves when a call that waits for something must end.
    pub(crate) async fn alarm(&self) -> Stop {
        tokio::select! {
            biased;
            () = self.given.cancel.cancelled() => self.stop(Stop::Cancelled),
            () = tokio::time::sleep_until(self.deadline.into()) => self.stop(Stop::Deadline),
        }
    }

    /// Takes `bytes` of memory for a list on its way between instances.
    pub(crate) fn hold(&self, bytes: usize) -> Result<(), Stop> {
        if self.memory.take(bytes as u64) { Ok(()) } else { Err(self.stop(Stop::Memory)) }
    }

    /// Gives back what [`hold`](Self::hold) took.
    pub(crate) fn release(&self, bytes: usize) {
        self.memory.give(bytes as u64);
    }

    /// Counts `bytes` that leave the call.
    pub(crate) fn emit(&self, bytes: usize) -> Result<(), Stop> {
        if self.output.take(bytes as u64) == bytes as u64 { Ok(()) } else { Err(self.stop(Stop::Output)) }
    }

    /// Appends to the call's log what the output quota still allows.
    pub(crate) fn write_log(&self, bytes: &[u8]) -> Result<(), Stop> {
        let fits = usize::try_from(self.output.take(bytes.len() as u64)).unwrap_or(usize::MAX);
        lock(&self.products).log.extend_from_slice(bytes.get(..fits).unwrap_or(bytes));
        if fits < bytes.len() { Err(self.stop(Stop::Output)) } else { Ok(()) }
    }

    /// Appends to the standard output of a program. It takes memory of the call, and must fit its output quota; it is
    /// counted there when it becomes the result.
    pub(crate) fn write_stdout(&self, bytes: &[u8]) -> Result<(), Stop> {
        self.hold(bytes.len())?;
        let stdout = &mut lock(&self.products).stdout;
        if (stdout.len() + bytes.len()) as u64 > self.output.left() {
            return Err(self.stop(Stop::Output));
        }
        stdout.extend_from_slice(bytes);
        Ok(())
    }

    /// Takes out what a program wrote to its standard output.
    pub(crate) fn take_stdout(&self) -> Vec<u8> {
        std::mem::take(&mut lock(&self.products).stdout)
    }

    /// The end of the log, at most so many characters.
    pub(crate) fn log_end(&self, most: usize) -> String {
        let products = lock(&self.products);
        let text = String::from_utf8_lossy(&products.log);
        let skipped = text.chars().count().saturating_sub(most);
        text.chars().skip(skipped).collect()
    }

    /// Keeps a blob that the call wrote.
    pub(crate) fn keep(&self, name: String, data: Vec<u8>) -> Result<blake3::Hash, Stop> {
        self.emit(data.len())?;
        let digest = blake3::hash(&data);
        let mut products = lock(&self.products);
        if products.written.len() >= BLOBS && !products.written.contains_key(&name) {
            drop(products);
            return Err(self.stop(Stop::Output));
        }
        products.written.insert(name, Written { data, digest });
        Ok(digest)
    }

    /// Takes the products out.
    pub(crate) fn products(&self) -> Products {
        std::mem::take(&mut lock(&self.products))
    }

    /// Notes that the call reached for something it may not have.
    pub(crate) fn deny(&self, what: Denied) {
        self.denied.fetch_or(what as u8, Ordering::AcqRel);
    }

    /// What the call's randomness follows from.
    ///
    /// # Errors
    /// When the system gives none.
    pub(crate) fn seed(&self) -> wasmtime::Result<[u8; 32]> {
        if let Some(seed) = self.seed.get() {
            return Ok(*seed);
        }
        let mut fresh = [0; 32];
        getrandom::fill(&mut fresh).map_err(|error| format_err!("the system has no randomness: {error}"))?;
        Ok(*self.seed.get_or_init(|| self.given.tape.as_ref().map_or(fresh, |tape| tape.seed(|| fresh))))
    }

    /// Whether the call sent a request.
    pub(crate) fn was_connected(&self) -> bool {
        self.connected.load(Ordering::Relaxed)
    }

    /// Keeps what to say of a request that was denied; the first stays.
    pub(crate) fn note_network(&self, why: String) {
        let _ = self.network.set(why);
    }

    /// What to say of the network that was denied.
    pub(crate) fn network_note(&self) -> Option<&str> {
        self.network.get().map(String::as_str)
    }

    /// Whether the call reached for `what` in vain.
    pub(crate) fn was_denied(&self, what: Denied) -> bool {
        self.denied.load(Ordering::Acquire) & what as u8 != 0
    }
}
