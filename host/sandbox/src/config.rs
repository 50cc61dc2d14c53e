//! Configuration of the sandbox.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use tomas_core::amount::{Bytes, Span};

/// What a sandbox is built with. Every key has a default; unknown keys are errors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SandboxConfig {
    /// Most OS threads that run tools, as a count. A running tool occupies one thread, a fork-join worker another one
    /// while it runs; threads start when they are first needed. The accountant keeps the sum of CPU quotas within the
    /// machine, so that this bounds how many small quotas may share it.
    pub workers: u32,
    /// Where precompiled components are kept: a folder that only this user may enter; `None` compiles at every start.
    pub cache_dir: Option<PathBuf>,
    /// Most bytes of precompiled code kept in the cache; the files unused for longest go first.
    pub cache_bytes: Bytes,
    /// Limits of the child process in which components are compiled, because compiling is not bounded by input size.
    pub compile: CompileConfig,
    /// Largest component accepted, in bytes; Python components are about 20 MB.
    pub max_component: Bytes,
    /// Core instances, memories and tables that one instance of a component may hold, as counts.
    pub instance: InstanceConfig,
    /// Wasm stack of a call, in bytes. A guest that needs more traps. Rust guests keep their own stack in linear memory.
    pub wasm_stack: Bytes,
    /// Written memory of an idle pool slot that is kept and zeroed instead of given back, in bytes: trades host memory
    /// (times twice the workers, at most) for system calls and page faults.
    pub keep_resident: Bytes,
    /// Most handles to host objects (files, streams, pollables) that one instance may hold, as a count.
    pub max_handles: u32,
    /// A PEM file of certificate authorities that HTTPS requests of tools trust besides Mozilla's.
    pub certificates: Option<PathBuf>,
    /// Most random bytes in one request.
    pub max_random: Bytes,
}

/// Limits of the compiling child process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CompileConfig {
    /// The executable to run as the compiler, which must call [`crate::compile_child_main`] when its first argument is
    /// [`crate::COMPILE_ARGUMENT`]; `None` is the running executable.
    pub program: Option<PathBuf>,
    /// Address space of the child (`RLIMIT_AS`), in bytes. 0.8 MB of empty functions need 1 GiB (facts.md §4).
    pub memory: Bytes,
    /// CPU time of the child (`RLIMIT_CPU`), rounded up to seconds. The largest honest component known, SpiderMonkey,
    /// needs 15 s.
    pub cpu: Span,
    /// Wall time after which the child is killed.
    pub wall: Span,
    /// Most children at once, as a count: together they may use this many times `memory`. The others wait.
    pub at_once: u32,
    /// Most bytes of machine code accepted from the child.
    pub output: Bytes,
}

/// Bounds of one component instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InstanceConfig {
    /// Core wasm instances inside the component.
    pub core_instances: u32,
    /// Linear memories inside the component.
    pub memories: u32,
    /// Tables inside the component.
    pub tables: u32,
    /// Elements of one table.
    pub table_elements: u32,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            workers: 32,
            cache_dir: None,
            cache_bytes: Bytes::mib(1024),
            compile: CompileConfig::default(),
            max_component: Bytes::mib(64),
            instance: InstanceConfig::default(),
            wasm_stack: Bytes(512 << 10),
            keep_resident: Bytes::mib(1),
            max_handles: 10_000,
            certificates: None,
            max_random: Bytes::mib(1),
        }
    }
}

impl Default for CompileConfig {
    fn default() -> Self {
        Self {
            program: None,
            memory: Bytes::mib(3072),
            cpu: Span(std::time::Duration::from_secs(60)),
            wall: Span(std::time::Duration::from_secs(120)),
            at_once: 2,
            output: Bytes::mib(512),
        }
    }
}

impl Default for InstanceConfig {
    fn default() -> Self {
        Self { core_instances: 64, memories: 4, tables: 16, table_elements: 100_000 }
    }
}
