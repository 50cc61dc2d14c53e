//! Profiling: replay inputs under a grid of quotas and write down what each configuration cost.
//!
//! [`grid`] lists what to measure, interleaved so that a slow minute of the machine does not fall on one configuration;
//! [`measure`] runs it and appends each measurement to a file, so that an interrupted run goes on where it stopped;
//! [`recorded`] adds what sessions really asked; [`table`] sums the measurements up as `profiling.csv` and reads that back; [`plot`] draws it.

pub mod grid;
pub mod measure;
pub mod plot;
pub mod recorded;
pub mod table;

/// CPU model and cores, as profiles record the machine.
#[must_use]
pub fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|l| l.strip_prefix("model name")?.split_once(':').map(|(_, name)| name.trim()));
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    format!("{} x {cores}", model.unwrap_or(std::env::consts::ARCH))
}
