//! What the accountant costs: nanoseconds for one reservation and its settlement, on one thread.
//!
//! `cargo run --release -p tomas-core --example accountant_cost`
#![expect(clippy::print_stdout, reason = "a measurement is for reading")]

use std::{
    error::Error,
    future::Future,
    hint::black_box,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};
use tomas_core::{
    accountant::{Account, Accountant, Limits, Reserve},
    amount::{Bytes, MilliCpu, Span},
    observation::Usage,
    quota::Quota,
    resource::Resources,
};

/// Short runs, and many of them, so that the best is one that nothing interrupted.
const RUNS: u32 = 300;
const ROUNDS: u32 = 10_000;

/// Prints the best run, in nanoseconds a round.
fn measure(what: &str, mut round: impl FnMut() -> Result<(), Box<dyn Error>>) -> Result<(), Box<dyn Error>> {
    let mut best = Duration::MAX;
    for _ in 0..RUNS {
        let start = Instant::now();
        for _ in 0..ROUNDS {
            round()?;
        }
        best = best.min(start.elapsed());
    }
    println!("{what:<66} {:>7.1} ns", best.as_secs_f64() * 1e9 / f64::from(ROUNDS));
    Ok(())
}

/// A session's account whose `waiting` reservations wait for the session's own grants, and what keeps it so.
fn crowded(accountant: &Accountant, quota: Quota, waiting: usize) -> Result<Vec<Reserve>, Box<dyn Error>> {
    let session = accountant.open(&Limits { cpu: Some(quota.cpu), ..Limits::default() })?;
    std::mem::forget(session.try_reserve(quota)?);
    let mut reserves: Vec<Reserve> = (0..waiting).map(|_| session.reserve(quota)).collect();
    for reserve in &mut reserves {
        let _ = Pin::new(reserve).poll(&mut Context::from_waker(Waker::noop()));
    }
    Ok(reserves)
}

fn round_trip(account: &Account, quota: Quota, usage: &Usage) -> Result<(), Box<dyn Error>> {
    let mut reserve = account.reserve(black_box(quota));
    match Pin::new(&mut reserve).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(grant) => black_box(grant?.settle(black_box(usage))),
        Poll::Pending => return Err("a reservation that fits must not wait".into()),
    };
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let capacity = Resources { cpu: MilliCpu(2000), memory: Bytes::mib(4096), gpu_sms: 16, gpu_memory: Bytes(0) };
    let accountant = Accountant::new(capacity, 4096);
    let session = accountant.open(&Limits::default())?;
    let request = session.open(&Limits::default())?;
    let resources = Resources { cpu: MilliCpu(250), memory: Bytes::mib(16), ..Resources::default() };
    let quota = Quota::new(resources, Span(Duration::from_secs(5)), Bytes::mib(1));
    let usage = Usage { cpu_ms: 0.4, wall_ms: 0.5, peak_memory_bytes: 1 << 20, ..Usage::default() };

    measure("reserve + settle in a session (two layers)", || round_trip(&session, quota, &usage))?;
    measure("reserve + settle in a request (three layers)", || round_trip(&request, quota, &usage))?;
    measure("try_reserve + drop in a request", || {
        drop(black_box(request.try_reserve(quota)?));
        Ok(())
    })?;
    measure("open a request, reserve + settle in it, drop it", || {
        round_trip(&session.open(&Limits::default())?, quota, &usage)
    })?;
    for waiting in [1, 16] {
        let waits = crowded(&accountant, quota, waiting)?;
        let what = format!("reserve + settle while {waiting} wait for another session's grants");
        measure(&what, || round_trip(&request, quota, &usage))?;
        drop(waits);
    }
    Ok(())
}
