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
    outside::Outside,
    pool::{self, Job, Pool},
    state::State,
    ticker::Ticker,
    tls::Tls,
    typed::program::CommandLine,
    under_way::Begun,
};
use serde_json::Value;
use std::{
    io::Read as _,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};
use tokio::{
    runtime::{Handle, Runtime},
    sync::oneshot,
};
use tomas_core::{
    accountant::Grant,
    amount::{Bytes, MilliCpu, Span},
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
    pub(crate) outside: Outside,
    pub(crate) turns: Turns,
    pub(crate) pool: Pool,
    runtimes: Runtimes,
    pub(crate) ticker: Ticker,
    pub(crate) tls: Tls,
    /// Calls that began on threads of their callers and are not done.
    pub(crate) begun: AtomicUsize,
}

/// What would be a fault of this crate.
const UNDESCRIBED: &str = "a component of plain functions was asked to describe itself";

/// What an instance is asked to do.
#[derive(Clone)]
pub(crate) enum Task {
    Describe,
    Invoke { tool: ToolName, arguments: Arc<str> },
}

impl Call {
    /// The call in two parts: what it was given, and what is to be done.
    pub(crate) fn taken(self) -> (Given, Task) {
        let Self {
            component,
            tool,
            arguments,
            blobs,
            permissions,
            workspace,
            environment,
            config,
            keyvalue,
            tape,
            cancel,
            progress,
        } = self;
        let given =
            Given { component, permissions, workspace, environment, config, keyvalue, tape, blobs, progress, cancel };
        (given, Task::Invoke { tool, arguments: arguments.into() })
    }
}

/// A call that is over, before it is put into an observation.
pub(crate) struct Over {
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
        Self::with_outside(config, Outside::default())
    }

    /// A sandbox in a world of its own.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_outside(config: SandboxConfig, outside: Outside) -> Result<Self, SandboxError> {
        let engine = engine::running(&config).map_err(|error| SandboxError::Engine(component::short(&error)))?;
        let linker = capability::linker(&engine).map_err(|error| SandboxError::Engine(component::short(&error)))?;
        let compatibility = engine::compatibility(&engine);
        let cache = config.cache_dir.as_deref().and_then(|folder| open_cache(folder, config.cache_bytes.0));
        let pool = Pool::new(config.workers);
        let ticker = Ticker::start(engine.clone()).map_err(SandboxError::Thread)?;
        let (turns, runtimes) = (Turns::default(), Runtimes::default());
        let tls = Tls::new(config.certificates.clone());
        Ok(Self(Arc::new(Core {
            config,
            engine,
            linker,
            compatibility,
            cache,
            build: build(),
            outside,
            turns,
            pool,
            runtimes,
            ticker,
            tls,
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
        if let Some(exports) = self.0.exports(component.hash()) {
            return Ok(Arc::new(component.with_exports(exports)));
        }
        let component = if component.describes() {
            let answer = self.ask(&component)?;
            Arc::new(component.with_exports(component::described(&answer)?))
        } else {
            component
        };
        self.0.remember(component.hash(), component.exports());
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
        Ok(self.run(runtime, quota, given, task, started)?.settled(grant))
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
        pool::tidy(runtime, &context);
        task.over(&context, returned, started, queued)
    }
}

#[expect(clippy::cast_precision_loss, reason = "nanoseconds of one call are far below 2^53")]
fn milliseconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e6
}

impl Task {
    /// The store is made and dropped in here, so that both are charged to the call.
    pub(crate) async fn run(&self, context: &Arc<Context>) -> Returned {
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
    pub(crate) fn over(
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
    /// Settles the grant of the call.
    pub(crate) fn settled(self, grant: Grant) -> Finished {
        let quota = *grant.quota();
        let settlement = grant.settle(&self.usage);
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
