//! The clock of the epochs: one thread that ticks each millisecond while calls run, and sleeps when none does.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{JoinHandle, Thread},
    time::Duration,
};
use wasmtime::Engine;

/// Length of a tick. Shorter ones gain nothing (facts.md §3).
const TICK: Duration = Duration::from_millis(1);

/// Ticks without a call after which the thread goes to sleep. Waking it costs a system call, which a steady stream of
/// short calls must not pay each time.
const LINGER: u32 = 100;

/// See the module.
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    handle: Thread,
}

#[derive(Default)]
struct Shared {
    running: AtomicUsize,
    asleep: AtomicBool,
    closed: AtomicBool,
}

impl Ticker {
    /// Starts the thread, asleep.
    pub(crate) fn start(engine: Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("tomas-ticker".to_owned()).spawn(move || theirs.tick(&engine))?;
        let handle = thread.thread().clone();
        Ok(Self { shared, thread: Some(thread), handle })
    }

    /// Ticks until the guard is dropped.
    pub(crate) fn running(&self) -> Running {
        // SeqCst pairs with the thread's store of `asleep` and load of `running`: one of the two sees the other.
        self.shared.running.fetch_add(1, Ordering::SeqCst);
        if self.shared.asleep.load(Ordering::SeqCst) {
            self.handle.unpark();
        }
        Running(Arc::clone(&self.shared))
    }
}

impl Shared {
    fn tick(&self, engine: &Engine) {
        let mut idle = LINGER;
        while !self.closed.load(Ordering::SeqCst) {
            if self.running.load(Ordering::SeqCst) > 0 {
                idle = 0;
            } else {
                idle += 1;
            }
            if idle >= LINGER {
                self.sleep();
                idle = 0;
            }
            std::thread::sleep(TICK);
            engine.increment_epoch();
        }
    }

    fn sleep(&self) {
        self.asleep.store(true, Ordering::SeqCst);
        while self.running.load(Ordering::SeqCst) == 0 && !self.closed.load(Ordering::SeqCst) {
            std::thread::park();
        }
        self.asleep.store(false, Ordering::SeqCst);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        self.handle.unpark();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the ticker thread panicked");
        }
    }
}

/// A call that runs.
pub(crate) struct Running(Arc<Shared>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}
