//! `wasi:io/poll`: waiting, which a call does on a thread of its own, because timers belong to a thread's runtime.

use crate::state::State;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::{
    WasiView as _,
    p2::{DynPollable, bindings::io::poll},
};

/// The interface, spelled as `wasmtime_wasi` links it.
const POLL: &str = "wasi:io/poll@0.2.12";

/// Replaces what `wasmtime_wasi` defined.
///
/// # Errors
/// When wasmtime refuses the definition.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let mut interface = linker.instance(POLL)?;
    interface.func_wrap_async("poll", |mut store, (pollables,): (Vec<Resource<DynPollable>>,)| {
        Box::new(async move {
            let state: &mut State = store.data_mut();
            state.at_home().await;
            Ok((poll::Host::poll(state.ctx().table, pollables).await?,))
        })
    })?;
    interface.func_wrap_async("[method]pollable.block", |mut store, (pollable,): (Resource<DynPollable>,)| {
        Box::new(async move {
            let state: &mut State = store.data_mut();
            state.at_home().await;
            poll::HostPollable::block(state.ctx().table, pollable).await
        })
    })?;
    interface.func_wrap_async("[method]pollable.ready", |mut store, (pollable,): (Resource<DynPollable>,)| {
        Box::new(async move {
            let state: &mut State = store.data_mut();
            state.at_home().await;
            Ok((poll::HostPollable::ready(state.ctx().table, pollable).await?,))
        })
    })?;
    linker.allow_shadowing(false);
    Ok(())
}
