//! Sessions as clients use them, and what of them survives.

use crate::support::host::World;
use serde_json::{Value, json};
use std::{
    io::Read as _,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// A text that takes a summary seconds on a quarter of a core.
fn long_text() -> Vec<u8> {
    let sentence =
        |n: usize| format!("Sentence number {n} says that tool {} needs {} megabytes of memory. ", n % 97, n % 31);
    (0..20_000).map(sentence).collect::<String>().into_bytes()
}

/// Sends a request that is under way for a while, and waits until it holds a grant.
fn begin_slow(server: &crate::support::host::Server, session: &str, stream: bool) -> std::net::TcpStream {
    let body = json!({"content": "give me a summary of the text", "stream": stream}).to_string();
    let path = format!("{session}/messages");
    let bytes = server.client.request("POST", &path, &[("content-type", "application/json")], body.as_bytes());
    let connection = server.client.open(&bytes);
    let deadline = Instant::now() + Duration::from_secs(30);
    while !server.log(session).contains(&"granted".to_owned()) {
        assert!(Instant::now() < deadline, "{:?}", server.log(session));
        std::thread::sleep(Duration::from_millis(10));
    }
    connection
}

fn attach_long(server: &crate::support::host::Server, session: &str) {
    let path = format!("{session}/attachments?name=long.txt");
    assert_eq!(server.client.send("POST", &path, &[], &long_text()).status, 201);
}

#[test]
fn a_message_is_answered_and_its_log_tells_how() {
    let world = World::new("");
    let server = world.serve();
    let session = server.session(&json!({"cpu": "1", "memory": "128MiB"}));
    let answer = server.say(&session, "arithmetic with fractions and percentages: 12 * 7");
    assert_eq!(answer.status, 200, "{}", answer.text());
    let report = answer.value();
    let keys: Vec<&String> = report.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["answer", "steps", "planning_ms", "tool_ms", "total_ms"]);
    assert_eq!(server.log(&session), ["opened", "request", "planned", "granted", "observed", "answered"]);
    let events = server.client.get(&format!("{session}/events?after=2")).value();
    assert_eq!(events["events"][0]["sequence"], 3);
    assert_eq!(events["more"], false);
    assert_eq!(server.client.send("DELETE", &session, &[], b"").status, 204);
    assert_eq!(server.say(&session, "1 + 1").status, 409);
    server.settles();
}

#[test]
fn stages_are_streamed_and_end_with_the_answer() {
    let world = World::new("");
    let server = world.serve();
    let session = server.session(&json!({}));
    let body = json!({"content": "arithmetic: 12 * 7", "stream": true});
    let events = server.client.json("POST", &format!("{session}/messages"), &body).events();
    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["plan", "grant", "observation", "answer"], "{events:?}");
    let last: Value = serde_json::from_str(&events[3].1).unwrap();
    assert!(last["answer"].is_string());
}

#[test]
fn attachments_come_back_as_they_were() {
    let world = World::new("[session]\nattachments = \"1KiB\"\n");
    let server = world.serve();
    let session = server.session(&json!({}));
    let bytes: Vec<u8> = (0..=255).collect();
    let sent = server.client.send("POST", &format!("{session}/attachments?name=a%20b.bin"), &[], &bytes);
    assert_eq!(sent.status, 201, "{}", sent.text());
    assert_eq!(sent.value()["bytes"], 256);
    assert_eq!(server.client.get(&format!("{session}/blobs/a%20b.bin")).body, bytes);
    let full = server.client.send("POST", &format!("{session}/attachments?name=b"), &[], &[0; 900]);
    assert_eq!(full.status, 413, "{}", full.text());
    assert!(full.text().contains("`1156` bytes"), "{}", full.text());
}

