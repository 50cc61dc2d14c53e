//! How fast the planner's network is at the size of all-MiniLM-L6-v2: training samples a second,
//! and the time to plan one request. Beside other load trust the CPU times.
//!
//! ```text
//! cargo run --release -p tomas-nn --example planner [plan|train] [bf16]
//! ```
#![allow(clippy::print_stdout, reason = "an example says what it measured")]
#![allow(clippy::unwrap_used, reason = "an example stops at the first error")]

use std::time::Instant;

use candle_core::Device;
use tomas_nn::config::{CrossConfig, DecoderConfig, EncoderConfig};
use tomas_nn::optimizer::{AdamW, AdamWConfig};
use tomas_nn::planner::{Batch, ConfigurationRow, Example, LossWeights, PlannerConfig, PlannerNet};
use tomas_nn::script::{Action, Cursor, Input, Route, Script};
use tomas_nn::symbol;

/// Pieces of a request, and pieces of MiniLM's vocabulary after pruning.
const PIECES: usize = 40;
const VOCABULARY: usize = 14_200;

fn config() -> PlannerConfig {
    let tools: Vec<String> = (0..8).map(|i| format!("tool{i}")).collect();
    PlannerConfig {
        registry: String::new(),
        configurations: (0..216).map(|i| ConfigurationRow { name: format!("C{i}"), tool: i / 27 }).collect(),
        tools,
        piece_limit: 160,
        pointer: 128,
        encoder: EncoderConfig {
            vocabulary: VOCABULARY,
            hidden: 384,
            layers: 6,
            heads: 12,
            intermediate: 1536,
            positions: 160,
            epsilon: 1e-12,
        },
        decoder: DecoderConfig {
            vocabulary: symbol::COUNT,
            hidden: 256,
            layers: 3,
            heads: 4,
            kv_heads: 2,
            intermediate: 704,
            theta: 10_000.0,
            epsilon: 1e-6,
            tied: true,
            cross: Some(CrossConfig { width: 384, gate: 0.5 }),
        },
    }
}

/// A plan of one step with two copies, 90 positions long.
fn script(seed: u32) -> Script {
    let copy = |start: u32| Action::Copy { start, end: start + 3 };
    let mut actions = vec![Action::Route(Route::Configuration(seed % 216))];
    actions.extend(b"{\"expression\":\"".map(Action::Byte));
    actions.push(copy(1 + seed % 20));
    actions.extend(b"\",\"second\":\"".map(Action::Byte));
    actions.push(copy(2 + seed % 20));
    actions.extend(b"\",\"third\":\"a literal string that is somewhat long\"}".map(Action::Byte));
    actions.push(Action::Route(Route::EndPlan));
    Script::layout(&actions, [1, 2, 0, 0]).unwrap()
}

fn train(net: &PlannerNet, batch: usize, what: &str) {
    let ids: Vec<Vec<u32>> = (0..batch as u32)
        .map(|b| (0..PIECES as u32).map(|i| (b * 977 + i * 131) % VOCABULARY as u32).collect())
        .collect();
    let scripts: Vec<Script> = (0..batch as u32).map(script).collect();
    let examples: Vec<Example<'_>> =
        ids.iter().zip(&scripts).map(|(pieces, script)| Example { pieces, script, weight: 1.0 }).collect();
    let groups = net.parameters().optimizer_groups(0.01, |_| 1.0);
    let mut optimizer = AdamW::new(groups, AdamWConfig::default(), 1e-4).unwrap();
    let mut clocks = [Clock::default(); 3];
    let (warm, steps) = (1, 4);
    for step in 0..warm + steps {
        let start = Clock::now();
        let batch = Batch::new(net.config(), &examples, &Device::Cpu).unwrap();
        let parts = net.loss(&batch, &LossWeights::default()).unwrap();
        let forward = Clock::now();
        let gradients = parts.total.backward().unwrap();
        let backward = Clock::now();
        optimizer.step_clipped(&gradients, 1.0).unwrap();
        let end = Clock::now();
        if step >= warm {
            for (clock, (from, to)) in clocks.iter_mut().zip([(start, forward), (forward, backward), (backward, end)]) {
                clock.add(from, to, f64::from(steps));
            }
        }
    }
    let rate = |time: fn(&Clock) -> f64| 1000.0 * batch as f64 / clocks.iter().map(time).sum::<f64>();
    let positions = script(0).len();
    println!("training {what}, {batch} of {PIECES} pieces and {positions} positions:");
    println!("  {:.1} samples/s wall, {:.1} samples per CPU second", rate(|c| c.wall), rate(|c| c.cpu));
    println!("  forward {}, backward {}, update {}", clocks[0], clocks[1], clocks[2]);
}

