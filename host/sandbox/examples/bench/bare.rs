//! What everybody could do without us: a pooled instance for each call, asynchronous, interruptible, and no quota.

use crate::house;
use tomas_bindings::{Tool, ToolPre, tomas::tool};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store,
    component::{Component, HasSelf, Linker},
};
use wasmtime_wasi::{ResourceTable, WasiCtx, WasiCtxView, WasiView};

pub(crate) struct Bare {
    engine: Engine,
    pre: ToolPre<State>,
    runtime: tokio::runtime::Runtime,
}

struct State {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl tool::blobs::Host for State {
    fn read(&mut self, _: String) -> wasmtime::Result<Result<Vec<u8>, String>> {
        Ok(Err(String::new()))
    }
    fn write(&mut self, _: String, _: Vec<u8>) -> wasmtime::Result<Result<String, String>> {
        Ok(Err(String::new()))
    }
    fn size(&mut self, _: String) -> wasmtime::Result<Result<u64, String>> {
        Ok(Err(String::new()))
    }
}

impl tool::parallel::Host for State {
    async fn map(&mut self, _: Vec<Vec<u8>>) -> wasmtime::Result<Result<Vec<Vec<u8>>, String>> {
        Ok(Err(String::new()))
    }
    fn width(&mut self) -> wasmtime::Result<u32> {
        Ok(1)
    }
}

impl tool::progress::Host for State {
    fn report(&mut self, _: u64, _: u64, _: String) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl tool::log::Host for State {
    fn log(&mut self, _: tool::log::Level, _: String) -> wasmtime::Result<()> {
        Ok(())
    }
}

/// A pooled engine with the sandbox's switches (host/sandbox/src/engine.rs).
pub(crate) fn pooled() -> Result<Engine, Box<dyn std::error::Error>> {
    let sandbox = house::config()?;
    let mut pool = PoolingAllocationConfig::new();
    let stores = sandbox.workers * 2 + 2;
    pool.total_component_instances(stores)
        .total_stacks(stores * 2)
        .total_core_instances(stores * sandbox.instance.core_instances)
        .total_memories(stores * sandbox.instance.memories)
        .total_tables(stores * sandbox.instance.tables)
        .max_memories_per_module(sandbox.instance.memories)
        .max_tables_per_module(sandbox.instance.tables)
        .max_component_instance_size(4 << 20)
        .max_core_instance_size(4 << 20)
        .table_elements(sandbox.instance.table_elements as usize)
        .max_memory_size(1 << 32)
        .max_unused_warm_slots(stores)
        .linear_memory_keep_resident(usize::try_from(sandbox.keep_resident.0)?)
        .table_keep_resident(16 << 10)
        .pagemap_scan(Enabled::Auto);
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .concurrency_support(false)
        .shared_memory(false)
        .wasm_memory64(false)
        .max_wasm_stack(512 << 10)
        .async_stack_size(2 << 20)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Ok(Engine::new(&config)?)
}

impl Bare {
    pub(crate) fn new(fixture: &str) -> Result<Self, Box<dyn std::error::Error>> {
        let engine = pooled()?;
        let mut linker = Linker::<State>::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        Tool::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
        let component = Component::new(&engine, house::bytes(fixture)?)?;
        let pre = ToolPre::new(linker.instantiate_pre(&component)?)?;
        Ok(Self { engine, pre, runtime: tokio::runtime::Builder::new_current_thread().enable_all().build()? })
    }

    pub(crate) fn call(&self, tool: &str, arguments: &str) -> wasmtime::Result<String> {
        self.runtime.block_on(async {
            let state = State { wasi: WasiCtx::builder().build(), table: ResourceTable::new() };
            let mut store = Store::new(&self.engine, state);
            store.set_epoch_deadline(u64::MAX / 2);
            let instance = self.pre.instantiate_async(&mut store).await?;
            let answer = instance.call_invoke(&mut store, tool, arguments).await?;
            answer.map_err(|error| wasmtime::format_err!("{error:?}"))
        })
    }
}
