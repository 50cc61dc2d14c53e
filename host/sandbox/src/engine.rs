//! The wasmtime engine: one set of switches for running and compiling.

use crate::config::SandboxConfig;
use std::hash::{Hash as _, Hasher};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, RegallocAlgorithm,
    Strategy, WasmBacktraceDetails,
};

/// Stack of a fiber beyond what wasm may use, in bytes: host functions run on it, and so does a fork-join worker that
/// the caller's own thread runs.
const HOST_STACK: u64 = 1536 << 10;

/// What shapes the machine code. A compiling child and the engine that runs its output must agree on all of it;
/// [`compatibility`] tells whether they do.
fn config(wasm_stack: u64) -> Config {
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        .cranelift_regalloc_algorithm(RegallocAlgorithm::Backtracking)
        .epoch_interruption(true)
        .wasm_component_model(true)
        .wasm_simd(true)
        .wasm_memory64(false)
        .shared_memory(false)
        .concurrency_support(false)
        .memory_init_cow(true)
        .wasm_backtrace_details(WasmBacktraceDetails::Enable)
        .max_wasm_stack(size(wasm_stack))
        .async_stack_size(size(wasm_stack.saturating_add(HOST_STACK)));
    config
}

/// A byte count as `usize`; configured sizes beyond the address space saturate and are refused by wasmtime.
fn size(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// The engine that runs tools: pooled instances, so that a call maps no memory.
///
/// # Errors
/// When the pool's address space cannot be reserved, or a configured size is impossible.
pub(crate) fn running(sandbox: &SandboxConfig) -> wasmtime::Result<Engine> {
    let mut config = config(sandbox.wasm_stack.0);
    // A thread holds a call and, inside `parallel.map`, one worker of it; and as many calls may have begun elsewhere.
    let stores = sandbox.workers.max(1).saturating_mul(3).saturating_add(2);
    let instance = &sandbox.instance;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(stores)
        .total_stacks(stores.saturating_mul(2))
        .total_core_instances(stores.saturating_mul(instance.core_instances))
        .total_memories(stores.saturating_mul(instance.memories))
        .total_tables(stores.saturating_mul(instance.tables))
        .max_core_instances_per_component(instance.core_instances)
        .max_memories_per_component(instance.memories)
        .max_tables_per_component(instance.tables)
        .max_tables_per_module(instance.tables)
        .max_memories_per_module(instance.memories)
        .max_component_instance_size(4 << 20)
        .max_core_instance_size(4 << 20)
        .table_elements(instance.table_elements as usize)
        // All that a 32-bit memory can hold: the call's quota is the limit, not the pool.
        .max_memory_size(1 << 32)
        .max_unused_warm_slots(stores)
        .linear_memory_keep_resident(size(sandbox.keep_resident.0))
        .table_keep_resident(16 << 10)
        // Where the kernel can tell which pages were written (Linux 6.7), only those are reset, and without unmapping.
        .pagemap_scan(Enabled::Auto);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config)
}

/// The engine that compiles in the child process: the same code, without the pool's address space.
///
/// # Errors
/// As [`running`].
pub(crate) fn compiling(wasm_stack: u64) -> wasmtime::Result<Engine> {
    Engine::new(&config(wasm_stack))
}

/// A digest of everything that machine code of this engine depends on: wasmtime's version, switches and CPU features.
pub(crate) fn compatibility(engine: &Engine) -> blake3::Hash {
    struct Digest(blake3::Hasher);
    impl Hasher for Digest {
        fn finish(&self) -> u64 {
            0 // never asked for: the whole digest is taken below
        }
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
    }
    let mut digest = Digest(blake3::Hasher::new());
    engine.precompile_compatibility_hash().hash(&mut digest);
    digest.0.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn child_and_host_make_the_same_code() {
        let sandbox = SandboxConfig { workers: 2, ..SandboxConfig::default() };
        let running = running(&sandbox).unwrap();
        let compiling = compiling(sandbox.wasm_stack.0).unwrap();
        assert_eq!(compatibility(&running), compatibility(&compiling));
    }
}
