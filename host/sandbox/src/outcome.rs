//! How a call ended, told apart and put into words.
//!
//! wasmtime reports most endings as one kind of error, and some mislead: a Rust guest that recurses too deeply runs out
//! of its shadow stack (an out-of-bounds access), one that runs out of memory executes `unreachable`. So the host's own
//! notes come first: why it stopped the call, what memory it refused, which access it denied (facts.md §3).

use crate::{
    component::short,
    context::{Context, Denied, Stop},
    error::SandboxError,
};
use serde_json::Value;
use tomas_bindings::ToolError;
use tomas_core::{amount::Bytes, manifest::FileAccess, observation::Outcome};
use wasmtime::{PoolConcurrencyLimitError, Trap, WasmBacktrace};
use wasmtime_wasi::{I32Exit, ResourceTableError};

/// Most frames of a backtrace shown.
const FRAMES: usize = 20;

/// Most characters of a function's name shown.
const NAME: usize = 160;

/// What the instance returned: JSON or an error of its own, or an error of the engine.
pub(crate) type Returned = wasmtime::Result<Result<String, ToolError>>;

/// An outcome with the tool's result, or with what went wrong.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) outcome: Outcome,
    pub(crate) result: Option<Value>,
    pub(crate) error: Option<String>,
}

impl Verdict {
    fn failed(outcome: Outcome, error: String) -> Self {
        Self { outcome, result: None, error: Some(error) }
    }
}

/// Judges how a call ended. `log` is what it wrote so far.
///
/// # Errors
/// When the host is at fault.
pub(crate) fn judge(context: &Context, returned: Result<Returned, Stop>, log: &[u8]) -> Result<Verdict, SandboxError> {
    let returned = match returned {
        Ok(returned) => returned,
        Err(stop) => return Ok(stopped(context, stop)),
    };
    match returned {
        Ok(Ok(text)) => Ok(match context.emit(text.len()) {
            Ok(()) => result(&text),
            Err(stop) => stopped(context, stop),
        }),
        // A call that was stopped may still have come back with an error of its own.
        _ if let Some(stop) = context.stopped() => Ok(stopped(context, stop)),
        Ok(Err(error)) => Ok(match context.emit(message(&error).len()) {
            Ok(()) => tool_error(context, &error),
            Err(stop) => stopped(context, stop),
        }),
        Err(error) => engine_error(context, error, log),
    }
}

fn stopped(context: &Context, stop: Stop) -> Verdict {
    let quota = &context.quota;
    match stop {
        Stop::Deadline => Verdict::failed(
            Outcome::DeadlineExceeded,
            format!(
                "the call was stopped at its deadline of `{}`\nhint: give it more time or more CPU, or a smaller input",
                quota.deadline
            ),
        ),
        Stop::Cancelled | Stop::Abandoned => Verdict::failed(Outcome::Cancelled, "the call was cancelled".to_owned()),
        Stop::Output => Verdict::failed(
            Outcome::OutputExceeded,
            format!(
                "the tool produced more than its output quota of `{}`\nhint: give it more, or ask for less",
                quota.output
            ),
        ),
        Stop::Memory => memory(context, None),
    }
}

fn memory(context: &Context, message: Option<&str>) -> Verdict {
    let asked =
        context.memory.refused().map_or_else(String::new, |bytes| format!(" (it asked for {} more)", Bytes(bytes)));
    // What the tool, or the trap, says of it; where it happened matters less than what to do.
    let said = message.and_then(|message| message.lines().next()).map_or_else(String::new, |line| format!(": {line}"));
    Verdict::failed(
        Outcome::MemoryExceeded,
        format!(
            "the tool needs more than its memory quota of `{}`{asked}{said}\nhint: give it more memory or a smaller input",
            context.quota.memory
        ),
    )
}

fn message(error: &ToolError) -> &str {
    match error {
        ToolError::InvalidArguments(message) | ToolError::NotFound(message) | ToolError::Failed(message) => message,
    }
}

fn tool_error(context: &Context, error: &ToolError) -> Verdict {
    match error {
        ToolError::InvalidArguments(message) => Verdict::failed(Outcome::InvalidArguments, message.clone()),
        ToolError::Failed(message) if context.memory.refused().is_some() => memory(context, Some(message)),
        ToolError::NotFound(message) | ToolError::Failed(message) => match denied(context) {
            // What the tool makes of it says less than what was denied; its own hint would be a second one.
            Some(why) => {
                let said = message.lines().next().unwrap_or_default();
                Verdict::failed(Outcome::PermissionDenied, format!("{said}: {why}"))
            }
            None => Verdict::failed(Outcome::ToolError, message.clone()),
        },
    }
}

