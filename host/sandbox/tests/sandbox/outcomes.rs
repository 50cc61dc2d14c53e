//! How calls end.

use crate::support::{HOSTILE, NOOP, expect, hostile, quota, run, within};
use serde_json::json;
use std::sync::Arc;
use tomas_core::{amount::Bytes, observation::Outcome, quota::Quota};
use tomas_sandbox::Call;

#[test]
fn a_result_comes_back_with_what_it_cost() {
    let arguments = json!({ "text": "hello" }).to_string();
    let call = Call::new(Arc::clone(&NOOP), "noop".parse().unwrap(), arguments.clone());
    let finished = run(quota(), call);
    let observation = finished.observation;
    assert_eq!(observation.outcome, Outcome::Ok, "{observation:?}");
    assert_eq!(observation.text(), "ok");
    let usage = observation.usage;
    assert_eq!((usage.input_bytes, usage.output_bytes), (arguments.len() as u64, r#"{"text":"ok"}"#.len() as u64));
    assert!(usage.cpu_ms > 0.0 && usage.wall_ms >= usage.cpu_ms, "{usage:?}");
    assert!(usage.peak_memory_bytes > 0 && usage.peak_memory_bytes < 4 << 20, "{usage:?}");
    assert_eq!(finished.settlement.reserved, quota().resources());
    assert_eq!(finished.settlement.spent.memory, Bytes(usage.peak_memory_bytes));
}

#[test]
fn errors_of_the_tool_are_its_own() {
    let observation = expect(Outcome::InvalidArguments, quota(), hostile("burn", json!({ "m": 1 })));
    assert!(observation.error.unwrap().contains('m'));
    let unknown = Call::new(Arc::clone(&HOSTILE), "no-such-tool".parse().unwrap(), "{}".to_owned());
    assert!(expect(Outcome::ToolError, quota(), unknown).error.unwrap().contains("no-such-tool"));
    let garbage = Call::new(Arc::clone(&HOSTILE), "burn".parse().unwrap(), "no json \0 at all".to_owned());
    expect(Outcome::InvalidArguments, quota(), garbage);
    let observation = expect(Outcome::ToolError, quota(), hostile("read_loop", json!({ "n": 1, "path": "a.txt" })));
    assert!(observation.error.unwrap().contains("no blob `a.txt`"));
}

#[test]
fn a_result_that_is_no_object_is_an_error() {
    let observation = expect(Outcome::ToolError, quota(), hostile("bad_result", json!({})));
    assert_eq!(observation.error.unwrap(), "the tool returned JSON that is not an object: `[1,2,3]`");
}

#[test]
fn a_panic_is_a_trap_with_its_message_and_backtrace() {
    let error = expect(Outcome::Trapped, quota(), hostile("panic", json!({ "n": 7 }))).error.unwrap();
    assert!(error.contains("this tool panics on purpose, n is 7"), "{error}");
    assert!(error.contains("unreachable"), "{error}");
    assert!(error.lines().any(|line| line.trim_start().starts_with("at ") && line.contains("invoke")), "{error}");
    assert!(!error.contains("rust_begin_unwind"), "{error}");
    assert!(error.lines().count() <= 26, "{error}");
    assert!(!error.contains("0x") && !error.contains("WASMTIME"), "{error}");
}

#[test]
fn exit_is_a_trap() {
    let error = expect(Outcome::Trapped, quota(), hostile("exit", json!({ "n": 3 }))).error.unwrap();
    assert!(error.contains("exit(1)"), "the component model passes on only whether it went well: {error}");
}

#[test]
fn recursion_without_end_is_a_trap_that_says_so() {
    let error = expect(Outcome::Trapped, quota(), hostile("recurse", json!({ "n": 0 }))).error.unwrap();
    assert!(error.contains("recursion"), "{error}");
    assert!(error.lines().count() <= 26, "{error}");
    expect(Outcome::Ok, quota(), hostile("recurse", json!({ "n": 100 })));
}

#[test]
fn memory_that_is_not_there_is_exceeded() {
    let small = Quota { memory: Bytes::mib(8), ..quota() };
    for (tool, arguments) in [("grow", json!({})), ("allocate", json!({ "n": 100 }))] {
        let observation = expect(Outcome::MemoryExceeded, small, hostile(tool, arguments));
        let error = observation.error.unwrap();
        assert!(error.contains("`8MiB`") && error.contains("hint: "), "{error}");
        assert!(observation.usage.peak_memory_bytes <= 8 << 20);
    }
    // A tool that copes with refusal goes on.
    expect(Outcome::Ok, small, hostile("grow_gently", json!({})));
}

#[test]
fn less_memory_than_the_instance_begins_with_is_exceeded() {
    let tiny = Quota { memory: Bytes(64 << 10), ..quota() };
    expect(Outcome::MemoryExceeded, tiny, hostile("burn", json!({ "n": 0 })));
}

#[test]
fn spinning_and_sleeping_meet_the_deadline() {
    for tool in ["spin", "sleep", "flood_progress"] {
        let n = if tool == "flood_progress" { u64::MAX } else { 0 };
        let observation = expect(Outcome::DeadlineExceeded, within(200), hostile(tool, json!({ "n": n })));
        assert!(observation.usage.wall_ms >= 200.0, "{tool}: {:?}", observation.usage);
        assert!(observation.error.unwrap().contains("`200ms`"));
    }
}

#[test]
fn sleeping_costs_no_cpu() {
    let usage = expect(Outcome::Ok, quota(), hostile("sleep", json!({ "n": 100 }))).usage;
    assert!(usage.wall_ms >= 100.0 && usage.cpu_ms < 50.0 && usage.throttled_ms < 50.0, "{usage:?}");
}

#[test]
fn whatever_leaves_counts_against_the_output_quota() {
    for (tool, n) in [("flood_stdout", 0), ("flood_log", 0), ("flood_blobs", 3), ("huge", 2048)] {
        let observation = expect(Outcome::OutputExceeded, quota(), hostile(tool, json!({ "n": n })));
        assert!(observation.log.len() <= 1 << 20);
        assert!(observation.usage.output_bytes <= 1 << 20, "{tool}");
        assert!(observation.blobs.is_empty());
    }
    let observation = expect(Outcome::Ok, quota(), hostile("flood_stdout", json!({ "n": 100 })));
    assert_eq!(observation.log.len(), 100 * 1024);
}

#[test]
fn standard_streams_and_notes_are_the_log() {
    let observation = expect(Outcome::Ok, quota(), hostile("flood_log", json!({ "n": 1 })));
    assert!(observation.log.starts_with("info: xxx"), "{}", observation.log);
}
