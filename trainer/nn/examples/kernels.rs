//! Times every kernel, forward and backward, fused and composed of candle's operations:
//!
//! ```text
//! cargo run --release -p tomas-nn --example kernels [NAME_CONTAINS] [bf16]
//! ```
//!
//! `ms` is wall time a call, `cpu` the CPU time of all threads a call (trust it more than `ms` beside other load), and
//! GFLOP/s counts the multiplications and additions of matrix products per second of CPU time.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a program for developers")]

use candle_core::{Device, Result, Tensor, Var};
use std::sync::Arc;
use std::time::Instant;
use tomas_nn::kernels::{self, Attention};
use tomas_nn::optimizer::{AdamW, AdamWConfig, Group};

type Op = Box<dyn Fn(&[Var]) -> Result<Tensor>>;

struct Case {
    name: String,
    vars: Vec<Var>,
    op: Op,
    /// Floating point operations of matrix products, forward and backward.
    flops: [f64; 2],
}

fn main() {
    kernels::prepare_process();
    let filter = std::env::args().nth(1).unwrap_or_default();
    if std::env::args().nth(2).is_some_and(|a| a == "bf16") {
        println!("bf16 is available: {}", kernels::set_bf16(true));
    }
    println!("{:<44} {:>31} {:>31} {:>7}", "", "fused", "candle", "candle/");
    println!(
        "{:<44} {:>9} {:>9} {:>11} {:>9} {:>9} {:>11} {:>7}",
        "kernel", "ms", "cpu", "GFLOP/s", "ms", "cpu", "GFLOP/s", "fused"
    );
    let cases = minilm().into_iter().chain(decoder()).chain(layers()).filter(|c| c.name.contains(&filter));
    for case in cases {
        let fused = measure(&case, true);
        let composed = measure(&case, false);
        for (direction, i) in [("forward", 0), ("backward", 1)] {
            let (f, c) = (fused[i], composed[i]);
            let rate = |cpu: f64| {
                if case.flops[i] > 0.0 { format!("{:.1}", case.flops[i] / cpu / 1e9) } else { String::new() }
            };
            println!(
                "{:<44} {:>9.3} {:>9.3} {:>11} {:>9.3} {:>9.3} {:>11} {:>7.1}",
                format!("{} {direction}", case.name),
                f.0 * 1e3,
                f.1 * 1e3,
                rate(f.1),
                c.0 * 1e3,
                c.1 * 1e3,
                rate(c.1),
                c.1 / f.1
            );
        }
    }
    if "adamw".contains(&filter) {
        adamw();
    }
}

/// Wall and CPU seconds a call, forward and backward.
fn measure(case: &Case, fused: bool) -> [(f64, f64); 2] {
    kernels::set_fused(fused);
    let forward = || (case.op)(&case.vars).unwrap();
    let y = forward();
    let r = y.ones_like().unwrap();
    let forward_time = time(|| drop(forward()));
    // The loss itself costs a product and a sum, which both variants pay alike; it is measured and taken off.
    let leaf = Var::from_tensor(&y).unwrap();
    let head = |y: &Tensor| y.mul(&r).unwrap().sum_all().unwrap().backward().unwrap();
    let head_time = time(|| drop(head(leaf.as_tensor())));
    let both = time(|| drop(head(&y)));
    [forward_time, (both.0 - head_time.0, (both.1 - head_time.1).max(1e-9))]
}

fn time(f: impl Fn()) -> (f64, f64) {
    f();
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let mut calls = 0;
    while calls < 3 || start.elapsed().as_secs_f64() < 0.5 {
        f();
        calls += 1;
    }
    (start.elapsed().as_secs_f64() / f64::from(calls), (cpu_seconds() - cpu) / f64::from(calls))
}

/// CPU time of all threads of this process so far.
fn cpu_seconds() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let nanoseconds = tasks.filter_map(|t| {
        let stat = std::fs::read_to_string(t.ok()?.path().join("schedstat")).ok()?;
        stat.split_whitespace().next()?.parse::<f64>().ok()
    });
    nanoseconds.sum::<f64>() / 1e9
}

