//! Compiling, in a child process.
//!
//! What a component costs to compile is not bounded by its size (0.8 MB of empty functions: 1 GiB and 8 s; facts.md §4),
//! and wasmtime leaves that to its embedder. So the running executable starts itself again with a hidden first argument,
//! limits its own memory and CPU time, reads the component from standard input, and writes machine code to standard
//! output. Whatever happens to the child, the host lives.

use crate::{cancel::lock, config::CompileConfig, engine};
use std::{
    io::{self, Read, Write},
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, ExitStatus, Stdio},
    sync::{Condvar, Mutex, PoisonError, mpsc},
};
use tomas_core::amount::{Bytes, Span};

/// The first argument by which an executable knows that it is to be the compiler.
pub const COMPILE_ARGUMENT: &str = "__compile";

/// Exit code of a child that found the component at fault.
const REFUSED: u8 = 1;

/// Exit code of a child that could not do its work.
const FAILED: u8 = 2;

/// Most bytes of a child's message that are read.
const MESSAGE: u64 = 16 << 10;

/// Why there is no machine code.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The component is malformed.
    #[error("the component is not valid: {0}\nhint: it may be truncated or damaged; build it or copy it again")]
    Invalid(String),
    /// The child ran out of memory.
    #[error(
        "compiling the component needs more than `{0}` of memory\nhint: it may be hostile; raise `compile.memory` if it is not"
    )]
    Memory(Bytes),
    /// The child ran out of CPU time or wall time.
    #[error(
        "compiling the component takes longer than `{0}`\nhint: it may be hostile; raise `compile.cpu` and `compile.wall` if it is not"
    )]
    Time(Span),
    /// The machine code is too large.
    #[error("the component compiles to more than `{0}`\nhint: it may be hostile; raise `compile.output` if it is not")]
    Output(Bytes),
    /// The compiler cannot be run, or died.
    #[error(
        "the compiler process failed: {0}\nhint: set `compile.program` to an executable that can compile, such as the host itself"
    )]
    Child(String),
}

/// Lets so many compile at once.
#[derive(Default)]
pub(crate) struct Turns {
    compiling: Mutex<u32>,
    done: Condvar,
}

impl Turns {
    /// Waits for a turn.
    pub(crate) fn take(&self, at_once: u32) -> Turn<'_> {
        let mut compiling = lock(&self.compiling);
        while *compiling >= at_once.max(1) {
            compiling = self.done.wait(compiling).unwrap_or_else(PoisonError::into_inner);
        }
        *compiling += 1;
        Turn(self)
    }
}

/// A turn to compile, until it is dropped.
pub(crate) struct Turn<'a>(&'a Turns);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *lock(&self.0.compiling) -= 1;
        self.0.done.notify_one();
    }
}

/// Compiles `component` in a child process. Blocks.
///
/// # Errors
/// When the component or the child process is at fault.
pub(crate) fn compile(component: &[u8], config: &CompileConfig, wasm_stack: u64) -> Result<Vec<u8>, CompileError> {
    let mut child = command(config, wasm_stack)?.spawn().map_err(|error| CompileError::Child(error.to_string()))?;
    let (code, message) = converse(&mut child, component, config)?;
    let status = child.wait().map_err(|error| CompileError::Child(error.to_string()))?;
    if code.len() as u64 > config.output.0 {
        return Err(CompileError::Output(config.output));
    }
    if status.success() { Ok(code) } else { Err(diagnose(status, &message, config)) }
}