fn plan(net: &PlannerNet) {
    let pieces: Vec<u32> = (0..PIECES as u32).map(|i| i * 131).collect();
    let (_, prelude) = Cursor::begin([1, 2, 0, 0]).unwrap();
    let mut clocks = [Clock::default(); 3];
    let (warm, rounds) = (3, 30);
    for round in 0..warm + rounds {
        let start = Clock::now();
        let mut decoding = net.begin(&pieces).unwrap();
        let begun = Clock::now();
        decoding.push(&prelude).unwrap();
        decoding.routes(true).unwrap();
        let routed = Clock::now();
        for i in 0..60 {
            decoding.push(&[Input { symbol: 65 + i % 26, pointer: (i % 20 == 0).then_some(i / 2 + 1) }]).unwrap();
            decoding.symbols().unwrap();
        }
        let end = Clock::now();
        if round >= warm {
            for (clock, (from, to)) in clocks.iter_mut().zip([(start, begun), (begun, routed), (routed, end)]) {
                clock.add(from, to, f64::from(rounds));
            }
        }
    }
    println!("planning: encode {}, first route {}, 60 steps {} (means of {rounds})", clocks[0], clocks[1], clocks[2]);
}

/// Milliseconds on the wall, and of all threads' CPU.
#[derive(Clone, Copy, Default)]
struct Clock {
    wall: f64,
    cpu: f64,
}

impl Clock {
    fn now() -> Self {
        static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        let wall = START.get_or_init(Instant::now).elapsed().as_secs_f64() * 1000.0;
        Self { wall, cpu: cpu_milliseconds() }
    }

    fn add(&mut self, from: Self, to: Self, parts: f64) {
        self.wall += (to.wall - from.wall) / parts;
        self.cpu += (to.cpu - from.cpu) / parts;
    }
}

impl std::fmt::Display for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2} ms (CPU {:.2})", self.wall, self.cpu)
    }
}

/// CPU time of all threads that live, from Linux's scheduler; 0 elsewhere.
fn cpu_milliseconds() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let spent = |path: std::path::PathBuf| {
        std::fs::read_to_string(path.join("schedstat")).ok()?.split(' ').next()?.parse::<f64>().ok()
    };
    tasks.filter_map(|task| spent(task.path())).sum::<f64>() / 1e6
}

fn main() {
    tomas_nn::kernels::prepare_process();
    let net = PlannerNet::new(&config(), 1, None, &Device::Cpu).unwrap();
    println!("{} parameters", net.parameters().count());
    let frozen = net.clone().trainable(|_| false).unwrap();
    let only = std::env::args().nth(1).unwrap_or_default();
    let bf16 = std::env::args().any(|argument| argument == "bf16") && tomas_nn::kernels::set_bf16(true);
    println!("linear layers in {}", if bf16 { "bf16 with AMX" } else { "f32" });
    if only != "train" {
        plan(&frozen);
    }
    if only != "plan" {
        train(&net, 32, "everything");
        train(&net.trainable(|name| !name.starts_with("encoder.")).unwrap(), 32, "all but the encoder");
    }
}
