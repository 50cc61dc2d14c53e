//! The sandbox: loads components and runs calls.

use crate::{
    cache::Cache,
    call::{Call, Finished},
    cancel::{CancelOnDrop, lock},
    capability,
    compile::Turns,
    component::{self, Fresh, LoadedComponent},
    config::SandboxConfig,
    context::{Context, Given, Products, Stop, Written},
    cpu::Spent,
    engine,
    error::{LoadError, SandboxError},
    guard::guarded,
    outcome::{self, Returned, Verdict},
    pool::{self, Job, Pool},
    state::State,
    ticker::{Running, Ticker},
    typed::program::CommandLine,
};
use serde_json::Value;
use std::{
    io::Read as _,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    task::{self, Poll, Waker},
    time::{Duration, Instant},
};
use tokio::{
    runtime::{Handle, Runtime},
    sync::oneshot,
};
use tomas_core::{
    accountant::{Grant, Settlement},
    amount::{Bytes, MilliCpu, Span},
    manifest::FileAccess,
    name::ToolName,
    observation::{BlobRef, Observation, Outcome, Usage},
    quota::Quota,
    tool::Export,
};
use wasmtime::{Engine, component::Linker};

/// The quota of `describe`, which no caller's grant pays for: it runs once for each component, at load.
const DESCRIBE: Quota = Quota {
    cpu: MilliCpu(1000),
    memory: Bytes::mib(64),
    gpu_sms: 0,
    gpu_memory: Bytes(0),
    deadline: Span(Duration::from_secs(5)),
    output: Bytes::mib(1),
};

/// What a component says of itself.
#[derive(Debug, Clone)]
pub struct Described {
    /// BLAKE3 of its bytes, in hex.
    pub digest: String,
    /// Its tools.
    pub exports: Vec<Export>,
}

/// Loads components and runs calls. Clones are the same sandbox.
#[derive(Clone)]
pub struct Sandbox(Arc<Core>);

/// What all parts of a sandbox share.
pub(crate) struct Core {
    pub(crate) config: SandboxConfig,
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<State>,
    pub(crate) compatibility: blake3::Hash,
    pub(crate) cache: Option<Cache>,
    /// Tells this build of the host from others: what one made of a component's exports says nothing about another.
    build: blake3::Hash,
    pub(crate) turns: Turns,
    pub(crate) pool: Pool,
    runtimes: Runtimes,
    ticker: Ticker,
    /// Calls that began on threads of their callers and are not done.
    begun: AtomicUsize,
}

/// Most bytes of arguments and attachments of a call that begins on its caller's thread.
const BRIEF: usize = 64 << 10;

/// A component that once held its caller's thread up for more CPU time, in nanoseconds, never begins there again. The epoch stops it after a
/// millisecond, unless it moves memory in bulk, which is not interrupted.
const HELD_UP: u64 = 5_000_000;

/// What would be a fault of this crate.
const UNDESCRIBED: &str = "a component of plain functions was asked to describe itself";

/// What an instance is asked to do.
#[derive(Clone)]
enum Task {
    Describe,
    Invoke { tool: ToolName, arguments: Arc<str> },
}

impl Call {
    /// The call in two parts: what it was given, and what is to be done.
    fn taken(self) -> (Given, Task) {
        let Self { component, tool, arguments, blobs, permissions, workspace, environment, cancel, progress } = self;
        let given = Given { component, permissions, workspace, environment, blobs, progress, cancel };
        (given, Task::Invoke { tool, arguments: arguments.into() })
    }
}

/// A call that is over, before it is put into an observation.
struct Over {
    verdict: Verdict,
    products: Products,
    usage: Usage,
}