fn var(dims: &[usize]) -> Var {
    Var::from_tensor(&(Tensor::randn(0f32, 1.0, dims, &Device::Cpu).unwrap() * 0.1).unwrap()).unwrap()
}

fn case(name: &str, vars: Vec<Var>, flops: f64, op: impl Fn(&[Var]) -> Result<Tensor> + 'static) -> Case {
    Case { name: name.into(), vars, op: Box::new(op), flops: [flops, 2.0 * flops] }
}

fn linear(name: &str, batch: usize, s: usize, k: usize, n: usize, bias: bool) -> Case {
    let name = format!("{name} linear {batch}x{s}x{k} to {n}");
    let flops = 2.0 * (batch * s * k * n) as f64;
    let vars = vec![var(&[batch, s, k]), var(&[n, k]), var(&[n])];
    case(&name, vars, flops, move |v| kernels::linear(&v[0], &v[1], bias.then(|| v[2].as_tensor())))
}

fn attention(name: &str, [b, s, h, kv, d]: [usize; 5], mask: Attention) -> Case {
    let vars = vec![var(&[b, s, h, d]), var(&[b, s, kv, d]), var(&[b, s, kv, d])];
    let mut case =
        case(name, vars, 4.0 * (b * s * s * h * d) as f64, move |v| kernels::attention(&v[0], &v[1], &v[2], &mask));
    case.flops[1] = 2.5 * case.flops[0];
    case
}

/// The sentence encoder: batch 32 of 40 pieces, hidden 384, 12 heads of 32.
fn minilm() -> Vec<Case> {
    let lengths: Arc<[usize]> = (0..32).map(|i| 40 - i % 20).collect();
    let ids = Tensor::from_vec((0..32u32 * 40).map(|i| i * 7919 % 8000).collect(), (32, 40), &Device::Cpu).unwrap();
    vec![
        linear("minilm", 32, 40, 384, 384, true),
        linear("minilm", 32, 40, 384, 1536, true),
        linear("minilm", 32, 40, 1536, 384, true),
        linear("one row", 1, 1, 384, 1536, true),
        linear("one request", 1, 20, 384, 384, true),
        attention("minilm attention", [32, 40, 12, 12, 32], Attention::default()),
        attention("minilm attention, padded", [32, 40, 12, 12, 32], Attention::bidirectional(lengths)),
        case("minilm layer_norm", vec![var(&[32, 40, 384]), var(&[384]), var(&[384])], 0.0, |v| {
            kernels::layer_norm(&v[0], &v[1], &v[2], 1e-12)
        }),
        case("minilm gelu", vec![var(&[32, 40, 1536])], 0.0, |v| kernels::gelu(&v[0])),
        case("minilm embedding 8000", vec![var(&[8000, 384])], 0.0, move |v| kernels::embedding(&v[0], &ids)),
    ]
}

/// The decoder: batch 32 of 90 symbols, hidden 256, 4 heads of 64 over 2, feed-forward 704.
fn decoder() -> Vec<Case> {
    let targets: Vec<u32> = (0..32u32 * 90).map(|i| i % 300).collect();
    let (same, weights) = (targets.clone(), vec![1f32; 32 * 90]);
    let logits = weights.clone();
    vec![
        linear("decoder", 32, 90, 256, 256, true),
        linear("decoder", 32, 90, 256, 128, true),
        linear("decoder", 32, 90, 256, 704, false),
        linear("decoder", 32, 90, 704, 256, false),
        attention("decoder attention", [32, 90, 4, 2, 64], Attention::causal()),
        case("decoder rms_norm", vec![var(&[32, 90, 256]), var(&[256])], 0.0, |v| {
            kernels::rms_norm(&v[0], &v[1], 1e-6)
        }),
        case("decoder rope", vec![var(&[32, 90, 4, 64])], 0.0, |v| kernels::rope(&v[0], 0, 1e4)),
        case("decoder swiglu", vec![var(&[32, 90, 704]), var(&[32, 90, 704])], 0.0, |v| kernels::swiglu(&v[0], &v[1])),
        case("decoder cross_entropy 300", vec![var(&[2880, 300])], 0.0, move |v| {
            kernels::cross_entropy(&v[0], &targets, &logits)
        }),
        case("decoder linear_cross_entropy 300", vec![var(&[2880, 256]), var(&[300, 256])], 0.0, move |v| {
            kernels::linear_cross_entropy(&v[0], &v[1], &same, &weights)
        }),
    ]
}

