//! A recorded call runs again to the same bits.

use crate::{
    network,
    support::{hostile, quota, run},
};
use serde_json::json;
use std::{
    io::{Read as _, Write as _},
    sync::atomic::{AtomicU32, Ordering},
};
use tomas_core::{
    amount::MilliCpu,
    manifest::Permissions,
    observation::{Observation, Outcome},
    quota::Quota,
};
use tomas_sandbox::{Call, Tape, Track};

/// What the bits are: all of an observation but its usage.
fn bits(observation: &Observation) -> (Outcome, String, String, String) {
    let Observation { outcome, result, error, log, .. } = observation;
    (*outcome, format!("{result:?}"), format!("{error:?}"), log.clone())
}

/// Records a call, sends the recording through its file form, and replays it.
fn twice(made: impl Fn() -> Call, run: impl Fn(Call) -> Observation) -> (Observation, Observation, Tape) {
    let with = |tape: &Tape| {
        let mut call = made();
        call.tape = Some(tape.clone());
        run(call)
    };
    let recorder = Tape::recorder();
    let recorded = with(&recorder);
    let track: Track = serde_json::from_str(&serde_json::to_string(&recorder.track()).unwrap()).unwrap();
    let player = Tape::player(track).unwrap();
    let replayed = with(&player);
    (recorded, replayed, player)
}

#[track_caller]
fn same(made: impl Fn() -> Call, run: impl Fn(Call) -> Observation) -> Observation {
    let (recorded, replayed, tape) = twice(made, run);
    assert_eq!(tape.diverged(), None);
    assert_eq!(bits(&recorded), bits(&replayed));
    assert_eq!(recorded.usage.input_bytes, replayed.usage.input_bytes);
    assert_eq!(recorded.usage.output_bytes, replayed.usage.output_bytes);
    recorded
}

/// A call that may read clocks and draw randomness.
fn real(tool: &str, arguments: serde_json::Value) -> Call {
    let mut call = hostile(tool, arguments);
    call.permissions = Permissions { clock: true, random: true, ..Permissions::default() };
    call
}

#[test]
fn clocks_and_randomness_come_back() {
    let run = |call| run(quota(), call).observation;
    let first = same(|| real("environment", json!({})), run);
    let second = same(|| real("environment", json!({})), run);
    assert_ne!(bits(&first), bits(&second), "recorded anew, both are real");
    same(|| real("sleep", json!({ "n": 3 })), run);
}

#[test]
fn shards_see_what_they_saw_whoever_works_on_them() {
    let two_cores = Quota { cpu: MilliCpu(2000), ..quota() };
    for _ in 0..5 {
        same(|| real("fork_time", json!({ "n": 50 })), |call| run(two_cores, call).observation);
    }
}

#[test]
fn servers_are_not_asked_again() {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    let port = network::serve(|mut stream| {
        let head = network::head(&mut stream);
        if head.starts_with("POST") {
            // A body in chunks, the last of which is empty.
            let mut body = Vec::new();
            let mut byte = [0];
            while !body.ends_with(b"0\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
                body.push(byte[0]);
            }
        }
        let count = ASKED.fetch_add(1, Ordering::AcqRel);
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nx-count: {count}\r\n\r\nanswer {count}");
    });
    let (inside, url) = (format!("127.0.0.1:{port}"), format!("http://127.0.0.1:{port}/"));
    let run = |call| network::run(quota(), call);
    let observation = same(|| network::fetch(&["get", &url], &[&inside]), run);
    assert_eq!(observation.text(), "200 answer 0");
    same(|| network::fetch(&["post", &url, "10000"], &[&inside]), run);
    assert_eq!(ASKED.load(Ordering::Acquire), 2);
    // What went wrong goes wrong again, and what is not granted is refused again.
    let refused = same(|| network::fetch(&["get", "http://127.0.0.1:1/"], &["127.0.0.1:1"]), run);
    assert!(refused.error.unwrap().contains("ConnectionRefused"));
    let denied = same(|| network::fetch(&["get", &url], &[]), run);
    assert_eq!(denied.outcome, Outcome::PermissionDenied);
}

#[test]
fn a_call_that_takes_another_way_says_so() {
    let run = |call| network::run(quota(), call);
    let recorder = Tape::recorder();
    let mut call = network::fetch(&["get", "http://127.0.0.1:1/a"], &["127.0.0.1:1"]);
    call.tape = Some(recorder.clone());
    run(call);
    let player = Tape::player(recorder.track()).unwrap();
    let mut call = network::fetch(&["get", "http://127.0.0.1:1/b"], &["127.0.0.1:1"]);
    call.tape = Some(player.clone());
    assert_eq!(run(call).outcome, Outcome::ToolError);
    assert!(player.diverged().is_some_and(|how| how.contains("127.0.0.1:1/b")), "{:?}", player.diverged());
}
