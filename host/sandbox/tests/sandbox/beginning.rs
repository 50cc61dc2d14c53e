//! Calls of tools that are known to be short begin on the thread of their caller, and leave it when they turn out not to be.

use crate::support::{SANDBOX, fixture, grant, hostile, quota};
use serde_json::json;
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::runtime::{Builder, Runtime};
use tomas_core::{
    amount::MilliCpu,
    manifest::{FileAccess, Permissions},
    observation::Outcome,
    quota::Quota,
};
use tomas_sandbox::{Call, CancelToken, Finished, ProgressSink, Workspace};

/// A runtime of one thread and without timers: a call that needed its caller's would panic.
fn caller() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

fn call(runtime: &Runtime, quota: Quota, call: Call) -> Finished {
    runtime.block_on(SANDBOX.call(grant(quota), call)).unwrap()
}

/// Makes a tool known as short, by calls of it that are.
fn shorten(runtime: &Runtime, make: impl Fn() -> Call) {
    repeat(runtime, Outcome::Ok, make);
}

/// The same for a tool that only ends soon when it is asked for nonsense.
fn shorten_by_nonsense(runtime: &Runtime, tool: &str) {
    repeat(runtime, Outcome::InvalidArguments, || hostile(tool, json!({"n": "x"})));
}

fn repeat(runtime: &Runtime, outcome: Outcome, make: impl Fn() -> Call) {
    for _ in 0..40 {
        assert_eq!(call(runtime, quota(), make()).observation.outcome, outcome);
    }
}

#[test]
fn a_call_that_computes_leaves_the_callers_thread_and_is_measured_whole() {
    let runtime = caller();
    for _ in 0..5 {
        shorten(&runtime, || hostile("burn", json!({"n": 0})));
        let begun = Instant::now();
        let usage = call(&runtime, quota(), hostile("burn", json!({"n": 40}))).observation.usage;
        let wall = begun.elapsed().as_secs_f64() * 1e3;
        assert!(usage.cpu_ms > 10.0 && usage.cpu_ms < wall + 1.0, "{usage:?} in {wall} ms");
        assert!(usage.wall_ms <= wall, "{usage:?} in {wall} ms");
    }
    // And is throttled as any other.
    shorten(&runtime, || hostile("burn", json!({"n": 0})));
    let slow = Quota { cpu: MilliCpu(250), ..quota() };
    let usage = call(&runtime, slow, hostile("burn", json!({"n": 40}))).observation.usage;
    assert!(usage.throttled_ms + usage.unscheduled_ms > usage.cpu_ms * 2.0, "{usage:?}");
}

#[test]
fn a_short_tool_begins_on_its_callers_thread() {
    let runtime = caller();
    let heard = Arc::new(Mutex::new(Vec::new()));
    // Of its own: what other tests make of theirs is remembered.
    let component = SANDBOX.load(&fixture("hostile")).unwrap();
    let report = || {
        let mut call = hostile("flood_progress", json!({"n": 2}));
        call.component = Arc::clone(&component);
        let heard = Arc::clone(&heard);
        let hear = move |_| heard.lock().unwrap().push(std::thread::current().id());
        call.progress = Some(ProgressSink::new(hear));
        call
    };
    shorten(&runtime, report);
    let heard = heard.lock().unwrap();
    let own = std::thread::current().id();
    assert_ne!(heard.first(), Some(&own), "nothing was known of the first");
    assert!(heard.contains(&own));
}

#[test]
fn a_call_that_never_ends_holds_nobody_up() {
    let runtime = caller();
    shorten_by_nonsense(&runtime, "spin");
    let token = CancelToken::new();
    let mut spin = hostile("spin", json!({}));
    spin.cancel = token.clone();
    let outcome = runtime.block_on(async {
        let spinning = SANDBOX.call(grant(quota()), spin);
        tokio::pin!(spinning);
        // The caller's thread is free again after a tick.
        let begun = Instant::now();
        let first = std::future::poll_fn(|task| std::task::Poll::Ready(spinning.as_mut().poll(task))).await;
        assert!(first.is_pending() && begun.elapsed() < Duration::from_secs(1));
        token.cancel();
        spinning.await.unwrap().observation.outcome
    });
    assert_eq!(outcome, Outcome::Cancelled);
}

#[test]
fn what_waits_or_opens_files_or_forks_leaves_first() {
    let runtime = caller();
    for _ in 0..10 {
        shorten_by_nonsense(&runtime, "sleep");
        let usage = call(&runtime, quota(), hostile("sleep", json!({"n": 5}))).observation.usage;
        assert!(usage.wall_ms >= 4.0, "{usage:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "hello").unwrap();
    let open = || {
        let mut open = hostile("open", json!({"path": "/workspace/a.txt"}));
        open.permissions = Permissions { files: FileAccess::Read, ..Permissions::default() };
        open.workspace = Some(Workspace { folder: folder.path().into(), writable: None });
        open
    };
    shorten(&runtime, open);
    shorten(&runtime, || hostile("fork", json!({"n": 3, "work": 0})));
}

#[test]
fn more_calls_than_threads_begin_and_end_in_any_mix() {
    let runtime = Builder::new_multi_thread().worker_threads(4).build().unwrap();
    let runtime = Arc::new(runtime);
    shorten(&caller(), || hostile("burn", json!({"n": 0})));
    let calls: Vec<_> = (0..120)
        .map(|n| {
            runtime.spawn(SANDBOX.call(grant(quota()), hostile("burn", json!({"n": if n % 9 == 0 { 3 } else { 0 }}))))
        })
        .collect();
    for call in calls {
        assert_eq!(runtime.block_on(call).unwrap().unwrap().observation.outcome, Outcome::Ok);
    }
}