#[test]
fn kill_9_loses_nothing_that_was_acknowledged() {
    let world = World::new("");
    let server = world.serve();
    let session = server.session(&json!({"cpu": "250m", "memory": "64MiB"}));
    attach_long(&server, &session);
    assert_eq!(server.say(&session, "arithmetic: 2 + 3").status, 200);
    let _connection = begin_slow(&server, &session, false);
    let before = server.client.get(&format!("{session}/events")).value();
    server.kill();

    let server = world.serve();
    let after = server.client.get(&format!("{session}/events")).value();
    let (before, after) = (before["events"].as_array().unwrap(), after["events"].as_array().unwrap());
    assert_eq!(&after[..before.len()], &before[..]);
    let last = after.last().unwrap();
    assert_eq!(last["event"]["type"], "failed", "{last}");
    assert!(last["event"]["error"].as_str().unwrap().starts_with("the host stopped"), "{last}");
    let sequences: Vec<u64> = after.iter().map(|e| e["sequence"].as_u64().unwrap()).collect();
    assert_eq!(sequences, (1..=after.len() as u64).collect::<Vec<_>>());
    // The session goes on: its files, its numbers and its budget are there.
    let shown = server.client.get(&session).value();
    assert_eq!((&shown["attachments"][0]["name"], &shown["requests"]), (&json!("long.txt"), &json!(2)));
    assert_eq!(shown["budget"]["cpu"], "250m");
    assert_eq!(server.say(&session, "arithmetic: 2 + 3").status, 200);
    server.settles();
}

#[test]
fn a_client_that_hangs_up_costs_nothing_more() {
    let world = World::new("");
    let server = world.serve();
    for stream in [false, true] {
        let session = server.session(&json!({"cpu": "250m", "memory": "64MiB"}));
        attach_long(&server, &session);
        drop(begin_slow(&server, &session, stream));
        server.settles();
        let deadline = Instant::now() + Duration::from_secs(10);
        while server.log(&session).last().unwrap() != "failed" {
            assert!(Instant::now() < deadline, "{:?}", server.log(&session));
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(server.client.get(&session).value()["under_way"], 0);
    }
}

#[test]
fn a_full_queue_is_refused_with_429() {
    let world = World::new("[server]\nqueue = 0\n[session]\ncpu = \"250m\"\nmemory = \"64MiB\"\n");
    let server = world.serve();
    let session = server.session(&json!({}));
    attach_long(&server, &session);
    let _slow = begin_slow(&server, &session, false);
    let refused = server.say(&session, "give me a summary of the text");
    assert_eq!(refused.status, 429, "{}", refused.text());
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert!(refused.text().contains("hint"), "{}", refused.text());
}

#[test]
fn one_port_and_one_store_for_one_server() {
    let world = World::new("");
    let server = world.serve();
    let address = &server.client.address;
    let other = World::new("");
    let busy = other.run(&["serve", "--address", address, "--planner", "bm25-fastest"], b"");
    let told = String::from_utf8_lossy(&busy.stderr).into_owned();
    assert_eq!(busy.status.code(), Some(1), "{told}");
    assert!(told.contains("cannot be listened on") && told.contains("hint: "), "{told}");
    let second = world.run(&["serve", "--address", "127.0.0.1:0", "--planner", "bm25-fastest"], b"");
    let told = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(1), "{told}");
    assert!(told.contains("another server uses the store"), "{told}");
}

#[test]
fn sigterm_ends_the_server_in_order() {
    let world = World::new("");
    let mut server = world.serve();
    let session = server.session(&json!({}));
    let follow = server.client.request("GET", &format!("{session}/events"), &[("accept", "text/event-stream")], b"");
    let _follower = server.client.open(&follow);
    let begun = Instant::now();
    let id = server.child.id().to_string();
    assert!(Command::new("kill").arg(&id).stdin(Stdio::null()).status().unwrap().success());
    assert!(server.child.wait().unwrap().success());
    assert!(begun.elapsed() < Duration::from_secs(8), "a listener holds the server up");
    let again = world.serve();
    assert_eq!(again.log(&session), ["opened"]);
}

#[test]
fn a_follower_hears_old_and_new_events() {
    let world = World::new("");
    let server = world.serve();
    let session = server.session(&json!({}));
    let path = format!("{session}/events");
    let bytes = server.client.request("GET", &path, &[("accept", "text/event-stream")], b"");
    let mut follower = server.client.open(&bytes);
    assert_eq!(server.say(&session, "arithmetic: 2 + 3").status, 200);
    let mut heard = String::new();
    let mut buffer = [0; 4096];
    while !heard.contains("\"answered\"") {
        let n = follower.read(&mut buffer).unwrap();
        assert!(n > 0, "{heard}");
        heard.push_str(&String::from_utf8_lossy(&buffer[..n]));
    }
    assert!(heard.contains("\"opened\"") && heard.contains("id: 1\n"), "{heard}");
}
