//! Is the memory quota exact, and does the host stay within the sum of its grants?

use crate::{
    Outcome,
    house::{House, call, quota},
    statistics::resident,
};
use serde_json::json;
use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};
use tomas_core::{amount::Bytes, observation::Outcome as Ended};

/// One page of a linear memory.
const PAGE: u64 = 64 << 10;

pub(crate) fn measure() -> Outcome {
    let house = House::new()?;
    exact(&house)?;
    resident_beside_grants(&house)
}

/// The least quota under which a tool succeeds is what it needed without one.
fn exact(house: &House) -> Outcome {
    let hostile = house.load("hostile")?;
    for megabytes in [1, 5, 30, 200] {
        let run = |memory: Bytes| -> Result<_, Box<dyn std::error::Error>> {
            let grant = house.account.try_reserve(quota(1000, memory, Duration::from_secs(30)))?;
            let call = call(&hostile, "allocate", &json!({ "n": megabytes }))?;
            Ok(house.sandbox.call_blocking(grant, call)?.observation)
        };
        let peak = run(Bytes::mib(1024))?.usage.peak_memory_bytes;
        let outcomes = [peak, peak - 1, peak - PAGE].map(|memory| run(Bytes(memory)).map(|seen| seen.outcome));
        let [all, byte_less, page_less] = outcomes;
        let exact = (all?, byte_less?, page_less?) == (Ended::Ok, Ended::MemoryExceeded, Ended::MemoryExceeded);
        println!("{megabytes} MiB in use: needs {peak} bytes, one byte less is refused: {exact}");
    }
    Ok(())
}

/// Many tools at once, each of which takes all the memory it gets.
fn resident_beside_grants(house: &House) -> Outcome {
    let hostile = house.load("hostile")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for (tools, megabytes) in [(1, 256), (8, 64), (24, 32)] {
        let before = resident();
        let (peak, stop) = (AtomicU64::new(0), AtomicBool::new(false));
        std::thread::scope(|scope| -> Outcome {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    peak.fetch_max(resident(), Ordering::Relaxed);
                    std::thread::sleep(Duration::from_millis(1));
                }
            });
            let calls = (0..tools).map(|_| async {
                let grant = house.account.reserve(quota(1000, Bytes::mib(megabytes), Duration::from_secs(60))).await?;
                let call = call(&hostile, "grow", &json!({}))?;
                Ok::<_, Box<dyn std::error::Error>>(house.sandbox.call(grant, call).await?.observation.outcome)
            });
            let ended: Result<Vec<_>, _> = runtime.block_on(futures::future::join_all(calls)).into_iter().collect();
            stop.store(true, Ordering::Relaxed);
            println!("{tools} tools of {megabytes} MiB: {:?}", ended?.first());
            Ok(())
        })?;
        let (grants, mib) = (tools * megabytes, |bytes: u64| bytes >> 20);
        let most = mib(peak.into_inner());
        println!(
            "  resident: {} MiB before, at most {most} MiB, {} MiB after; grants {grants} MiB, so {} MiB beyond them",
            mib(before),
            mib(resident()),
            i128::from(most) - i128::from(grants),
        );
    }
    Ok(())
}
