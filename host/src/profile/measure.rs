//! Measuring: runs the cells of a grid and keeps every measurement.

use super::grid::{Case, Cell, Subject};
use crate::{config::QuotaLimits, place::quota, tools};
use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, HashSet},
    fs::{File, OpenOptions},
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
};
use tomas_core::{
    accountant::{Account, Accountant, Limits},
    amount::{Bytes, MilliCpu},
    configuration::{Configuration, SizeClass},
    level::LevelTable,
    name::ToolName,
    observation::{Observation, Outcome},
    resource::Resources,
};
use tomas_sandbox::Sandbox;

/// One measured call, a line of the raw file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measurement {
    /// Which tool.
    pub tool: ToolName,
    /// The component's digest: measurements of another build are not reused.
    pub component: String,
    /// Size class of the input.
    pub size: SizeClass,
    /// CPU quota.
    pub cpu: MilliCpu,
    /// Memory quota.
    pub memory: Bytes,
    /// Which input.
    pub case: String,
    /// Which repetition.
    pub repeat: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// Wall time from start to answer, in milliseconds.
    pub latency_ms: f64,
    /// CPU time, in milliseconds.
    pub cpu_ms: f64,
    /// Most memory held, in bytes.
    pub peak_memory_bytes: u64,
    /// CPU model and cores.
    pub machine: String,
    /// What the tool said when it did not end `ok`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What identifies a measurement: a cell is done when one with its key is in the raw file.
type Key = (ToolName, String, SizeClass, u32, u64, String, u32);

impl Measurement {
    fn key(&self) -> Key {
        let Self { tool, component, size, cpu, memory, case, repeat, .. } = self;
        (tool.clone(), component.clone(), *size, cpu.0, memory.0, case.clone(), *repeat)
    }
}

/// Failures of one input under one configuration after which repeating it is hopeless.
const HOPELESS: u32 = 2;

/// The raw file: measurements read at start, and new ones appended.
pub struct Raw {
    path: PathBuf,
    file: File,
    done: HashSet<Key>,
    kept: Vec<Measurement>,
}

impl Raw {
    /// Opens or creates a raw file. A last line cut off by an interruption is dropped.
    ///
    /// # Errors
    /// When it cannot be read or written, or an inner line does not parse.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("folder `{}` cannot be made", folder.display()))?;
        }
        let failed = || format!("raw measurements `{}` cannot be opened", path.display());
        let mut file = OpenOptions::new().create(true).append(true).read(true).open(path).with_context(failed)?;
        let mut text = String::new();
        file.read_to_string(&mut text).with_context(failed)?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        if whole < text.len() {
            file.set_len(whole as u64).with_context(failed)?;
        }
        let lines = text.get(..whole).unwrap_or_default().lines();
        let kept: Vec<Measurement> = lines
            .enumerate()
            .map(|(n, line)| {
                serde_json::from_str(line).with_context(|| {
                    let path = path.display();
                    format!("`{path}` line {} is not a measurement\nhint: give --fresh to measure all anew", n + 1)
                })
            })
            .collect::<anyhow::Result<_>>()?;
        Ok(Self { path: path.to_owned(), file, done: kept.iter().map(Measurement::key).collect(), kept })
    }

    /// All measurements so far.
    #[must_use]
    pub fn all(&self) -> &[Measurement] {
        &self.kept
    }

    fn append(&mut self, measurement: Measurement) -> anyhow::Result<()> {
        let failed = || format!("`{}` cannot be written; is the disk full?", self.path.display());
        let line = serde_json::to_string(&measurement)? + "\n";
        self.file.write_all(line.as_bytes()).with_context(failed)?;
        self.done.insert(measurement.key());
        self.kept.push(measurement);
        Ok(())
    }
}

/// Measures cells one after the other.
pub struct Bench<'a> {
    /// Runs the calls.
    pub sandbox: &'a Sandbox,
    /// What is measured.
    pub subjects: &'a [Subject],
    /// What the levels amount to.
    pub levels: &'a LevelTable,
    /// CPU model and cores.
    pub machine: &'a str,
    /// The most time and output that a call gets, as in serving.
    pub most: QuotaLimits,
}

