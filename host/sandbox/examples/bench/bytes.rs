//! A list of bytes through a typed function and back: by reference to a blob and in base64, against static bindings.

use crate::{
    Outcome,
    bare::pooled,
    house::{House, bytes, call, quota},
    statistics::{Sorted, process_time},
};
use base64::{Engine as _, prelude::BASE64_STANDARD as BASE64};
use std::{sync::Arc, time::Duration};
use tomas_core::amount::Bytes;
use wasmtime::{
    Store,
    component::{Component, Linker, ResourceTable},
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// Rounds of each way, alternated.
const ROUNDS: usize = 31;

/// Calls in a round.
const CALLS: usize = 100;

/// Length of the list.
const LENGTH: usize = 1_000_000;

struct State {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

pub(crate) fn measure() -> Outcome {
    let house = House::new()?;
    let typed = house.load("typed")?;
    let data: Arc<[u8]> = (0..LENGTH).map(|n| (n * 31 % 251) as u8).collect();
    let expected: Vec<u8> = data.iter().rev().copied().collect();
    let quota =
        tomas_core::quota::Quota { output: Bytes::mib(4), ..quota(1000, Bytes::mib(64), Duration::from_secs(5)) };
    let ours = |arguments: serde_json::Value, blob: bool| -> Outcome {
        let mut made = call(&typed, "shapes_reverse", &arguments)?;
        if blob {
            made.blobs.insert("data".to_owned(), Arc::clone(&data));
        }
        let finished = house.sandbox.call_blocking(house.account.try_reserve(quota)?, made)?;
        match finished.written.first() {
            Some((_, bytes)) if *bytes == expected => Ok(()),
            _ => Err(format!("{:?}", finished.observation).into()),
        }
    };
    let spelled = serde_json::json!({ "data": BASE64.encode(&data) });
    let mut bare = bare(&data, &expected)?;
    let mut spent = [const { Vec::new() }; 3];
    for round in 0..=ROUNDS {
        let times = [
            time(&mut bare)?,
            time(&mut || ours(serde_json::json!({ "data": "blob:data" }), true))?,
            time(&mut || ours(spelled.clone(), false))?,
        ];
        if round > 0 {
            spent.iter_mut().zip(times).for_each(|(kept, time)| kept.push(time));
        }
    }
    for (name, ours) in ["static bindings", "blob reference", "base64"].iter().zip(&spent) {
        println!("{name}: {}", Sorted::new(ours.clone()).show("µs of CPU a call"));
        let ratios = ours.iter().zip(&spent[0]).map(|(ours, bare)| ours / bare).collect();
        println!("  over static bindings, round by round {}", Sorted::new(ratios).show("×"));
    }
    Ok(())
}

/// The same function in a pooled instance, called through static types.
fn bare<'a>(data: &'a [u8], expected: &'a [u8]) -> Result<impl FnMut() -> Outcome + 'a, Box<dyn std::error::Error>> {
    let engine = pooled()?;
    let mut linker = Linker::<State>::new(&engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    let component = Component::new(&engine, bytes("typed")?)?;
    let interface = component.get_export_index(None, "docs:typed/shapes@0.3.1").ok_or("no interface")?;
    let function = component.get_export_index(Some(&interface), "reverse").ok_or("no function")?;
    let pre = linker.instantiate_pre(&component)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(move || -> Outcome {
        let state = State { wasi: WasiCtx::builder().build(), table: ResourceTable::new() };
        let mut store = Store::new(&engine, state);
        store.set_epoch_deadline(u64::MAX / 2);
        let (reversed,) = runtime.block_on(async {
            let instance = pre.instantiate_async(&mut store).await?;
            let reverse = instance.get_typed_func::<(&[u8],), (Vec<u8>,)>(&mut store, function)?;
            reverse.call_async(&mut store, (data,)).await
        })?;
        if reversed == expected { Ok(()) } else { Err("it is not reversed".into()) }
    })
}

/// CPU time of a call in microseconds.
fn time(call: &mut impl FnMut() -> Outcome) -> Result<f64, Box<dyn std::error::Error>> {
    let begun = process_time();
    for _ in 0..CALLS {
        call()?;
    }
    #[expect(clippy::cast_precision_loss, reason = "a hundred calls")]
    Ok((process_time() - begun) / CALLS as f64 * 1e6)
}