/// Which permission would have allowed what was denied.
fn denied(context: &Context) -> Option<String> {
    if context.was_denied(Denied::Network) {
        let sockets = "the tool reached for a socket, which tools do not get\n\
                       hint: HTTP requests (`wasi:http`) can be granted, with `network` under [permissions] of its tool.toml";
        return Some(context.network_note().unwrap_or(sockets).to_owned());
    }
    if let Some(model) = context.model.get().filter(|_| context.was_denied(Denied::Model)) {
        return Some(format!(
            "the tool asked for the model `{model}`, which it may not use\n\
             hint: `models = [\"{model}\"]` under [permissions] of its tool.toml allows it"
        ));
    }
    if context.was_denied(Denied::Room) {
        return Some(
            "the session's folder has no more room for what tools write\n\
             hint: grant more with `--writable BYTES`"
                .to_owned(),
        );
    }
    if context.was_denied(Denied::KeyValue) {
        return Some(
            "the tool tried to keep values between calls, which it may not\n\
             hint: `keyvalue = true` under [permissions] of its tool.toml allows it"
                .to_owned(),
        );
    }
    let files = context.was_denied(Denied::Files);
    files.then(|| match (context.given.permissions.files, &context.given.workspace) {
        (FileAccess::None, _) => "the tool tried to open a file, which it may not\n\
             hint: `files = \"read\"` under [permissions] of its tool.toml allows reading the session's folder"
            .to_owned(),
        (_, None) => "the tool tried to open a file, but the session grants no folder\n\
             hint: grant the session a folder (`--folder` on the command line, `folder` over HTTP); it appears at \
             `/workspace`"
            .to_owned(),
        (FileAccess::Read, Some(_)) => {
            "the tool tried to open something that is not a readable file inside `/workspace`\n\
             hint: only the session's folder can be read; `files = \"read_write\"` under [permissions] of its tool.toml \
             would allow writing"
                .to_owned()
        }
        (FileAccess::ReadWrite, Some(workspace)) if workspace.writable.is_none() => {
            "the tool tried to write, but the session's folder is read-only\n\
             hint: grant it room for what tools write: `--writable 16MiB` on the command line"
                .to_owned()
        }
        (FileAccess::ReadWrite, Some(_)) => {
            "the tool tried to open something that is not a file inside `/workspace`\n\
             hint: only the session's folder can be read and written"
                .to_owned()
        }
    })
}

fn result(text: &str) -> Verdict {
    match serde_json::from_str::<Value>(text) {
        // Events wrap results, and readers of JSON stop at some depth.
        Ok(value) if !shallow(&value, NESTED) => {
            Verdict::failed(Outcome::ToolError, format!("the tool returned JSON nested deeper than {NESTED} levels"))
        }
        Ok(value) if value.is_object() => Verdict { outcome: Outcome::Ok, result: Some(value), error: None },
        Ok(_) => Verdict::failed(
            Outcome::ToolError,
            format!("the tool returned JSON that is not an object: `{}`", head(text)),
        ),
        Err(error) => Verdict::failed(
            Outcome::ToolError,
            format!("the tool returned something that is not JSON: {error} in `{}`", head(text)),
        ),
    }
}

/// Levels of arrays and objects in a result.
const NESTED: usize = 64;

fn shallow(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(|v| shallow(v, levels - 1)),
        Value::Object(fields) => levels > 0 && fields.values().all(|v| shallow(v, levels - 1)),
        _ => true,
    }
}

fn head(text: &str) -> String {
    text.chars().take(120).collect()
}

fn engine_error(context: &Context, error: wasmtime::Error, log: &[u8]) -> Result<Verdict, SandboxError> {
    let error = &match error.downcast::<SandboxError>() {
        Ok(fault) => return Err(fault),
        Err(error) => error,
    };
    if error.downcast_ref::<PoolConcurrencyLimitError>().is_some() {
        return Err(SandboxError::Busy);
    }
    if let Some(&stop) = error.downcast_ref::<Stop>() {
        return Ok(stopped(context, stop));
    }
    if let Some(ResourceTableError::Full) = error.downcast_ref() {
        let why = "it holds more files, streams, requests and other handles than that allows, each of which stands for host memory";
        return Ok(memory(context, Some(why)));
    }
    let text = trap(error);
    if context.memory.refused().is_some() {
        return Ok(memory(context, Some(&text)));
    }
    if text.contains("fuel allocated for hostcalls has been exhausted") {
        return Ok(memory(context, Some("it handed the host more data at once than that")));
    }
    if let Some(why) = denied(context) {
        return Ok(Verdict::failed(Outcome::PermissionDenied, format!("{why}\n{text}")));
    }
    let panic = panic_message(log).map_or_else(String::new, |panic| format!("{panic}\n"));
    Ok(Verdict::failed(Outcome::Trapped, format!("{panic}{text}")))
}

/// What a worker of `parallel.map` died of, for the instance that waits for it.
pub(crate) fn worker_failure(error: &wasmtime::Error) -> String {
    match error.downcast_ref::<Stop>() {
        Some(stop) => stop.to_string(),
        None => format!("worker trapped: {}", trap(error)),
    }
}

