//! What a guest may import: the four interfaces of `tomas:tool` and WASI 0.2, cut down to what the call is granted.

pub(crate) mod blobs;
pub(crate) mod clock;
pub(crate) mod files;
pub(crate) mod http;
pub(crate) mod keyvalue;
pub(crate) mod log;
pub(crate) mod nn;
pub(crate) mod parallel;
pub(crate) mod progress;
pub(crate) mod random;
pub(crate) mod stdio;
pub(crate) mod taped;
pub(crate) mod transport;
pub(crate) mod waiting;

use crate::{
    context::{Context, Denied},
    error::SandboxError,
    state::State,
    typed::program,
};
use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Instant,
};
use tomas_bindings::tomas::tool as ours;
use wasmtime::{
    Engine,
    component::{HasData, HasSelf, Linker},
};
use wasmtime_wasi::{
    FsPerms, ResourceTable, WasiCtx, WasiCtxBuilder, WasiView,
    cli::{WasiCli, WasiCliView},
    clocks::{WasiClocks, WasiClocksView},
    filesystem::{WasiFilesystem, WasiFilesystemView},
    p2::{bindings as wasi, pipe::MemoryInputPipe},
    sockets::{WasiSockets, WasiSocketsView},
};

/// What a component may import, for error messages.
pub(crate) const AVAILABLE: &str = "`tomas:tool/{blobs,parallel,progress,log}@0.1.0`, \
     `wasi:{cli,clocks,filesystem,http,io,random,sockets}@0.2`, `wasi:config/store@0.2.0-rc.1`, \
     `wasi:keyvalue/{store,atomics,batch}@0.2.0-draft` and `wasi:nn@0.2.0-rc-2024-10-28`";

/// The packages of [`AVAILABLE`].
pub(crate) const PACKAGES: [&str; 11] = [
    "tomas:tool/",
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:config/",
    "wasi:filesystem/",
    "wasi:http/",
    "wasi:io/",
    "wasi:keyvalue/",
    "wasi:nn/",
    "wasi:random/",
    "wasi:sockets/",
];

/// A linker with every import there is.
///
/// # Errors
/// When wasmtime refuses a definition, which would be a fault of this crate.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    let l = &mut linker;
    blobs::add_to_linker(l)?;
    ours::parallel::add_to_linker::<_, HasSelf<State>>(l, |state| state)?;
    ours::progress::add_to_linker::<_, HasSelf<State>>(l, |state| state)?;
    ours::log::add_to_linker::<_, HasSelf<State>>(l, |state| state)?;
    nn::add_to_linker(l)?;
    add_wasi(l)?;
    http::add_to_linker(l)?;
    keyvalue::add_to_linker(l)?;
    wasmtime_wasi_config::add_to_linker(l, State::config)?;
    Ok(linker)
}

struct Io;

impl HasData for Io {
    type Data<'a> = &'a mut ResourceTable;
}

/// WASI 0.2 interface by interface, as `wasmtime_wasi::p2::add_to_linker_async` does it, but with randomness of our own
/// and with notes of what was denied.
fn add_wasi(l: &mut Linker<State>) -> wasmtime::Result<()> {
    wasi::io::error::add_to_linker::<State, Io>(l, |state| state.ctx().table)?;
    wasi::io::poll::add_to_linker::<State, Io>(l, |state| state.ctx().table)?;
    waiting::add_to_linker(l)?;
    wasi::io::streams::add_to_linker::<State, Io>(l, |state| state.ctx().table)?;
    wasi::clocks::wall_clock::add_to_linker::<State, WasiClocks>(l, State::clocks)?;
    wasi::clocks::monotonic_clock::add_to_linker::<State, WasiClocks>(l, State::clocks)?;
    wasi::random::random::add_to_linker::<State, HasSelf<random::Random>>(l, |state| &mut state.random)?;
    wasi::random::insecure::add_to_linker::<State, HasSelf<random::Random>>(l, |state| &mut state.random)?;
    wasi::random::insecure_seed::add_to_linker::<State, HasSelf<random::Random>>(l, |state| &mut state.random)?;
    wasi::cli::exit::add_to_linker::<State, WasiCli>(l, State::cli)?;
    wasi::cli::environment::add_to_linker::<State, WasiCli>(l, State::cli)?;
    wasi::cli::stdin::add_to_linker::<State, WasiCli>(l, State::cli)?;
    wasi::cli::stdout::add_to_linker::<State, WasiCli>(l, State::cli)?;
    wasi::cli::stderr::add_to_linker::<State, WasiCli>(l, State::cli)?;
    wasi::cli::terminal_input::add_to_linker::<State, WasiCli>(l, State::cli)?;
    wasi::cli::terminal_output::add_to_linker::<State, WasiCli>(l, State::cli)?;
    wasi::cli::terminal_stdin::add_to_linker::<State, WasiCli>(l, State::cli)?;
    wasi::cli::terminal_stdout::add_to_linker::<State, WasiCli>(l, State::cli)?;
    wasi::cli::terminal_stderr::add_to_linker::<State, WasiCli>(l, State::cli)?;
    wasi::filesystem::types::add_to_linker::<State, WasiFilesystem>(l, State::filesystem)?;
    files::add_to_linker(l)?;
    add_sockets(l)
}