impl Sandbox {
    /// A sandbox. Threads start when they are needed.
    ///
    /// # Errors
    /// When the engine or its clock cannot start. A cache that cannot be opened is left out, with a warning.
    pub fn new(config: SandboxConfig) -> Result<Self, SandboxError> {
        let engine = engine::running(&config).map_err(|error| SandboxError::Engine(component::short(&error)))?;
        let linker = capability::linker(&engine).map_err(|error| SandboxError::Engine(component::short(&error)))?;
        let compatibility = engine::compatibility(&engine);
        let cache = config.cache_dir.as_deref().and_then(|folder| open_cache(folder, config.cache_bytes.0));
        let pool = Pool::new(config.workers);
        let ticker = Ticker::start(engine.clone()).map_err(SandboxError::Thread)?;
        let (turns, runtimes) = (Turns::default(), Runtimes::default());
        Ok(Self(Arc::new(Core {
            config,
            engine,
            linker,
            compatibility,
            cache,
            build: build(),
            turns,
            pool,
            runtimes,
            ticker,
            begun: AtomicUsize::new(0),
        })))
    }

    /// What a component is, without keeping it in memory: known from an earlier look, or by loading it once.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn describe(&self, bytes: &[u8]) -> Result<Described, LoadError> {
        let digest = blake3::hash(bytes);
        let exports = match self.0.exports(digest) {
            Some(exports) => exports,
            None => self.load(bytes)?.exports().to_vec(),
        };
        Ok(Described { digest: digest.to_hex().to_string(), exports })
    }

    /// Loads a component from its bytes: checks and compiles it, or takes it from the cache, and asks it what tools it
    /// has. Blocks for as long as compiling takes.
    ///
    /// # Errors
    /// When it is not a component that this host can run; says what was found and what is allowed.
    pub fn load(&self, bytes: &[u8]) -> Result<Arc<LoadedComponent>, LoadError> {
        let component = Arc::new(component::link(&self.0, bytes)?);
        let digest = blake3::hash(bytes);
        if let Some(exports) = self.0.exports(digest) {
            return Ok(Arc::new(component.with_exports(exports)));
        }
        let component = if component.describes() {
            let answer = self.ask(&component)?;
            Arc::new(component.with_exports(component::described(&answer)?))
        } else {
            component
        };
        self.0.remember(digest, component.exports());
        Ok(component)
    }

    /// The largest component that is accepted.
    #[must_use]
    pub fn max_component(&self) -> Bytes {
        self.0.config.max_component
    }

    /// Loads a component from a file, as [`load`](Self::load).
    ///
    /// # Errors
    /// As [`load`](Self::load), and when the file cannot be read.
    pub fn load_file(&self, path: &Path) -> Result<Arc<LoadedComponent>, LoadError> {
        let failed = |source| LoadError::File { path: path.to_owned(), source };
        let file = std::fs::File::open(path).map_err(failed)?;
        if !file.metadata().map_err(failed)?.is_file() {
            return Err(failed(std::io::Error::other("it is not a regular file")));
        }
        // One byte more than is accepted is enough for the refusal.
        let mut bytes = Vec::new();
        file.take(self.0.config.max_component.0.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
        self.load(&bytes)
    }

    /// Asks a component what it is, on a thread of the pool.
    fn ask(&self, component: &Arc<LoadedComponent>) -> Result<String, LoadError> {
        let (core, started) = (Arc::clone(&self.0), Instant::now());
        let given = Given::nothing(Arc::clone(component));
        let (send, receive) = mpsc::channel();
        let job = move |runtime: &Runtime| drop(send.send(core.run(runtime, DESCRIBE, given, Task::Describe, started)));
        self.0.pool.submit(Box::new(job)).map_err(SandboxError::Thread)?;
        let over = receive.recv().map_err(|_| SandboxError::Panicked)??;
        match over.verdict {
            Verdict { outcome: Outcome::Ok, result: Some(Value::String(answer)), .. } => Ok(answer),
            Verdict { outcome, error, .. } => {
                let why = error.unwrap_or_default();
                Err(LoadError::Describe(format!("ended with `{}`: {why}", outcome.name())))
            }
        }
    }

    /// Runs a call under its grant, on a thread of its own; a tool whose calls have been short begins on the caller's, and
    /// leaves it at the first tick and before it waits. The grant is settled with what was used when the guest has
    /// stopped, which is before this returns; dropping the future cancels the guest, and its grant is settled soon
    /// after. Waiting for a thread counts against the deadline.
    ///
    /// # Errors
    /// When the host is at fault; the grant is refunded. A tool going wrong is an observation.
    pub async fn call(&self, grant: Grant, mut call: Call) -> Result<Finished, SandboxError> {
        let (core, started) = (Arc::clone(&self.0), Instant::now());
        call.cancel = call.cancel.child();
        let _guard = CancelOnDrop(call.cancel.clone());
        let (send, receive) = oneshot::channel();
        let job: Job = if let Some(place) = core.place_for(&call) {
            match core.begin(place, grant, call, started) {
                Begun::Finished(finished) => return finished,
                Begun::UnderWay(under_way) => Box::new(move |runtime| drop(send.send(under_way.end(runtime)))),
            }
        } else {
            Box::new(move |runtime| drop(send.send(core.finish(runtime, grant, call, started))))
        };
        self.0.pool.submit(job).map_err(SandboxError::Thread)?;
        receive.await.unwrap_or(Err(SandboxError::Panicked))
    }

    /// Runs a call on the current thread. As [`call`](Self::call), for programs and benchmarks without a runtime.
    ///
    /// # Errors
    /// As [`call`](Self::call), and inside an asynchronous runtime.
    pub fn call_blocking(&self, grant: Grant, call: Call) -> Result<Finished, SandboxError> {
        if Handle::try_current().is_ok() {
            return Err(SandboxError::InsideRuntime);
        }
        let started = Instant::now();
        let idle = lock(&self.0.runtimes.0).pop();
        let runtime = match idle {
            Some(runtime) => runtime,
            None => pool::runtime().map_err(SandboxError::Thread)?,
        };
        let finished = self.0.finish(&runtime, grant, call, started);
        lock(&self.0.runtimes.0).push(runtime);
        finished
    }
}

