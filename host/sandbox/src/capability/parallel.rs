//! `tomas:tool/parallel`: fork-join, the way to more than one core.
//!
//! The shards of a `map` are taken from one queue by up to ⌈cores⌉ instances of the component: one on the caller's own
//! thread, the others on threads of the pool. When the pool has no thread to spare the caller does all the work, so
//! nothing can wait for itself. All instances share the call's context: one memory counter, one CPU bucket, one
//! deadline.

use crate::{
    cancel::lock,
    component::Fresh,
    context::{Context, Stop},
    cpu::Spent,
    guard::guarded,
    outcome, pool,
    state::State,
};
use std::{
    collections::VecDeque,
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};
use tokio::runtime::Runtime;
use tomas_bindings::tomas::tool::parallel::Host;
use tomas_core::quota::Quota;

/// How many workers can run at once under a quota: its cores, rounded up.
pub(crate) fn width(quota: &Quota) -> u32 {
    quota.cpu.0.div_ceil(1000).max(1)
}

impl Host for State {
    fn width(&mut self) -> wasmtime::Result<u32> {
        Ok(if self.shards.is_some() { 1 } else { width(&self.context.quota) })
    }

    async fn map(&mut self, items: Vec<Vec<u8>>) -> wasmtime::Result<Result<Vec<Vec<u8>>, String>> {
        if self.shards.is_some() {
            return Ok(Err("a worker cannot start workers of its own\nhint: call `map` from `invoke` only".to_owned()));
        }
        let count = items.len();
        if count == 0 {
            return Ok(Ok(Vec::new()));
        }
        self.context.at_home().await;
        let shards = Arc::new(Shards::new(Arc::clone(&self.context), items)?);
        let helpers = (width(&self.context.quota) as usize).min(count).saturating_sub(1);
        let joined = Joined(&shards);
        for _ in 0..helpers {
            shards.summon();
        }
        shards.work().await;
        drop(joined); // closes the queue and waits for the helpers
        shards.result()
    }
}

/// Bytes that the host holds for an item besides its content.
const ITEM: usize = 96;

/// The shards of one `map`, shared by those who work on them.
pub(crate) struct Shards {
    context: Arc<Context>,
    /// The lane of the first shard.
    first: u64,
    queue: Mutex<Queue>,
    /// A helper left.
    left: Condvar,
    abandoned: AtomicBool,
    /// Bytes of items and results charged to the call's memory.
    held: Mutex<usize>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<(usize, Vec<u8>)>,
    results: Vec<Option<Vec<u8>>>,
    helpers: usize,
    closed: bool,
    failure: Option<String>,
}

impl Shards {
    fn new(context: Arc<Context>, items: Vec<Vec<u8>>) -> Result<Self, Stop> {
        // Each item costs its place in the queue and in the results as well.
        let bytes = items.iter().map(|item| item.len() + ITEM).sum();
        context.hold(bytes)?;
        let results = vec![None; items.len()];
        let waiting = items.into_iter().enumerate().collect();
        let queue = Mutex::new(Queue { waiting, results, ..Queue::default() });
        let (left, abandoned, held) = (Condvar::new(), AtomicBool::new(false), Mutex::new(bytes));
        let first = (context.maps.fetch_add(1, Ordering::Relaxed) << 32) + 1;
        Ok(Self { context, first, queue, left, abandoned, held })
    }

    /// Whether the work is pointless because a shard failed.
    pub(crate) fn abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
    }

    /// Asks the pool for another thread. If it has none, those who work already do the rest.
    fn summon(self: &Arc<Self>) {
        let shards = Arc::clone(self);
        let summoned = self.context.core.pool.submit(Box::new(move |runtime| shards.help(runtime)));
        if let Err(error) = summoned {
            tracing::debug!(%error, "no thread for a fork-join worker");
        }
    }

    /// Works on a thread of the pool.
    fn help(self: Arc<Self>, runtime: &Runtime) {
        let Some(_leave) = self.enter() else { return };
        Spent::reset();
        if let Err(stop) = runtime.block_on(guarded(&self.context, self.work())) {
            self.fail(stop.to_string());
        }
        pool::tidy(runtime, &self.context);
    }

    fn enter(&self) -> Option<Leave<'_>> {
        let mut queue = lock(&self.queue);
        if queue.closed || queue.waiting.is_empty() {
            return None;
        }
        queue.helpers += 1;
        Some(Leave(self))
    }

    /// Runs shards until none is left; a failure is noted for all.
    async fn work(self: &Arc<Self>) {
        if let Err(error) = self.run().await {
            self.fail(outcome::worker_failure(&error));
        }
    }

    async fn run(self: &Arc<Self>) -> wasmtime::Result<()> {
        let mut store = State::store(Arc::clone(&self.context), Some(Arc::clone(self)))?;
        let Fresh::World(instance) = self.context.given.component.instantiate(&mut store).await? else {
            self.fail("the component exports no `worker`".to_owned());
            return Ok(());
        };
        while let Some((index, item)) = self.next() {
            // What a shard sees does not depend on who works on it.
            store.data_mut().enter(self.first + index as u64);
            match instance.call_worker(&mut store, &item).await? {
                Ok(result) => self.put(index, result)?,
                Err(message) => {
                    self.fail(message);
                    break;
                }
            }
        }
        Ok(())
    }

    fn next(&self) -> Option<(usize, Vec<u8>)> {
        let mut queue = lock(&self.queue);
        if queue.failure.is_some() { None } else { queue.waiting.pop_front() }
    }

    fn put(&self, index: usize, result: Vec<u8>) -> Result<(), Stop> {
        self.context.hold(result.len())?;
        *lock(&self.held) += result.len();
        if let Some(place) = lock(&self.queue).results.get_mut(index) {
            *place = Some(result);
        }
        Ok(())
    }

    fn fail(&self, message: String) {
        self.abandoned.store(true, Ordering::Relaxed);
        let mut queue = lock(&self.queue);
        queue.waiting.clear();
        queue.failure.get_or_insert(message);
    }

    /// Lets no more helpers in and waits for those at work.
    fn close(&self) {
        let begun = Instant::now();
        let mut queue = lock(&self.queue);
        queue.closed = true;
        if queue.helpers == 0 {
            return;
        }
        while queue.helpers > 0 {
            queue = self.left.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        drop(queue);
        Spent::joining(begun.elapsed());
    }

    /// All results in the order of the items, or the first failure.
    fn result(&self) -> wasmtime::Result<Result<Vec<Vec<u8>>, String>> {
        if let Some(stop) = self.context.stopped() {
            return Err(stop.into());
        }
        let Queue { results, failure, .. } = std::mem::take(&mut *lock(&self.queue));
        if let Some(message) = failure {
            return Ok(Err(message));
        }
        let results: Option<Vec<_>> = results.into_iter().collect();
        Ok(results.ok_or_else(|| "a worker ended without a result".to_owned()))
    }
}

impl Drop for Shards {
    fn drop(&mut self) {
        self.context.release(*lock(&self.held));
    }
}

/// Closes the shards even when the `map` is dropped half-way: no helper outlives it.
struct Joined<'a>(&'a Shards);

impl Drop for Joined<'_> {
    fn drop(&mut self) {
        if lock(&self.0.queue).results.iter().any(Option::is_none) && !lock(&self.0.queue).waiting.is_empty() {
            self.0.fail("the call ended".to_owned());
        }
        self.0.close();
    }
}

/// A helper at work.
struct Leave<'a>(&'a Shards);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.fail("a worker's thread failed".to_owned());
        }
        lock(&self.0.queue).helpers -= 1;
        self.0.left.notify_all();
    }
}