/// Whole layers: an encoder's with layer norms behind, a decoder's with norms before.
fn layers() -> Vec<Case> {
    let square = || var(&[384, 384]);
    let encoder = vec![
        var(&[32, 40, 384]),
        square(),
        square(),
        square(),
        square(),
        var(&[1536, 384]),
        var(&[384, 1536]),
        var(&[384]),
        var(&[1536]),
    ];
    let (b, s, d) = (32, 40, 384usize);
    let encoder = case("minilm layer", encoder, 2.0 * (b * s * (4 * d * d + 8 * d * d + 2 * s * d)) as f64, |v| {
        let (x, norm) = (v[0].as_tensor(), v[7].as_tensor());
        let head = |i: usize| kernels::linear(x, &v[i], Some(norm))?.reshape((32, 40, 12, 32));
        let y = kernels::attention(&head(1)?, &head(2)?, &head(3)?, &Attention::default())?;
        let x = kernels::layer_norm(&(x + kernels::linear(&y, &v[4], Some(norm))?)?, norm, norm, 1e-12)?;
        let y = kernels::gelu(&kernels::linear(&x, &v[5], Some(&v[8]))?)?;
        kernels::layer_norm(&(&x + kernels::linear(&y, &v[6], Some(norm))?)?, norm, norm, 1e-12)
    });
    let decoder = vec![
        var(&[32, 90, 256]),
        var(&[256, 256]),
        var(&[128, 256]),
        var(&[128, 256]),
        var(&[256, 256]),
        var(&[704, 256]),
        var(&[704, 256]),
        var(&[256, 704]),
        var(&[256]),
    ];
    let (s, d) = (90, 256usize);
    let decoder = case("decoder layer", decoder, 2.0 * (b * s * (3 * d * d + 3 * d * 704 + 2 * s * d)) as f64, |v| {
        let (x, norm) = (v[0].as_tensor(), v[8].as_tensor());
        let y = kernels::rms_norm(x, norm, 1e-6)?;
        let head = |i: usize, h: usize| kernels::linear(&y, &v[i], None)?.reshape((32, 90, h, 64));
        let (q, k) = (kernels::rope(&head(1, 4)?, 0, 1e4)?, kernels::rope(&head(2, 2)?, 0, 1e4)?);
        let y = kernels::attention(&q, &k, &head(3, 2)?, &Attention::causal())?;
        let x = (x + kernels::linear(&y, &v[4], None)?)?;
        let y = kernels::rms_norm(&x, norm, 1e-6)?;
        let y = kernels::swiglu(&kernels::linear(&y, &v[5], None)?, &kernels::linear(&y, &v[6], None)?)?;
        &x + kernels::linear(&y, &v[7], None)?
    });
    vec![encoder, decoder]
}

fn adamw() {
    let vars: Vec<(String, Var)> = (0..8).map(|i| (i.to_string(), var(&[1024, 1024]))).collect();
    let sum = vars.iter().map(|(_, v)| v.sum_all().unwrap()).reduce(|a, b| (a + b).unwrap()).unwrap();
    let grads = sum.backward().unwrap();
    let group = Group { vars, weight_decay: 0.01, rate_scale: 1.0 };
    let optimizer = AdamW::new(vec![group], AdamWConfig::default(), 1e-3).unwrap();
    let optimizer = std::cell::RefCell::new(optimizer);
    let (wall, cpu) = time(|| {
        optimizer.borrow_mut().step_clipped(&grads, 1.0).unwrap();
    });
    println!("{:<44} {:>9.3} {:>9.3}", "adamw with clipping, 8.4 M parameters", wall * 1e3, cpu * 1e3);
}