/// Runtimes of threads that call [`Sandbox::call_blocking`], kept for the next call.
#[derive(Default)]
struct Runtimes(Mutex<Vec<Runtime>>);

impl Drop for Runtimes {
    fn drop(&mut self) {
        lock(&self.0).drain(..).for_each(Runtime::shutdown_background);
    }
}

/// The running program, as far as its file tells.
fn build() -> blake3::Hash {
    let file = std::env::current_exe().and_then(std::fs::metadata);
    let file = file.map(|file| format!("{} {:?}", file.len(), file.modified().ok())).unwrap_or_default();
    blake3::hash(format!("{} {file}", env!("CARGO_PKG_VERSION")).as_bytes())
}

impl Core {
    fn exports_name(&self, digest: blake3::Hash) -> String {
        format!("{}-{}-exports", digest.to_hex(), self.build.to_hex())
    }

    /// The exports of a component that this host looked at before.
    fn exports(&self, digest: blake3::Hash) -> Option<Vec<Export>> {
        serde_json::from_slice(&self.cache.as_ref()?.get(&self.exports_name(digest))?).ok()
    }

    /// Keeps the exports of a component for the next look.
    fn remember(&self, digest: blake3::Hash, exports: &[Export]) {
        if let (Some(cache), Ok(exports)) = (&self.cache, serde_json::to_vec(exports)) {
            cache.put(&self.exports_name(digest), &exports);
        }
    }

    /// Runs a call and settles its grant.
    fn finish(
        self: &Arc<Self>,
        runtime: &Runtime,
        grant: Grant,
        call: Call,
        started: Instant,
    ) -> Result<Finished, SandboxError> {
        let quota = *grant.quota();
        let (given, task) = call.taken();
        let over = self.run(runtime, quota, given, task, started)?;
        let settlement = grant.settle(&over.usage);
        Ok(over.into_finished(quota, settlement))
    }