/// A trap in words, with its backtrace.
fn trap(error: &wasmtime::Error) -> String {
    let what = match (error.downcast_ref::<Trap>(), error.downcast_ref::<I32Exit>()) {
        (Some(Trap::UnreachableCodeReached), _) => "executed `unreachable` (a panic, or an abort)".to_owned(),
        (Some(Trap::MemoryOutOfBounds), _) => {
            "accessed memory out of bounds (in Rust, often recursion that is too deep)".to_owned()
        }
        (Some(Trap::StackOverflow), _) => "used up its call stack (recursion that is too deep)".to_owned(),
        (Some(trap), _) => trap.to_string(),
        (None, Some(exit)) => format!("called `exit({})`", exit.0),
        (None, None) => root(error),
    };
    let frames = error.downcast_ref::<WasmBacktrace>().map(backtrace).unwrap_or_default();
    format!("{what}{frames}")
}

/// The causes of an error without the backtrace that wasmtime puts first.
fn root(error: &wasmtime::Error) -> String {
    if error.downcast_ref::<WasmBacktrace>().is_some() {
        error.root_cause().to_string().chars().take(300).collect()
    } else {
        short(error)
    }
}

/// The guest's frames, innermost first, as `  at module!function`, without addresses, hashes and the machinery of a
/// Rust panic.
fn backtrace(trace: &WasmBacktrace) -> String {
    let text = trace.to_string();
    let mut frames: Vec<String> = Vec::new();
    for line in text.lines() {
        let line = line.trim_start();
        if line.starts_with(|first: char| first.is_ascii_digit()) {
            // `0:   0x1234 - module!function`, the address only where there is one
            let frame = line.split_once(": ").map_or(line, |(_, frame)| frame);
            let name = frame.split_once(" - ").map_or(frame, |(_, name)| name);
            frames.push(plain(name.trim()));
        } else if let (Some(place), Some(last)) = (line.strip_prefix("at "), frames.last_mut()) {
            *last = format!("{last} ({place})");
        }
    }
    let panicked = frames.iter().rposition(|frame| frame.contains("rust_begin_unwind")).map_or(0, |at| at + 1);
    let mut shown: String = frames.iter().skip(panicked).take(FRAMES).map(|frame| format!("\n  at {frame}")).collect();
    if frames.len() > panicked + FRAMES {
        shown.push_str("\n  …");
    }
    shown
}

/// Whether a character moves a cursor, ends a line or turns the text around: names in a component may have them all.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A demangled name without its hashes: `a[0123456789abcdef]::b::h0123456789abcdef` is `a::b`.
fn plain(name: &str) -> String {
    let is_hash = |text: &str| text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let name = match name.rsplit_once("::h") {
        Some((before, hash)) if is_hash(hash) => before,
        _ => name,
    };
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('[') {
        out.push_str(before);
        match after.split_once(']') {
            Some((hash, behind)) if is_hash(hash) => rest = behind,
            _ => {
                out.push('[');
                rest = after;
            }
        }
    }
    (out + rest).chars().take(NAME).map(|c| if is_hidden(c) { '\u{fffd}' } else { c }).collect()
}

/// What a Rust panic printed before it aborted.
fn panic_message(log: &[u8]) -> Option<String> {
    let log = String::from_utf8_lossy(log);
    let at = log.rfind("panicked at ")?;
    let lines: Vec<_> = log.get(at..)?.lines().filter(|line| !line.starts_with("note: ")).take(3).collect();
    Some(lines.join("\n").chars().take(1000).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_objects_are_results() {
        assert_eq!(result(r#"{"text":"ok"}"#).outcome, Outcome::Ok);
        for text in ["", "[]", "7", "{", "{}{}", &"[".repeat(100_000)] {
            let verdict = result(text);
            assert_eq!(verdict.outcome, Outcome::ToolError, "{text}");
            assert!(verdict.error.is_some_and(|error| error.len() < 400));
        }
    }

    #[test]
    fn names_lose_their_hashes_only() {
        for (name, shown) in [
            ("m.wasm!std[d123b7a1a2ed1472]::process::abort", "m.wasm!std::process::abort"),
            ("m.wasm!a::b::h2ed4d1c03c353b9c", "m.wasm!a::b"),
            ("m.wasm!<[u8] as a[0000000000000000]::T>::h", "m.wasm!<[u8] as a::T>::h"),
            ("m.wasm!x[", "m.wasm!x["),
            ("m.wasm!\u{1b}[2J\u{202e}", "m.wasm!\u{fffd}[2J\u{fffd}"),
        ] {
            assert_eq!(plain(name), shown);
        }
    }

    #[test]
    fn the_last_panic_is_quoted() {
        let log =
            b"hello\n\nthread '<unnamed>' panicked at src/lib.rs:7:9:\nno luck\nnote: run with `RUST_BACKTRACE=1`\n";
        assert_eq!(panic_message(log).as_deref(), Some("panicked at src/lib.rs:7:9:\nno luck"));
        assert_eq!(panic_message(b"nothing"), None);
    }
}