impl Bench<'_> {
    /// Measures what is not in `raw` yet. `progress` hears of every cell, done before or not.
    ///
    /// # Errors
    /// When the host is at fault, or the raw file cannot be written.
    pub fn run(&self, cells: &[Cell], raw: &mut Raw, mut progress: impl FnMut(&Cell)) -> anyhow::Result<()> {
        let account = self.account()?;
        let mut failures = self.failures(raw);
        let mut warm = HashSet::new();
        for cell in cells {
            progress(cell);
            let Some((subject, case)) = self.at(cell) else { continue };
            let failed = failures.entry((cell.configuration.clone(), case.name.clone())).or_insert(0);
            if *failed >= HOPELESS || raw.done.contains(&self.key(cell, subject, case)) {
                continue;
            }
            if warm.insert(cell.subject) {
                // The first call of a process faults in code pages and starts a thread.
                drop(self.call(&account, subject, case, &cell.configuration)?);
            }
            let observation = self.call(&account, subject, case, &cell.configuration)?;
            *failed += u32::from(observation.outcome != Outcome::Ok);
            raw.append(self.measurement(cell, subject, case, observation))?;
        }
        Ok(())
    }

    fn at(&self, cell: &Cell) -> Option<(&Subject, &Case)> {
        let subject = self.subjects.get(cell.subject)?;
        Some((subject, subject.cases.get(cell.case)?))
    }

    /// An account with room for the largest configuration, whatever the machine has: profiles say what a quota costs
    /// here, even one that this machine can hardly serve.
    fn account(&self) -> anyhow::Result<Account> {
        let most = Resources::from_fn(|r| self.levels.amount(r, tomas_core::level::Level::High));
        Ok(Accountant::new(most, 1).open(&Limits::default())?)
    }

    fn call(
        &self,
        account: &Account,
        subject: &Subject,
        case: &Case,
        configuration: &Configuration,
    ) -> anyhow::Result<Observation> {
        let grant = account.try_reserve(quota(&self.most, &subject.tool, self.levels, configuration))?;
        let arguments = serde_json::to_string(&case.arguments)?;
        let mut call = tools::call(subject.component.clone(), &subject.tool, arguments);
        call.blobs.clone_from(&case.inputs.blobs);
        call.workspace = case.inputs.workspace();
        Ok(self.sandbox.call_blocking(grant, call)?.observation)
    }

    /// How often each input failed under each configuration in earlier runs.
    fn failures(&self, raw: &Raw) -> BTreeMap<(Configuration, String), u32> {
        let mut failures = BTreeMap::new();
        for m in raw.all().iter().filter(|m| m.outcome != Outcome::Ok) {
            let current = self.subjects.iter().any(|s| *s.tool.name() == m.tool && s.tool.component == m.component);
            if let Some(configuration) = m.configuration(self.levels).filter(|_| current) {
                *failures.entry((configuration, m.case.clone())).or_insert(0) += 1;
            }
        }
        failures
    }

    fn key(&self, cell: &Cell, subject: &Subject, case: &Case) -> Key {
        let amounts = self.levels.resources(cell.configuration.levels);
        let Configuration { tool, size, .. } = &cell.configuration;
        let component = subject.tool.component.clone();
        (tool.clone(), component, *size, amounts.cpu.0, amounts.memory.0, case.name.clone(), cell.repeat)
    }

    fn measurement(&self, cell: &Cell, subject: &Subject, case: &Case, observation: Observation) -> Measurement {
        let amounts = self.levels.resources(cell.configuration.levels);
        let Observation { outcome, usage, error, .. } = observation;
        Measurement {
            tool: subject.tool.name().clone(),
            component: subject.tool.component.clone(),
            size: cell.configuration.size,
            cpu: amounts.cpu,
            memory: amounts.memory,
            case: case.name.clone(),
            repeat: cell.repeat,
            outcome,
            latency_ms: usage.wall_ms,
            cpu_ms: usage.cpu_ms,
            peak_memory_bytes: usage.peak_memory_bytes,
            machine: self.machine.to_owned(),
            error: error.map(|e| e.chars().take(300).collect()),
        }
    }
}

impl Measurement {
    /// The configuration that this was measured under, where `levels` still has these amounts.
    #[must_use]
    pub fn configuration(&self, levels: &LevelTable) -> Option<Configuration> {
        super::table::configuration(&self.tool, self.size, self.cpu, self.memory, levels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_cut_off_by_an_interruption_is_dropped_and_the_rest_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("raw.jsonl");
        let m = Measurement {
            tool: "t".parse().unwrap(),
            component: "c".to_owned(),
            size: SizeClass::Small,
            cpu: MilliCpu(250),
            memory: Bytes::mib(16),
            case: "sample-1".to_owned(),
            repeat: 0,
            outcome: Outcome::Ok,
            latency_ms: 0.1,
            cpu_ms: 0.1,
            peak_memory_bytes: 1,
            machine: "m".to_owned(),
            error: None,
        };
        let mut raw = Raw::open(&path).unwrap();
        raw.append(m.clone()).unwrap();
        drop(raw);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&whole[..], &whole[..20]].concat()).unwrap();
        let mut raw = Raw::open(&path).unwrap();
        raw.append(Measurement { repeat: 1, ..m.clone() }).unwrap();
        drop(raw);
        let raw = Raw::open(&path).unwrap();
        assert_eq!(raw.all().len(), 2);
        assert!(raw.done.contains(&m.key()));
        std::fs::write(&path, [b"nonsense\n", &whole[..]].concat()).unwrap();
        let error = Raw::open(&path).err().unwrap().to_string();
        assert!(error.contains("line 1 is not a measurement"), "{error}");
    }
}