/// Sockets exist, so that components which mention them load; every use is refused and noted.
fn add_sockets(l: &mut Linker<State>) -> wasmtime::Result<()> {
    wasi::sockets::tcp::add_to_linker::<State, WasiSockets>(l, State::sockets)?;
    wasi::sockets::udp::add_to_linker::<State, WasiSockets>(l, State::sockets)?;
    wasi::sockets::tcp_create_socket::add_to_linker::<State, WasiSockets>(l, denied_sockets)?;
    wasi::sockets::udp_create_socket::add_to_linker::<State, WasiSockets>(l, denied_sockets)?;
    wasi::sockets::instance_network::add_to_linker::<State, WasiSockets>(l, State::sockets)?;
    wasi::sockets::network::add_to_linker::<State, WasiSockets>(
        l,
        &wasi::sockets::network::LinkOptions::default(),
        State::sockets,
    )?;
    wasi::sockets::ip_name_lookup::add_to_linker::<State, WasiSockets>(l, denied_sockets)
}

fn denied_sockets(state: &mut State) -> wasmtime_wasi::sockets::WasiSocketsCtxView<'_> {
    state.deny(Denied::Network);
    state.sockets()
}

/// The WASI context where making it can fail: when the call has a folder.
///
/// # Errors
/// When the folder cannot be opened.
pub(crate) fn eager_wasi(context: &Arc<Context>, lane: &Arc<AtomicU64>) -> Result<Option<WasiCtx>, SandboxError> {
    let Some(workspace) = files::granted(context) else { return Ok(None) };
    let mut builder = builder(context, lane);
    let perms = if files::room(context).is_some() { FsPerms::ReadWrite } else { FsPerms::ReadOnly };
    let folder = &workspace.folder;
    let opened = builder.preopened_dir(folder, files::WORKSPACE, perms);
    opened.map_err(|error| SandboxError::Workspace { path: folder.clone(), reason: error.to_string() })?;
    Ok(Some(builder.build()))
}

/// The WASI context of a call without a folder.
pub(crate) fn wasi(context: &Arc<Context>, lane: &Arc<AtomicU64>) -> WasiCtx {
    builder(context, lane).build()
}

/// No network, which is what a builder begins with; of the environment what was granted; arguments and standard input only
/// for a program.
fn builder(context: &Arc<Context>, lane: &Arc<AtomicU64>) -> WasiCtxBuilder {
    let mut builder = WasiCtxBuilder::new();
    builder.stderr(stdio::Stdio::log(context)).envs(&context.given.environment);
    match context.command.get() {
        Some(line) => {
            builder.arg("program").args(&line.arguments).stdin(MemoryInputPipe::new(program::stdin(line)));
            builder.stdout(stdio::Stdio::result(context))
        }
        None => builder.stdout(stdio::Stdio::log(context)),
    };
    // Each call has a thread of its own, so files may block it: what they cost is then charged to the call.
    builder.allow_blocking_current_thread(true);
    match &context.given.tape {
        _ if !context.given.permissions.clock => {
            builder.wall_clock(clock::Still).monotonic_clock(clock::Still);
        }
        None => {}
        Some(tape) => {
            let taped = clock::Taped { tape: tape.clone(), lane: Arc::clone(lane), begun: Instant::now() };
            builder.wall_clock(taped.clone()).monotonic_clock(taped);
        }
    }
    builder
}
