//! `profiling.csv`: TOMAS's columns (`tool` to `latency_ms`), followed by ours.

use super::measure::Measurement;
use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::Path};
use tomas_core::{
    amount::{Bytes, MilliCpu},
    configuration::{Configuration, SizeClass},
    level::{Level, LevelTable, Levels},
    name::ToolName,
    observation::Outcome,
    profile::Profile,
    resource::Resource,
};

/// One row: one configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    tool: ToolName,
    input_size: SizeClass,
    /// Cores.
    cpu_core: f64,
    /// GiB.
    cpu_mem_gb: f64,
    gpu_sm: u32,
    gpu_mem_gb: f64,
    /// Expected latency: see [`Profile`].
    latency_ms: f64,
    n: u32,
    p50_ms: f64,
    p95_ms: f64,
    cpu_ms: f64,
    peak_memory_bytes: u64,
    outcome: Outcome,
    ok: u32,
    machine: String,
}

/// Sums measurements up. `current` tells whether a measurement is of a component that is still in use.
///
/// Latencies are over all calls of a configuration. Its outcome is `ok` only if every call was; else it is the most
/// frequent outcome that was not, because a planner must not take what fails now and then.
#[must_use]
pub fn profiles(all: &[Measurement], levels: &LevelTable, current: impl Fn(&Measurement) -> bool) -> Vec<Profile> {
    let mut groups: BTreeMap<Configuration, Vec<&Measurement>> = BTreeMap::new();
    for m in all.iter().filter(|m| current(m)) {
        if let Some(configuration) = m.configuration(levels) {
            groups.entry(configuration).or_default().push(m);
        }
    }
    groups.into_iter().map(|(configuration, calls)| profile(configuration, &calls)).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a count of calls")]
fn profile(configuration: Configuration, calls: &[&Measurement]) -> Profile {
    let mut inputs: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for m in calls {
        inputs.entry(&m.case).or_default().push(m.latency_ms);
    }
    let medians: Vec<f64> = inputs.into_values().map(median).collect();
    let mut latencies: Vec<f64> = calls.iter().map(|m| m.latency_ms).collect();
    let mut cpu: Vec<f64> = calls.iter().map(|m| m.cpu_ms).collect();
    latencies.sort_by(f64::total_cmp);
    cpu.sort_by(f64::total_cmp);
    let ok = calls.iter().filter(|m| m.outcome == Outcome::Ok).count();
    let failures = Outcome::ALL.into_iter().filter(|o| *o != Outcome::Ok);
    let count = |o: &Outcome| calls.iter().filter(|m| m.outcome == *o).count();
    Profile {
        configuration,
        n: u32::try_from(calls.len()).unwrap_or(u32::MAX),
        outcome: failures.max_by_key(count).filter(|_| ok < calls.len()).unwrap_or(Outcome::Ok),
        ok: u32::try_from(ok).unwrap_or(u32::MAX),
        latency_ms: medians.iter().sum::<f64>() / medians.len().max(1) as f64,
        p50_ms: rank(&latencies, 50),
        p95_ms: rank(&latencies, 95),
        cpu_ms: rank(&cpu, 50),
        peak_memory_bytes: calls.iter().map(|m| m.peak_memory_bytes).max().unwrap_or(0),
        machine: calls.last().map(|m| m.machine.clone()).unwrap_or_default(),
    }
}

/// The median: of an even number, the mean of the two in the middle.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = |at: usize| values.get(at).copied().unwrap_or(0.0);
    f64::midpoint(middle(values.len() / 2), middle(values.len().saturating_sub(1) / 2))
}

/// The nearest-rank percentile of ascending values.
fn rank(ascending: &[f64], percent: usize) -> f64 {
    let at = (ascending.len() * percent).div_ceil(100).max(1) - 1;
    ascending.get(at).copied().unwrap_or(0.0)
}

/// The configuration that amounts stand for, where `levels` has them.
#[must_use]
pub fn configuration(
    tool: &ToolName,
    size: SizeClass,
    cpu: MilliCpu,
    memory: Bytes,
    levels: &LevelTable,
) -> Option<Configuration> {
    let level = |r, amount| Level::ALL.into_iter().skip(1).find(|&l| levels.amount(r, l) == amount);
    let levels = Levels {
        cpu: level(Resource::Cpu, u64::from(cpu.0))?,
        memory: level(Resource::Memory, memory.0)?,
        gpu_sms: Level::None,
        gpu_memory: Level::None,
    };
    Some(Configuration { tool: tool.clone(), size, levels })
}

