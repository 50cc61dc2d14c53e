//! Quotas are exact where they can be. How exact the CPU quota is on time is a benchmark (`examples/bench`), not a test.

use crate::support::{SANDBOX, expect, grant, hostile, quota, run, within};
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc};
use tomas_core::{
    accountant::{Accountant, Limits},
    amount::{Bytes, MilliCpu},
    observation::Outcome,
    quota::Quota,
    resource::Resources,
};

/// One page of a linear memory.
const PAGE: u64 = 64 << 10;

#[test]
fn memory_is_exact_to_one_page() {
    let allocate = || hostile("allocate", json!({ "n": 5 }));
    let peak = expect(Outcome::Ok, quota(), allocate()).usage.peak_memory_bytes;
    assert!(peak > 5 << 20 && peak < 8 << 20, "{peak}");
    let exact = Quota { memory: Bytes(peak), ..quota() };
    assert_eq!(expect(Outcome::Ok, exact, allocate()).usage.peak_memory_bytes, peak);
    let page_less = Quota { memory: Bytes(peak - PAGE), ..quota() };
    let observation = expect(Outcome::MemoryExceeded, page_less, allocate());
    assert!(observation.usage.peak_memory_bytes <= peak - PAGE);
    expect(Outcome::MemoryExceeded, Quota { memory: Bytes(peak - 1), ..quota() }, allocate());
}

#[test]
fn a_small_cpu_quota_throttles_and_says_so() {
    let burn = || hostile("burn", json!({ "n": 60 }));
    let free = expect(Outcome::Ok, quota(), burn()).usage;
    let held = expect(Outcome::Ok, Quota { cpu: MilliCpu(100), ..quota() }, burn()).usage;
    assert!(free.cpu_ms > 1.0 && held.cpu_ms > 1.0, "{free:?} {held:?}");
    // CPU time cannot have come faster than a tenth of a core, beyond the burst of 1 ms and the last slice, which nothing
    // repays: a tick, or longer where the machine is so busy that the ticker waits.
    assert!(held.wall_ms >= (held.cpu_ms - 20.0) * 10.0, "{held:?}");
    assert!(held.throttled_ms > free.throttled_ms, "{held:?}");
    assert!(held.throttled_ms + held.unscheduled_ms > held.wall_ms / 2.0, "{held:?}");
    assert!(held.wall_ms + 0.01 >= held.cpu_ms + held.throttled_ms + held.unscheduled_ms, "{held:?}");
}

#[test]
fn a_neighbour_goes_on_beside_runaways() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let third = Quota { cpu: MilliCpu(300), ..within(1500) };
        let runaways: Vec<_> = ["spin", "spin", "grow", "flood_stdout", "recurse", "sleep"]
            .map(|tool| tokio::task::spawn(SANDBOX.call(grant(third), hostile(tool, json!({ "n": 0 })))))
            .into();
        for _ in 0..20 {
            let finished = SANDBOX.call(grant(quota()), hostile("burn", json!({ "n": 1 }))).await.unwrap();
            assert_eq!(finished.observation.outcome, Outcome::Ok);
        }
        for runaway in runaways {
            assert_ne!(runaway.await.unwrap().unwrap().observation.outcome, Outcome::Ok);
        }
    });
}

#[test]
fn blobs_are_read_and_written_by_name() {
    let mut call = hostile("read_loop", json!({ "n": 3, "path": "a.bin" }));
    call.blobs = BTreeMap::from([("a.bin".to_owned(), Arc::from(vec![7; 100_000]))]);
    let observation = expect(Outcome::Ok, quota(), call);
    assert_eq!(observation.text(), "300000 bytes");
    assert!(observation.usage.input_bytes >= 300_000);

    let finished = run(Quota { output: Bytes::mib(4), ..quota() }, hostile("flood_blobs", json!({ "n": 2 })));
    let names: Vec<_> = finished.written.iter().map(|(name, data)| (name.as_str(), data.len())).collect();
    assert_eq!(names, [("flood-0", 1 << 20), ("flood-1", 1 << 20)]);
    let digests: Vec<_> = finished.written.iter().map(|(_, data)| blake3::hash(data).to_hex().to_string()).collect();
    assert_eq!(finished.observation.blobs.iter().map(|blob| blob.digest.clone()).collect::<Vec<_>>(), digests);
}

#[test]
fn a_blob_larger_than_the_quota_is_refused_before_it_is_copied() {
    for megabytes in [9, 64] {
        let mut call = hostile("read_loop", json!({ "n": 1, "path": "a.bin" }));
        call.blobs = BTreeMap::from([("a.bin".to_owned(), Arc::from(vec![7; megabytes << 20]))]);
        let observation = expect(Outcome::MemoryExceeded, Quota { memory: Bytes::mib(8), ..quota() }, call);
        assert!(observation.usage.peak_memory_bytes <= 8 << 20);
    }
}

#[test]
fn the_ledger_balances_after_good_and_bad_calls() {
    let capacity = Resources { cpu: MilliCpu(2000), memory: Bytes::mib(256), gpu_sms: 0, gpu_memory: Bytes(0) };
    let accountant = Accountant::new(capacity, 8);
    let account = accountant.open(&Limits::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (tool, arguments) in
        [("burn", json!({ "n": 1 })), ("panic", json!({})), ("spin", json!({})), ("grow", json!({}))]
    {
        let call = hostile(tool, arguments);
        runtime.block_on(SANDBOX.call(account.try_reserve(within(100)).unwrap(), call)).unwrap();
    }
    let ledger = accountant.ledger();
    assert!(ledger.balanced() && ledger.cpu.held == 0 && ledger.memory.held == 0, "{ledger:?}");
    assert!(ledger.memory.spent_total > 0);
}
