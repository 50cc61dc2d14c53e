//! One sandbox for all tests, the fixtures loaded once, and calls in one line.

use std::{
    path::PathBuf,
    sync::{Arc, LazyLock},
    time::Duration,
};
use tomas_core::{
    accountant::{Accountant, Grant, Limits},
    amount::{Bytes, MilliCpu, Span},
    observation::{Observation, Outcome},
    quota::Quota,
    resource::Resources,
};
use tomas_sandbox::{Call, CompileConfig, Finished, LoadedComponent, Sandbox, SandboxConfig};

/// Enough for tests that are not about quotas.
pub(crate) fn quota() -> Quota {
    Quota {
        cpu: MilliCpu(1000),
        memory: Bytes::mib(64),
        gpu_sms: 0,
        gpu_memory: Bytes(0),
        deadline: Span(Duration::from_secs(60)),
        output: Bytes::mib(1),
    }
}

/// A configuration whose compiler is this crate's own.
pub(crate) fn config() -> SandboxConfig {
    let program = Some(PathBuf::from(env!("CARGO_BIN_EXE_tomas-compile")));
    SandboxConfig {
        workers: 16,
        compile: CompileConfig { program, ..CompileConfig::default() },
        ..SandboxConfig::default()
    }
}

/// The bytes of a fixture of guest-tools/fixtures.
pub(crate) fn fixture(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../guest-tools/dist/fixtures/{name}.wasm"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) static SANDBOX: LazyLock<Sandbox> = LazyLock::new(|| Sandbox::new(config()).unwrap());
pub(crate) static HOSTILE: LazyLock<Arc<LoadedComponent>> =
    LazyLock::new(|| SANDBOX.load(&fixture("hostile")).unwrap());
pub(crate) static NOOP: LazyLock<Arc<LoadedComponent>> = LazyLock::new(|| SANDBOX.load(&fixture("noop")).unwrap());

/// A grant from an accountant of its own, with plenty.
pub(crate) fn grant(quota: Quota) -> Grant {
    let plenty = Resources { cpu: MilliCpu(1_000_000), memory: Bytes::mib(1 << 20), gpu_sms: 0, gpu_memory: Bytes(0) };
    Accountant::new(plenty, 1).open(&Limits::default()).unwrap().try_reserve(quota).unwrap()
}

/// A call of a tool of `hostile`.
pub(crate) fn hostile(tool: &str, arguments: serde_json::Value) -> Call {
    Call::new(Arc::clone(&HOSTILE), tool.parse().unwrap(), arguments.to_string())
}

/// A deadline in milliseconds.
pub(crate) fn within(ms: u64) -> Quota {
    Quota { deadline: Span(Duration::from_millis(ms)), ..quota() }
}

/// Runs a call on a thread of the pool.
pub(crate) fn run(quota: Quota, call: Call) -> Finished {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(SANDBOX.call(grant(quota), call)).unwrap()
}

/// Runs a call and expects an outcome.
#[track_caller]
pub(crate) fn expect(outcome: Outcome, quota: Quota, call: Call) -> Observation {
    let observation = run(quota, call).observation;
    assert_eq!(observation.outcome, outcome, "{observation:#?}");
    observation
}