/// Writes profiles. The file is complete or absent.
///
/// # Errors
/// When the disk does not take it.
pub fn write(path: &Path, profiles: &[Profile], levels: &LevelTable) -> anyhow::Result<()> {
    let mut out = csv::Writer::from_writer(Vec::new());
    for p in profiles {
        let amounts = levels.resources(p.configuration.levels);
        out.serialize(Row {
            tool: p.configuration.tool.clone(),
            input_size: p.configuration.size,
            cpu_core: amounts.cpu.cores(),
            cpu_mem_gb: amounts.memory.gib(),
            gpu_sm: amounts.gpu_sms,
            gpu_mem_gb: amounts.gpu_memory.gib(),
            latency_ms: round(p.latency_ms),
            n: p.n,
            p50_ms: round(p.p50_ms),
            p95_ms: round(p.p95_ms),
            cpu_ms: round(p.cpu_ms),
            peak_memory_bytes: p.peak_memory_bytes,
            outcome: p.outcome,
            ok: p.ok,
            machine: p.machine.clone(),
        })?;
    }
    crate::files::replace(path, &out.into_inner()?)
}

/// To a tenth of a microsecond: finer than what is repeatable.
fn round(ms: f64) -> f64 {
    (ms * 1e4).round() / 1e4
}

/// Reads `profiling.csv`.
///
/// # Errors
/// When a row does not parse, or has amounts that are not those of a level.
pub fn read(path: &Path, levels: &LevelTable) -> anyhow::Result<Vec<Profile>> {
    let mut rows = csv::Reader::from_path(path)
        .with_context(|| format!("profiles `{}` cannot be read\nhint: run `tomas-host profile`", path.display()))?;
    let mut profiles = Vec::new();
    for (n, row) in rows.deserialize().enumerate() {
        let at = || format!("`{}` row {}", path.display(), n + 1);
        let row: Row = row.with_context(at)?;
        profiles.push(row.profile(levels).with_context(at)?);
    }
    Ok(profiles)
}

impl Row {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "float casts saturate; unknown amounts are refused"
    )]
    fn profile(self, levels: &LevelTable) -> anyhow::Result<Profile> {
        let cpu = MilliCpu((self.cpu_core * 1000.0).round() as u32);
        let memory = Bytes((self.cpu_mem_gb * f64::from(1 << 30)).round() as u64);
        let Some(configuration) = configuration(&self.tool, self.input_size, cpu, memory, levels) else {
            bail!(
                "`{cpu}` cpu and `{memory}` memory are not amounts of a level\n\
                 hint: levels.toml changed since profiling; run `tomas-host profile` again"
            );
        };
        let times = [self.latency_ms, self.p50_ms, self.p95_ms, self.cpu_ms];
        if times.iter().any(|t| !t.is_finite() || *t < 0.0) || self.n == 0 || self.ok > self.n {
            bail!("a time is negative or not a number, or `ok` is above `n`\nhint: run `tomas-host profile` again");
        }
        Ok(Profile {
            configuration,
            n: self.n,
            outcome: self.outcome,
            ok: self.ok,
            latency_ms: self.latency_ms,
            p50_ms: self.p50_ms,
            p95_ms: self.p95_ms,
            cpu_ms: self.cpu_ms,
            peak_memory_bytes: self.peak_memory_bytes,
            machine: self.machine,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels() -> LevelTable {
        toml::from_str(include_str!("../../../configs/levels.toml")).unwrap()
    }

    fn measurement(outcome: Outcome, latency_ms: f64) -> Measurement {
        Measurement {
            tool: "t".parse().unwrap(),
            component: "c".to_owned(),
            size: SizeClass::Small,
            cpu: MilliCpu(250),
            memory: Bytes::mib(16),
            case: "sample-1".to_owned(),
            repeat: 0,
            outcome,
            latency_ms,
            cpu_ms: latency_ms / 4.0,
            peak_memory_bytes: 1 << 20,
            machine: "m x 2".to_owned(),
            error: None,
        }
    }

    #[test]
    fn profiles_survive_the_file() {
        let all = [3.0, 1.0, 2.0, 10.0].map(|ms| measurement(Outcome::Ok, ms));
        let profiles = profiles(&all, &levels(), |_| true);
        assert_eq!((profiles[0].n, profiles[0].ok, profiles[0].p50_ms, profiles[0].p95_ms), (4, 4, 2.0, 10.0));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("profiling.csv");
        write(&path, &profiles, &levels()).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with("tool,input_size,cpu_core,cpu_mem_gb,gpu_sm,gpu_mem_gb,latency_ms,n,p50_ms"),
            "{text}"
        );
        assert_eq!(read(&path, &levels()).unwrap(), profiles);
        std::fs::write(&path, text.replace("0.25", "0.3")).unwrap();
        assert!(format!("{:#}", read(&path, &levels()).unwrap_err()).contains("not amounts of a level"));
    }

    #[test]
    fn one_failure_makes_a_configuration_infeasible_and_is_not_dropped() {
        let all = [Outcome::Ok, Outcome::Ok, Outcome::MemoryExceeded].map(|o| measurement(o, 1.0));
        let profiles = profiles(&all, &levels(), |_| true);
        assert_eq!((profiles[0].outcome, profiles[0].ok, profiles[0].n), (Outcome::MemoryExceeded, 2, 3));
        assert!(!profiles[0].feasible());
    }
}