fn command(config: &CompileConfig, wasm_stack: u64) -> Result<Command, CompileError> {
    // The link stays valid when the file was replaced meanwhile, unlike its path.
    let program = config.program.clone().unwrap_or_else(|| PathBuf::from("/proc/self/exe"));
    if !program.exists() {
        return Err(CompileError::Child(format!("`{}` does not exist", program.display())));
    }
    let seconds = config.cpu.0.as_secs_f64().ceil();
    let mut command = Command::new(program);
    command
        .arg(COMPILE_ARGUMENT)
        .args([config.memory.0.to_string(), format!("{seconds:.0}"), wasm_stack.to_string()])
        .env_clear()
        // One arena of the C library reserves 64 MiB of the address space, and by default each thread has one.
        .env("MALLOC_ARENA_MAX", "2")
        .current_dir(Path::new("/"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Ok(command)
}

/// Writes the component, reads machine code and message, and kills the child when it is late.
fn converse(child: &mut Child, component: &[u8], config: &CompileConfig) -> Result<(Vec<u8>, String), CompileError> {
    let (Some(mut stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(CompileError::Child("its streams are missing".to_owned()));
    };
    std::thread::scope(|scope| {
        // A child that refuses the component early closes its input; what it says then is in its message.
        scope.spawn(move || drop(stdin.write_all(component)));
        let message = scope.spawn(move || read(stderr, MESSAGE));
        let (send, receive) = mpsc::channel();
        let most = config.output.0.saturating_add(1);
        scope.spawn(move || send.send(read(stdout, most)));
        let code = receive.recv_timeout(config.wall.0);
        if code.as_ref().is_err() || code.as_ref().is_ok_and(|code| code.len() as u64 >= most) {
            drop(child.kill());
        }
        let message = String::from_utf8_lossy(&message.join().unwrap_or_default()).into_owned();
        match code {
            Ok(code) => Ok((code, message)),
            Err(_) => {
                drop(child.wait());
                Err(CompileError::Time(config.wall))
            }
        }
    })
}

/// Reads at most `most` bytes. What cannot be read is missing at the end, and the exit status tells why.
fn read(stream: impl Read, most: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    drop(stream.take(most).read_to_end(&mut bytes));
    bytes
}

fn diagnose(status: ExitStatus, message: &str, config: &CompileConfig) -> CompileError {
    let message = message.trim();
    match (status.code(), status.signal()) {
        (Some(code), _) if code == i32::from(REFUSED) => CompileError::Invalid(message.to_owned()),
        (_, Some(libc::SIGXCPU | libc::SIGKILL)) => CompileError::Time(config.cpu),
        (_, Some(libc::SIGABRT)) if message.contains("memory allocation") => CompileError::Memory(config.memory),
        // No address space even for the component itself, or for the threads of the compiler.
        _ if message.contains("out of memory") || message.contains("ThreadPoolBuildError") => {
            CompileError::Memory(config.memory)
        }
        _ => CompileError::Child(format!("{status}: {}", message.chars().take(500).collect::<String>())),
    }
}

/// What an executable does when its first argument is [`COMPILE_ARGUMENT`]: it compiles standard input to standard
/// output under the limits in its other arguments. Call it before anything else, such as parsing a command line.
#[must_use]
pub fn compile_child_main() -> ExitCode {
    let arguments: Vec<u64> = std::env::args().skip(2).filter_map(|argument| argument.parse().ok()).collect();
    let &[memory, cpu, wasm_stack] = arguments.as_slice() else {
        return complain(
            FAILED,
            "the compiler needs three numbers: bytes of memory, seconds of CPU time, bytes of stack",
        );
    };
    for (resource, limit) in [(libc::RLIMIT_AS, memory), (libc::RLIMIT_CPU, cpu), (libc::RLIMIT_CORE, 0)] {
        if let Err(error) = limit_self(resource, limit) {
            return complain(FAILED, &format!("cannot limit the compiler: {error}"));
        }
    }
    let mut component = Vec::new();
    if let Err(error) = io::stdin().lock().read_to_end(&mut component) {
        return complain(FAILED, &format!("cannot read the component: {error}"));
    }
    let engine = match engine::compiling(wasm_stack) {
        Ok(engine) => engine,
        Err(error) => return complain(FAILED, &format!("{error:#}")),
    };
    match engine.precompile_component(&component) {
        Ok(code) => match io::stdout().lock().write_all(&code) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => complain(FAILED, &format!("cannot hand over the machine code: {error}")),
        },
        Err(error) => complain(REFUSED, &format!("{error:#}").replace('\n', " ")),
    }
}

/// Says why on standard error, which the parent reads; if nobody does, the code must do.
fn complain(code: u8, why: &str) -> ExitCode {
    drop(writeln!(io::stderr(), "{why}"));
    ExitCode::from(code)
}

fn limit_self(resource: libc::__rlimit_resource_t, limit: u64) -> io::Result<()> {
    let limits = libc::rlimit { rlim_cur: limit, rlim_max: limit };
    #[expect(unsafe_code, reason = "setrlimit reads one struct that we own")]
    let result = unsafe { libc::setrlimit(resource, &raw const limits) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
