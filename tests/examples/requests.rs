//! How long an answer takes: requests in people's words, one at a time, to a server with the shipped model.
//!
//! ```text
//! cargo build --release
//! cargo run --release -p tomas-tests --example requests
//! ```
//!
//! Prints quantiles of what a client waits, and of what of it the host says was planning and what the tool.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    unreachable_pub,
    dead_code,
    reason = "a measurement that cannot go on should say where, and shares the tests' client"
)]

#[path = "../support/client.rs"]
mod client;

use client::Client;
use serde_json::{Value, json};
use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

/// Rounds over all requests; the first one, in which components are compiled or read, does not count.
const ROUNDS: usize = 4;

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let requests = one_step(&root.join("data/language/heldout_people.jsonl"));
    let host = std::env::current_exe().unwrap().with_file_name("../tomas-host");
    let store = tempfile::tempdir().unwrap();
    let config = store.path().join("host.toml");
    std::fs::write(&config, format!("[paths]\nstore = {:?}\n", store.path().join("store").display().to_string()))
        .unwrap();
    let mut server = Command::new(host)
        .args(["serve", "--address", "127.0.0.1:0", "--host-config"])
        .arg(&config)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.strip_prefix("http://").and_then(|l| l.split_whitespace().next()).unwrap().to_owned();
    let client = Client { address };
    let opened = client.json("POST", "/v1/sessions", &json!({})).value();
    let path = format!("/v1/sessions/{}/messages", opened["id"].as_str().unwrap());
    let mut columns: [Vec<f64>; 4] = Default::default();
    for round in 0..ROUNDS {
        for text in &requests {
            let begun = Instant::now();
            let report = client.json("POST", &path, &json!({ "content": text })).value();
            let waited = begun.elapsed().as_secs_f64() * 1e3;
            let one = report["steps"].as_array().is_some_and(|s| s.len() == 1);
            if round > 0 && one {
                let field = |name: &str| report[name].as_f64().unwrap();
                let row = [waited, field("total_ms"), field("planning_ms"), field("tool_ms")];
                columns.iter_mut().zip(row).for_each(|(column, ms)| column.push(ms));
            }
        }
    }
    server.kill().unwrap();
    server.wait().unwrap();
    println!("{} answers of one step to {} requests, {} rounds", columns[0].len(), requests.len(), ROUNDS - 1);
    for (name, column) in ["client waits", "of it in the host", "planning", "tool"].into_iter().zip(&mut columns) {
        column.sort_by(f64::total_cmp);
        let at = |q: f64| column[((column.len() - 1) as f64 * q).round() as usize];
        println!("{name:<18} p50 {:>7.2} ms   p95 {:>7.2} ms   p99 {:>7.2} ms", at(0.5), at(0.95), at(0.99));
    }
}

/// Requests that one tool serves without attachment or folder.
fn one_step(path: &Path) -> Vec<String> {
    let rows = std::fs::read_to_string(path).unwrap();
    let rows = rows.lines().map(|l| serde_json::from_str::<Value>(l).unwrap());
    let plain = |r: &Value| {
        let steps = r["steps"].as_array().map_or(&[][..], Vec::as_slice);
        let attached = r.get("attachments").is_some_and(|a| a.as_array().is_some_and(|a| !a.is_empty()));
        steps.len() == 1 && !attached && !["search", "image_transform"].contains(&steps[0]["tool"].as_str().unwrap())
    };
    rows.filter(plain).map(|r| r["request"].as_str().unwrap().to_owned()).collect()
}
