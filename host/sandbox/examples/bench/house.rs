//! The sandbox, the fixtures and an account with plenty.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tomas_core::{
    accountant::{Account, Accountant, Limits},
    amount::{Bytes, MilliCpu, Span},
    quota::Quota,
    resource::Resources,
};
use tomas_sandbox::{Call, CompileConfig, LoadedComponent, Sandbox, SandboxConfig};

pub(crate) struct House {
    pub(crate) sandbox: Sandbox,
    pub(crate) account: Account,
}

pub(crate) fn config() -> Result<SandboxConfig, Box<dyn std::error::Error>> {
    let beside = std::env::current_exe()?;
    let program = beside.parent().and_then(Path::parent).map(|folder| folder.join("tomas-compile"));
    Ok(SandboxConfig { compile: CompileConfig { program, ..CompileConfig::default() }, ..SandboxConfig::default() })
}

impl House {
    pub(crate) fn new() -> Result<Self, Box<dyn std::error::Error>> {
        let plenty =
            Resources { cpu: MilliCpu(1_000_000), memory: Bytes::mib(1 << 20), gpu_sms: 0, gpu_memory: Bytes(0) };
        let account = Accountant::new(plenty, 64).open(&Limits::default())?;
        Ok(Self { sandbox: Sandbox::new(config()?)?, account })
    }

    pub(crate) fn load(&self, fixture: &str) -> Result<Arc<LoadedComponent>, Box<dyn std::error::Error>> {
        Ok(self.sandbox.load(&bytes(fixture)?)?)
    }
}

/// The bytes of a fixture.
pub(crate) fn bytes(fixture: &str) -> std::io::Result<Vec<u8>> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    std::fs::read(root.join(format!("../../guest-tools/dist/fixtures/{fixture}.wasm")))
}

pub(crate) fn quota(cpu: u32, memory: Bytes, deadline: Duration) -> Quota {
    Quota {
        cpu: MilliCpu(cpu),
        memory,
        gpu_sms: 0,
        gpu_memory: Bytes(0),
        deadline: Span(deadline),
        output: Bytes::mib(1),
    }
}

pub(crate) fn call(
    component: &Arc<LoadedComponent>,
    tool: &str,
    arguments: &serde_json::Value,
) -> Result<Call, Box<dyn std::error::Error>> {
    Ok(Call::new(Arc::clone(component), tool.parse()?, arguments.to_string()))
}
