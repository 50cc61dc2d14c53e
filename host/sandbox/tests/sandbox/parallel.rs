//! Fork-join.

use crate::support::{expect, hostile, quota, within};
use serde_json::json;
use tomas_core::{
    amount::{Bytes, MilliCpu},
    observation::Outcome,
    quota::Quota,
};

fn wide() -> Quota {
    Quota { cpu: MilliCpu(2000), ..quota() }
}

#[test]
fn the_width_is_the_granted_cores_rounded_up() {
    for (millicores, width) in [(100, 1), (1000, 1), (1001, 2), (2000, 2), (3500, 4)] {
        let quota = Quota { cpu: MilliCpu(millicores), ..quota() };
        let observation = expect(Outcome::Ok, quota, hostile("fork", json!({ "n": 3, "work": 0 })));
        assert_eq!(observation.text(), format!("3 shards at width {width}"));
    }
}

#[test]
fn many_shards_come_back_and_all_their_cpu_is_counted() {
    let alone = expect(Outcome::Ok, quota(), hostile("burn", json!({ "n": 40 }))).usage;
    let forked = expect(Outcome::Ok, wide(), hostile("fork", json!({ "n": 40, "work": 1 }))).usage;
    assert!(forked.cpu_ms > alone.cpu_ms * 0.7, "{alone:?} {forked:?}");
    let observation = expect(Outcome::Ok, wide(), hostile("fork", json!({ "n": 1000, "work": 0 })));
    assert_eq!(observation.text(), "1000 shards at width 2");
    expect(Outcome::Ok, wide(), hostile("fork", json!({ "n": 0, "work": 0 })));
}

#[test]
fn workers_share_one_memory() {
    let grow = |work: u64| hostile("fork_grow", json!({ "n": 4, "work": work }));
    expect(Outcome::Ok, Quota { memory: Bytes::mib(64), ..wide() }, grow(4));
    let observation = expect(Outcome::MemoryExceeded, Quota { memory: Bytes::mib(16), ..wide() }, grow(20));
    assert!(observation.usage.peak_memory_bytes <= 16 << 20, "{:?}", observation.usage);
}

#[test]
fn a_worker_cannot_start_workers() {
    let observation = expect(Outcome::ToolError, wide(), hostile("fork_bomb", json!({ "n": 8 })));
    assert!(observation.error.unwrap().contains("cannot start workers"));
}

#[test]
fn a_worker_that_panics_is_an_error_of_the_map() {
    let error = expect(Outcome::ToolError, wide(), hostile("fork_panic", json!({ "n": 6 }))).error.unwrap();
    assert!(error.contains("worker trapped") && error.contains("unreachable"), "{error}");
}

#[test]
fn the_deadline_ends_all_workers() {
    let quota = Quota { cpu: MilliCpu(4000), ..within(200) };
    expect(Outcome::DeadlineExceeded, quota, hostile("fork", json!({ "n": 16, "work": 600_000 })));
}
