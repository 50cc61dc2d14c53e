//! The data of a store: one instance's view of its call.

use crate::{
    capability::{
        self,
        http::{HANDLE, Http},
        parallel,
        parallel::Shards,
        random::Random,
    },
    context::{Context, Denied, Stop},
    cpu::Spent,
    weight,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};
use wasmtime::{ResourceLimiter, Store, UpdateDeadline};
use wasmtime_wasi::{ResourceTable, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_config::{WasiConfig, WasiConfigVariables};
use wasmtime_wasi_http::WasiHttpCtxView;

/// Bytes of host memory behind one table element.
const TABLE_ELEMENT: u64 = size_of::<usize>() as u64;

/// Ticks after which a call is long enough for its thread to be given a weight.
const LONG: u32 = 5;

/// Least handles that a call may hold, so that small tools have theirs.
const MIN_HANDLES: u64 = 64;

/// Least bytes that may be lifted out of the guest at once, so that messages pass under the smallest quota.
const MIN_LIFT: u64 = 1 << 20;

/// Most bytes that may be lifted out of the guest at once, wasmtime's own default.
const MAX_LIFT: u64 = 128 << 20;

/// See the module. The WASI context is made when the guest first asks for something of it: many tools never do.
pub(crate) struct State {
    pub(crate) context: Arc<Context>,
    /// The `parallel.map` this instance works for; `None` in the instance that runs the tool itself.
    pub(crate) shards: Option<Arc<Shards>>,
    pub(crate) random: Random,
    /// What of the call runs now: 0, or the number of a shard.
    lane: Arc<AtomicU64>,
    wasi: Option<WasiCtx>,
    http: Option<Http>,
    config: Option<WasiConfigVariables>,
    table: ResourceTable,
    /// Bytes of the call's memory that this store holds, and of those the ones of the growth under way.
    held: u64,
    pending: u64,
}

impl State {
    /// A store for the call of `context`. It cannot run for longer than a tick without being accounted.
    ///
    /// # Errors
    /// When the granted folder cannot be opened.
    pub(crate) fn store(context: Arc<Context>, shards: Option<Arc<Shards>>) -> wasmtime::Result<Store<Self>> {
        let core = Arc::clone(&context.core);
        let wasi = None;
        let mut table = ResourceTable::new();
        // Each handle stands for host memory.
        let handles = u64::from(core.config.max_handles).min(context.quota.memory.0 / HANDLE).max(MIN_HANDLES);
        table.set_max_capacity(usize::try_from(handles).unwrap_or(usize::MAX));
        let (random, lane) = (Random::new(Arc::clone(&context), 0), Arc::default());
        let lift = context.quota.memory.0.saturating_mul(2).clamp(MIN_LIFT, MAX_LIFT);
        let mut store = Store::new(
            &core.engine,
            Self { context, shards, random, lane, wasi, http: None, config: None, table, held: 0, pending: 0 },
        );
        store.limiter(|state| state);
        store.set_hostcall_fuel(usize::try_from(lift).unwrap_or(usize::MAX));
        arm(&mut store);
        store.data_mut().begin()?;
        Ok(store)
    }

    /// At each tick of the epoch: charge, and sleep if the quota says so. A call on somebody else's thread leaves it.
    fn tick(&self) -> Result<UpdateDeadline, Stop> {
        let now = charge(&self.context, self.shards.as_deref())?;
        if self.context.is_guest() {
            self.context.check(now)?;
            return Ok(UpdateDeadline::Yield(1));
        }
        self.context.pay(now)?;
        Ok(UpdateDeadline::Continue(1))
    }

    fn take(&mut self, bytes: u64) -> bool {
        let granted = self.context.memory.take(bytes);
        self.pending = if granted { bytes } else { 0 };
        self.held += self.pending;
        granted
    }

    /// Gives back the growth that was granted but could not be done.
    fn undo(&mut self) {
        self.context.memory.give(self.pending);
        self.held -= self.pending;
        self.pending = 0;
    }
}

/// Charges a call for about a tick of work that the current thread did. Returns the time of the charge.
pub(crate) fn charge(context: &Context, shards: Option<&Shards>) -> Result<Instant, Stop> {
    let now = Spent::charge(&context.bucket);
    if Spent::tick() == LONG {
        weight::apply(&context.quota, parallel::width(&context.quota));
    }
    if shards.is_some_and(Shards::abandoned) { Err(Stop::Abandoned) } else { Ok(now) }
}

/// Lets each tick of the epoch call [`State::tick`].
fn arm(store: &mut Store<State>) {
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|store| Ok(store.data().tick()?));
}

impl Drop for State {
    fn drop(&mut self) {
        self.context.memory.give(self.held);
    }
}

impl ResourceLimiter for State {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current) as u64;
        if maximum.is_some_and(|maximum| desired > maximum) {
            // The component's own limit, or the 4 GiB of a 32-bit memory: as final as the quota.
            self.pending = 0;
            self.context.memory.refuse(more);
            return Ok(false);
        }
        Ok(self.take(more))
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.undo();
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let more = (desired.saturating_sub(current) as u64).saturating_mul(TABLE_ELEMENT);
        if maximum.is_some_and(|maximum| desired > maximum) {
            self.pending = 0;
            return Ok(false);
        }
        Ok(self.take(more))
    }

    fn table_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.undo();
        Ok(())
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let Self { context, wasi, table, lane, .. } = self;
        WasiCtxView { ctx: wasi.get_or_insert_with(|| capability::wasi(context, lane)), table }
    }
}

impl State {
    /// Makes the WASI context where that can fail.
    fn begin(&mut self) -> wasmtime::Result<()> {
        self.wasi = capability::eager_wasi(&self.context, &self.lane)?;
        Ok(())
    }

    /// From now on the instance works on this lane of the call.
    pub(crate) fn enter(&mut self, lane: u64) {
        self.lane.store(lane, Ordering::Relaxed);
        self.random.enter(lane);
    }

    /// What the instance works on.
    pub(crate) fn lane(&self) -> u64 {
        self.lane.load(Ordering::Relaxed)
    }

    /// The view of HTTP, made when the guest first asks for something of it.
    pub(crate) fn http_view(&mut self) -> WasiHttpCtxView<'_> {
        let Self { context, http, table, lane, .. } = self;
        http.get_or_insert_with(|| Http::new(context, lane)).view(table)
    }

    /// The view of `wasi:config`, likewise.
    pub(crate) fn config(&mut self) -> WasiConfig<'_> {
        let Self { context, config, .. } = self;
        let read = || context.given.config.iter().cloned().collect();
        WasiConfig::new(config.get_or_insert_with(read))
    }

    /// The host's side of the guest's handles.
    pub(crate) const fn handles(&self) -> &ResourceTable {
        &self.table
    }

    /// See [`Context::at_home`].
    pub(crate) fn at_home(&self) -> impl Future<Output = ()> + Send + use<> {
        let context = Arc::clone(&self.context);
        async move { context.at_home().await }
    }

    /// The host objects that the guest has handles to.
    pub(crate) fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }

    /// Notes that the guest reached for something it may not have.
    pub(crate) fn deny(&self, what: Denied) {
        self.context.deny(what);
    }
}