    /// A place for a call on the thread of its caller: where its tool is known to be short and has little to read, no call waits for a thread,
    /// and fewer calls have begun so than there are threads to go on with them.
    fn place_for(self: &Arc<Self>, call: &Call) -> Option<Begins> {
        let input = call.arguments.len() + call.blobs.values().map(|bytes| bytes.len()).sum::<usize>();
        // Files may block, and what takes long to copy would hold the thread up before the guest begins.
        let may_block = call.workspace.is_some() && call.permissions.files != FileAccess::None;
        if may_block || input > BRIEF || !call.component.pace.is_short(&call.tool) || !self.pool.is_prompt() {
            return None;
        }
        let most = self.config.workers.max(1) as usize;
        let place = Begins(Arc::clone(self));
        (self.begun.fetch_add(1, Ordering::AcqRel) < most).then_some(place)
    }

    /// Begins a call on the current thread.
    fn begin(self: &Arc<Self>, place: Begins, grant: Grant, call: Call, started: Instant) -> Begun {
        let quota = *grant.quota();
        let (given, task) = call.taken();
        Spent::reset();
        let queued = started.elapsed();
        let context = Arc::new(Context::new(Arc::clone(self), quota, given, started));
        context.set_guest(true);
        let ticking = self.ticker.running();
        let mut under_way = UnderWay {
            future: {
                let (context, task) = (Arc::clone(&context), task.clone());
                Box::pin(async move { guarded(&context, task.run(&context)).await })
            },
            context,
            task,
            grant,
            started,
            queued,
            spent: Spent::default(),
            left: started,
            _ticking: ticking,
            _place: place,
        };
        let mut nobody = task::Context::from_waker(Waker::noop());
        let polled = catch_unwind(AssertUnwindSafe(|| under_way.future.as_mut().poll(&mut nobody)));
        if under_way.context.bucket.used() > HELD_UP {
            under_way.context.given.component.pace.distrust();
        }
        match polled {
            Ok(Poll::Ready(returned)) => Begun::Finished(under_way.finished(returned)),
            Ok(Poll::Pending) => {
                under_way.context.set_guest(false);
                under_way.spent = Spent::so_far();
                under_way.left = Instant::now();
                Begun::UnderWay(under_way)
            }
            Err(_) => {
                tracing::error!("a call panicked; it is lost, its caller goes on");
                Begun::Finished(Err(SandboxError::Panicked))
            }
        }
    }

    /// Runs a task in a fresh instance on the current thread.
    fn run(
        self: &Arc<Self>,
        runtime: &Runtime,
        quota: Quota,
        given: Given,
        task: Task,
        started: Instant,
    ) -> Result<Over, SandboxError> {
        Spent::reset();
        let queued = started.elapsed();
        let context = Arc::new(Context::new(Arc::clone(self), quota, given, started));
        let ticking = self.ticker.running();
        let returned = runtime.block_on(guarded(&context, task.run(&context)));
        drop(ticking);
        task.over(&context, returned, started, queued)
    }
}

/// One of the calls that may begin on threads of their callers.
struct Begins(Arc<Core>);

impl Drop for Begins {
    fn drop(&mut self) {
        self.0.begun.fetch_sub(1, Ordering::AcqRel);
    }
}

/// What became of a call on the thread of its caller.
enum Begun {
    Finished(Result<Finished, SandboxError>),
    UnderWay(UnderWay),
}

/// A call that began on the thread of its caller and is not done.
struct UnderWay {
    future: Pin<Box<dyn Future<Output = Result<Returned, Stop>> + Send>>,
    context: Arc<Context>,
    task: Task,
    grant: Grant,
    started: Instant,
    /// Time that it was ready to run and had no thread.
    queued: Duration,
    /// What it spent there.
    spent: Spent,
    /// When it left that thread.
    left: Instant,
    _ticking: Running,
    _place: Begins,
}

impl UnderWay {
    /// Goes on with it on a thread of the pool, to its end.
    fn end(mut self, runtime: &Runtime) -> Result<Finished, SandboxError> {
        self.spent.resume();
        self.queued += self.left.elapsed();
        let returned = runtime.block_on(&mut self.future);
        self.finished(returned)
    }

    fn finished(self, returned: Result<Returned, Stop>) -> Result<Finished, SandboxError> {
        let Self { future, context, task, grant, started, queued, .. } = self;
        drop(future);
        let quota = *grant.quota();
        let over = task.over(&context, returned, started, queued)?;
        let settlement = grant.settle(&over.usage);
        Ok(over.into_finished(quota, settlement))
    }
}

