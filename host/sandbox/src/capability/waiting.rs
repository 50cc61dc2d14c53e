//! `wasi:io/poll`: waiting, which a call does on a thread of its own, because timers belong to a thread's runtime. What was
//! ready first is a matter of luck, so it goes onto the call's tape.

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
            Ok((poll(state, pollables).await?,))
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
            Ok((ready(state, pollable).await?,))
        })
    })?;
    linker.allow_shadowing(false);
    Ok(())
}

/// Waits for any of them; when it is replayed, for those that were ready then.
async fn poll(state: &mut State, pollables: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
    let (tape, lane) = (state.context.given.tape.clone(), state.lane());
    let Some(tape) = tape else { return poll::Host::poll(state.ctx().table, pollables).await };
    if !tape.replays() {
        let ready = poll::Host::poll(state.ctx().table, pollables).await?;
        tape.polled(lane, &ready);
        return Ok(ready);
    }
    let Some(ready) = tape.poll(lane) else { return poll::Host::poll(state.ctx().table, pollables).await };
    for index in &ready {
        match pollables.get(*index as usize) {
            Some(pollable) => {
                poll::HostPollable::block(state.ctx().table, Resource::new_borrow(pollable.rep())).await?
            }
            None => tape.diverge("it waits for less than the recorded call".to_owned()),
        }
    }
    Ok(ready)
}

/// Whether it is ready; as a poll of one, which was ready or not.
async fn ready(state: &mut State, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
    let (tape, lane) = (state.context.given.tape.clone(), state.lane());
    let Some(tape) = tape else { return poll::HostPollable::ready(state.ctx().table, pollable).await };
    if !tape.replays() {
        let ready = poll::HostPollable::ready(state.ctx().table, pollable).await?;
        tape.polled(lane, if ready { &[0] } else { &[] });
        return Ok(ready);
    }
    let ready = tape.poll(lane).is_some_and(|ready| !ready.is_empty());
    if ready {
        poll::HostPollable::block(state.ctx().table, pollable).await?;
    }
    Ok(ready)
}
