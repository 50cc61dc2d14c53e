//! What computing in the sandbox costs over the same Rust code compiled for this machine.
//!
//! `cargo build --release && cargo run --release -p tomas-tests --example native`. The native half is an ignored test of each
//! tool in guest-tools, built with the same optimisation; both halves are alternated,
//! and each is one process that makes all calls of its round.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark says where it fails and prints its result")]

use std::{path::Path, process::Command, sync::Arc, time::Duration};
use tomas_core::{
    accountant::{Account, Accountant, Limits},
    amount::{Bytes, MilliCpu, Span},
    observation::Outcome,
    quota::Quota,
    resource::Resources,
};
use tomas_sandbox::{Call, CompileConfig, LoadedComponent, Sandbox, SandboxConfig};

/// Rounds of both halves.
const ROUNDS: usize = 3;

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
        let made = Component::new(&root, tool, arguments, file.as_deref());
        let mut ratios = Vec::new();
        let (mut natives, mut components) = (Vec::new(), Vec::new());
        for round in 0..=ROUNDS {
            let native = native(&root, tool, arguments, file.as_deref());
            let component = made.speed();
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

/// The same as a component.
struct Component {
    sandbox: Sandbox,
    account: Account,
    loaded: Arc<LoadedComponent>,
    tool: &'static str,
    arguments: &'static str,
    blob: Option<Arc<[u8]>>,
}

impl Component {
    fn new(root: &Path, tool: &'static str, arguments: &'static str, file: Option<&Path>) -> Self {
        let compile =
            CompileConfig { program: Some(root.join("target/release/tomas-compile")), ..CompileConfig::default() };
        let sandbox = Sandbox::new(SandboxConfig { compile, ..SandboxConfig::default() }).unwrap();
        let loaded = sandbox.load(&std::fs::read(root.join(format!("guest-tools/dist/{tool}.wasm"))).unwrap()).unwrap();
        let capacity = Resources { cpu: MilliCpu(1000), memory: Bytes::mib(1024), gpu_sms: 0, gpu_memory: Bytes(0) };
        let account = Accountant::new(capacity, 1).open(&Limits::default()).unwrap();
        let blob = file.map(|file| std::fs::read(file).unwrap().into());
        Self { sandbox, account, loaded, tool, arguments, blob }
    }

    /// Median milliseconds of CPU of a call on one core, a fresh instance each.
    fn speed(&self) -> f64 {
        let quota = Quota {
            cpu: MilliCpu(1000),
            memory: Bytes::mib(1024),
            gpu_sms: 0,
            gpu_memory: Bytes(0),
            deadline: Span(Duration::from_secs(60)),
            output: Bytes::mib(64),
        };
        // As the native half, without the first.
        let mut spent: Vec<f64> = (0..=CALLS)
            .map(|_| {
                let mut call =
                    Call::new(Arc::clone(&self.loaded), self.tool.parse().unwrap(), self.arguments.to_owned());
                call.blobs.extend(self.blob.iter().map(|blob| ("blob".to_owned(), Arc::clone(blob))));
                let finished = self.sandbox.call_blocking(self.account.try_reserve(quota).unwrap(), call).unwrap();
                assert_eq!(finished.observation.outcome, Outcome::Ok, "{:?}", finished.observation);
                finished.observation.usage.cpu_ms
            })
            .skip(1)
            .collect();
        spent.sort_by(f64::total_cmp);
        spent[CALLS / 2]
    }
}
