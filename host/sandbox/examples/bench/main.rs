//! What the sandbox costs and how exact its quotas are.
//!
//! ```text
//! cargo build --release -p tomas-sandbox
//! cargo run --release -p tomas-sandbox --example bench -- calls | bytes | ends | neighbour | quota | memory | forkjoin | soak
//! ```
//!
//! The first command builds the compiler that the benchmark uses. Each measurement prints how loaded the machine was;
//! ratios of CPU time hold on a loaded machine, wall times do not.
#![expect(clippy::print_stdout, reason = "a measurement is for reading")]

mod bare;
mod bytes;
mod calls;
mod ends;
mod forkjoin;
mod house;
mod memory;
mod neighbour;
mod quota;
mod soak;
mod statistics;

/// What every measurement may fail with.
type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let what = std::env::args().nth(1).unwrap_or_default();
    println!("machine: {}", statistics::machine());
    match what.as_str() {
        "calls" => calls::measure(),
        "bytes" => bytes::measure(),
        "ends" => ends::measure(),
        "neighbour" => neighbour::measure(),
        "soak" => soak::measure(),
        "quota" => quota::measure(),
        "memory" => memory::measure(),
        "forkjoin" => forkjoin::measure(),
        _ => Err(format!(
            "`{what}` is not a measurement\nhint: use calls, bytes, ends, neighbour, quota, memory, forkjoin or soak"
        )
        .into()),
    }
}