#[expect(clippy::cast_precision_loss, reason = "nanoseconds of one call are far below 2^53")]
fn milliseconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e6
}

impl Task {
    /// The store is made and dropped in here, so that both are charged to the call.
    async fn run(&self, context: &Arc<Context>) -> Returned {
        if let Self::Invoke { tool, arguments } = self
            && context.given.component.is_program(tool)
        {
            match CommandLine::read(arguments) {
                Ok(line) => drop(context.command.set(line)),
                Err(error) => return Ok(Err(error)),
            }
        }
        let mut store = State::store(Arc::clone(context), None)?;
        let instance = context.given.component.instantiate(&mut store).await?;
        match (self, instance) {
            (Self::Describe, Fresh::World(instance)) => instance.call_describe(&mut store).await.map(Ok),
            (Self::Describe, Fresh::Typed(..)) => Err(SandboxError::Fault(UNDESCRIBED.to_owned()).into()),
            (Self::Invoke { tool, arguments }, instance) => {
                context.input.fetch_add(arguments.len() as u64, Ordering::Relaxed);
                match instance {
                    Fresh::World(instance) => instance.call_invoke(&mut store, tool.as_str(), arguments).await,
                    Fresh::Typed(instance, functions) => functions.call(&mut store, &instance, tool, arguments).await,
                }
            }
        }
    }

    /// Puts together what a call came to that ran on the current thread to its end.
    fn over(
        &self,
        context: &Context,
        returned: Result<Returned, Stop>,
        started: Instant,
        queued: Duration,
    ) -> Result<Over, SandboxError> {
        let products = context.products();
        let verdict = self.judge(context, returned, &products.log)?;
        let (spent, wall) = (Spent::so_far(), started.elapsed());
        if let Self::Invoke { tool, .. } = self {
            context.given.component.pace.took(tool, wall.saturating_sub(queued));
        }
        let usage = Usage {
            cpu_ms: milliseconds(context.bucket.used()),
            wall_ms: wall.as_secs_f64() * 1e3,
            throttled_ms: milliseconds(spent.throttled),
            unscheduled_ms: milliseconds(spent.unscheduled()) + queued.as_secs_f64() * 1e3,
            peak_memory_bytes: context.memory.peak(),
            input_bytes: context.input.load(Ordering::Acquire),
            output_bytes: context.output.used(),
        };
        Ok(Over { verdict, products, usage })
    }

    fn judge(&self, context: &Context, returned: Result<Returned, Stop>, log: &[u8]) -> Result<Verdict, SandboxError> {
        match (self, returned) {
            // What `describe` says is read elsewhere.
            (Self::Describe, Ok(Ok(Ok(answer)))) if context.emit(answer.len()).is_ok() => {
                Ok(Verdict { outcome: Outcome::Ok, result: Some(Value::String(answer)), error: None })
            }
            (_, returned) => outcome::judge(context, returned, log),
        }
    }
}

impl Over {
    fn into_finished(self, quota: Quota, settlement: Settlement) -> Finished {
        let Self { verdict: Verdict { outcome, result, error }, products, usage } = self;
        let mut blobs = Vec::new();
        let mut written = Vec::new();
        if outcome == Outcome::Ok {
            for (name, Written { data, digest }) in products.written {
                let digest = digest.to_hex().to_string();
                blobs.push(BlobRef { name: name.clone(), digest, bytes: data.len() as u64, pixels: None });
                written.push((name, data));
            }
        }
        let log = match String::from_utf8(products.log) {
            Ok(log) => log,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        };
        let observation = Observation { outcome, usage, quota, result, error, log, blobs };
        Finished { observation, written, settlement }
    }
}

fn open_cache(folder: &Path, most: u64) -> Option<Cache> {
    let opened = Cache::open(folder, most);
    opened
        .inspect_err(|error| tracing::warn!(folder = %folder.display(), %error, "no compile cache; components are compiled at each start"))
        .ok()
}
