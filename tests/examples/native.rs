//! What computing in the sandbox costs over the same Rust code compiled for this machine.
//!
//! `cargo build --release && cargo run --release -p tomas-tests --example native`. The native half is an ignored test of each
//! tool in guest-tools, built with the same optimisation; both halves are alternated.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark says where it fails and prints its result")]

use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Rounds of both halves.
const ROUNDS: usize = 7;

/// Calls of the component in a round; the native half makes as many.
const CALLS: usize = 15;

/// Tool, arguments, and the file that they call `blob:blob`.
const CASES: [(&str, &str, Option<&str>); 4] = [
    ("matrix", r#"{"operation": "multiply", "a": "random(600,600,1)", "b": "random(600,600,2)"}"#, None),
    ("matrix", r#"{"operation": "inverse", "a": "random(240,240,3)"}"#, None),
    (
        "image_transform",
        r#"{"image": "blob:blob", "resize": "fit 1600x1600"}"#,
        Some("image_transform/samples/mountains.jpg"),
    ),
    ("text_summary", r#"{"text": "blob:blob"}"#, Some("text_summary/samples/lighthouse.txt")),
];

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
    for (tool, arguments, file) in CASES {
        let file = file.map(|file| root.join("guest-tools").join(file));
        let mut ratios = Vec::new();
        let (mut natives, mut components) = (Vec::new(), Vec::new());
        for round in 0..=ROUNDS {
            let native = native(&root, tool, arguments, file.as_deref());
            let component = component(&root, tool, arguments, file.as_deref());
            if round > 0 {
                ratios.push(component / native);
                natives.push(native);
                components.push(component);
            }
        }
        for values in [&mut ratios, &mut natives, &mut components] {
            values.sort_by(f64::total_cmp);
        }
        let middle = ROUNDS / 2;
        println!(
            "{tool} {arguments}: {:.2} ms as a component, {:.2} ms native: {:.3} × ({:.3}–{:.3}, n {ROUNDS} × {CALLS})",
            components[middle],
            natives[middle],
            ratios[middle],
            ratios[0],
            ratios[ROUNDS - 1]
        );
    }
}

/// Median milliseconds of a native call.
fn native(root: &Path, tool: &str, arguments: &str, file: Option<&Path>) -> f64 {
    let mut command = Command::new("cargo");
    command.args([
        "test",
        "--quiet",
        "--release",
        "--package",
        tool,
        "--",
        "--ignored",
        "--exact",
        "tests::speed",
        "--nocapture",
    ]);
    command.current_dir(root.join("guest-tools")).env("ARGUMENTS", arguments);
    if let Some(file) = file {
        command.env("BLOB", file);
    }
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.split_once("milliseconds ")).unwrap_or_else(|| panic!("{output:?}"));
    line.1.trim().parse().unwrap()
}

/// Median milliseconds of CPU of a call of the component, one core, a fresh instance each.
fn component(root: &Path, tool: &str, arguments: &str, file: Option<&Path>) -> f64 {
    let scratch = tempfile::tempdir().unwrap();
    let mut spent: Vec<f64> = (0..CALLS)
        .map(|_| {
            let mut command = Command::new(root.join("target/release/tomas-host"));
            command.arg("--root").arg(root).args(["tool", "run", tool, arguments, "--cpu", "1000m", "--json", "--out"]);
            command.arg(scratch.path());
            if let Some(file) = file {
                let blob: PathBuf = scratch.path().join("blob");
                std::fs::copy(file, &blob).unwrap();
                command.arg("--attach").arg(&blob);
            }
            let output = command.output().unwrap();
            let observation: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
            assert_eq!(observation["outcome"], "ok", "{observation}");
            observation["usage"]["cpu_ms"].as_f64().unwrap()
        })
        .collect();
    spent.sort_by(f64::total_cmp);
    spent[CALLS / 2]
}
