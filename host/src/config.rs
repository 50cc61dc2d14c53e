//! `configs/host.toml`: every key, its unit and its reason stand there. The shipped file is compiled in as the default,
//! so that a file of one's own needs to name only what differs.

use anyhow::{Context as _, bail};
use serde::{Deserialize, Deserializer, de};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
};
use tomas_core::{
    accountant::Limits,
    amount::{Bytes, MilliCpu, Span},
    resource::Resources,
};
use tomas_distribution::PublicKey;
use toml::{Table, Value};

/// The shipped file.
pub const SHIPPED: &str = include_str!("../../configs/host.toml");

/// See `configs/host.toml` for each key.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the keys are documented once, in configs/host.toml")]
pub struct Config {
    pub server: Server,
    pub capacity: Capacity,
    pub session: Session,
    pub quota: QuotaLimits,
    pub paths: Paths,
    pub planner: PlannerChoice,
    pub sandbox: Sandbox,
    pub trust: Trust,
    /// `[models]`: folders by the names under which tools ask for them.
    pub models: BTreeMap<String, PathBuf>,
}

/// `[server]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "as above")]
pub struct Server {
    pub address: SocketAddr,
    pub max_body: Bytes,
    pub header_timeout: Span,
    pub body_timeout: Span,
    pub queue: usize,
    pub shutdown: Span,
}

/// `[capacity]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "as above")]
pub struct Capacity {
    pub cpu: Or<MilliCpu>,
    pub memory: Or<Bytes>,
    pub gpu_sms: u32,
    pub gpu_memory: Bytes,
}

/// `[session]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "as above")]
pub struct Session {
    pub cpu: Or<MilliCpu>,
    pub memory: Or<Bytes>,
    pub attachments: Bytes,
    pub kept: Bytes,
    pub record: bool,
    pub folders: Vec<PathBuf>,
    pub live: usize,
    pub requests: usize,
}

/// `[quota]`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "as above")]
pub struct QuotaLimits {
    pub deadline: Span,
    pub output: Bytes,
}

/// `[paths]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "as above")]
pub struct Paths {
    pub tools: Vec<PathBuf>,
    pub levels: PathBuf,
    pub registry: PathBuf,
    pub model: PathBuf,
    pub store: Or<PathBuf>,
}

/// `[planner]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "as above")]
pub struct PlannerChoice {
    pub kind: PlannerKind,
    pub concurrent: Or<usize>,
    pub quoted: Vec<String>,
}

/// Which planner decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum PlannerKind {
    /// The model that the trainer made.
    Local,
    /// BM25 over descriptions with the fastest feasible configuration.
    Bm25Fastest,
    /// BM25 over descriptions with the feasible configuration that holds least.
    Bm25Cheapest,
}

/// `[sandbox]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "as above")]
pub struct Sandbox {
    pub workers: u32,
    pub cache: Or<PathBuf>,
    pub certificates: Or<PathBuf>,
}

/// `[trust]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "as above")]
pub struct Trust {
    pub keys: Vec<PublicKey>,
    pub unsigned: Vec<PathBuf>,
}

/// A value, or the word `auto`, which leaves it to the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Or<T> {
    /// The host decides; the key's comment says how.
    Auto,
    /// This and nothing else.
    Given(T),
}

impl<T> Or<T> {
    /// The value, or what the host decides.
    pub fn or(self, auto: impl FnOnce() -> T) -> T {
        match self {
            Self::Auto => auto(),
            Self::Given(value) => value,
        }
    }

    fn given(self) -> Option<T> {
        match self {
            Self::Auto => None,
            Self::Given(value) => Some(value),
        }
    }
}

impl<'de, T: FromStr<Err: std::fmt::Display>> Deserialize<'de> for Or<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = match Value::deserialize(d)? {
            Value::String(text) => text,
            Value::Integer(n) => n.to_string(),
            Value::Float(n) => n.to_string(),
            other => return Err(de::Error::custom(format!("`{other}` is neither \"auto\" nor an amount"))),
        };
        if text == "auto" {
            return Ok(Self::Auto);
        }
        text.parse().map(Self::Given).map_err(de::Error::custom)
    }
}

impl Config {
    /// Reads a file over the shipped defaults; without a file, `configs/host.toml` below `root` where it exists.
    ///
    /// # Errors
    /// When the file cannot be read, is not TOML, has an unknown key or an impossible value.
    pub fn read(file: Option<&Path>, root: &Path) -> anyhow::Result<Self> {
        let default = root.join("configs/host.toml");
        let path = match file {
            Some(path) => path,
            None if default.is_file() => &default,
            None => return Self::parse(""),
        };
        let text =
            std::fs::read_to_string(path).with_context(|| format!("config `{}` cannot be read", path.display()))?;
        Self::parse(&text).with_context(|| format!("config `{}` is refused", path.display()))
    }

    /// Reads text over the shipped defaults.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let mut keys: Table = SHIPPED.parse()?;
        merge(&mut keys, text.parse()?, "")?;
        let config: Self = keys.try_into()?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> anyhow::Result<()> {
        let zero = [
            ("server.max_body", self.server.max_body.0 == 0),
            ("server.header_timeout", self.server.header_timeout.0.is_zero()),
            ("server.body_timeout", self.server.body_timeout.0.is_zero()),
            ("capacity.cpu", self.capacity.cpu == Or::Given(MilliCpu(0))),
            ("capacity.memory", self.capacity.memory == Or::Given(Bytes(0))),
            ("session.cpu", self.session.cpu == Or::Given(MilliCpu(0))),
            ("session.memory", self.session.memory == Or::Given(Bytes(0))),
            ("session.live", self.session.live == 0),
            ("session.requests", self.session.requests == 0),
            ("quota.deadline", self.quota.deadline.0.is_zero()),
            ("quota.output", self.quota.output.0 == 0),
            ("sandbox.workers", self.sandbox.workers == 0),
        ];
        if let Some((key, _)) = zero.into_iter().find(|(_, zero)| *zero) {
            bail!("`{key}` is zero, with which nothing could run\nhint: give an amount above zero");
        }
        Ok(())
    }

    /// What this host has in all: the configured amounts, or all cores and half of the memory of the machine.
    #[must_use]
    pub fn capacity(&self) -> Resources {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let gpu = tomas_accelerator::capacity();
        Resources {
            cpu: self.capacity.cpu.or(|| MilliCpu(u32::try_from(cores.saturating_mul(1000)).unwrap_or(u32::MAX))),
            memory: self.capacity.memory.or(|| Bytes(machine_memory().unwrap_or(1 << 30) / 2)),
            // What is not there cannot be granted, whatever the file says.
            gpu_sms: self.capacity.gpu_sms.min(gpu.gpu_sms),
            gpu_memory: self.capacity.gpu_memory.min(gpu.gpu_memory),
        }
    }

    /// The budget of a session that asks for none, which is also the most it may ask for. Amounts above `capacity` are
    /// cut to it, so that one file serves machines of different size.
    #[must_use]
    pub fn session_limits(&self, capacity: &Resources) -> Limits {
        Limits {
            cpu: self.session.cpu.given().map(|c| c.min(capacity.cpu)),
            memory: self.session.memory.given().map(|m| m.min(capacity.memory)),
            ..Limits::default()
        }
    }
}

/// The section whose keys are names that the operator chooses.
const NAMES: &str = "models.";

/// Puts `over`'s keys into `base`, which has every key there is.
fn merge(base: &mut Table, over: Table, path: &str) -> anyhow::Result<()> {
    for (key, value) in over {
        let full = format!("{path}{key}");
        match (base.get_mut(&key), value) {
            (Some(Value::Table(base)), Value::Table(over)) => merge(base, over, &format!("{full}."))?,
            (Some(Value::Table(_)), other) => bail!("`{full}` is `{other}`, a section `[{full}]` is wanted"),
            (Some(slot), value) => *slot = value,
            (None, value) if path == NAMES => drop(base.insert(key, value)),
            (None, _) => {
                let known = base.keys().map(|k| format!("`{path}{k}`")).collect::<Vec<_>>().join(", ");
                bail!("unknown key `{full}`\nhint: the keys here are {known}");
            }
        }
    }
    Ok(())
}

/// Bytes of memory that this machine has.
fn machine_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|l| l.starts_with("MemTotal:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Changing this list changes what users have in their files: say so in the release notes.
    const KEYS: &str = "server.address server.max_body server.header_timeout server.body_timeout server.queue \
        server.shutdown capacity.cpu capacity.memory capacity.gpu_sms capacity.gpu_memory session.cpu session.memory \
        session.attachments session.kept session.record session.folders session.live session.requests quota.deadline \
        quota.output paths.tools paths.levels paths.registry paths.model paths.store planner.kind planner.concurrent \
        planner.quoted sandbox.workers sandbox.cache sandbox.certificates trust.keys trust.unsigned";

    #[test]
    fn the_list_of_keys_is_pinned() {
        let table: Table = SHIPPED.parse().unwrap();
        let section = |(name, section): (&String, &Value)| -> Vec<String> {
            section.as_table().unwrap().keys().map(|key| format!("{name}.{key}")).collect()
        };
        let mut found: Vec<String> = table.iter().flat_map(section).collect();
        let mut pinned: Vec<&str> = KEYS.split_whitespace().collect();
        found.sort();
        pinned.sort_unstable();
        assert_eq!(found, pinned);
        Config::parse("").unwrap();
    }

    #[test]
    fn every_key_has_a_comment() {
        for line in SHIPPED.lines().filter(|l| l.contains(" = ")) {
            assert!(line.starts_with('#') || line.contains('#'), "`{line}` has no comment");
        }
    }

    #[test]
    fn a_file_names_only_what_differs() {
        let config = Config::parse("[server]\nqueue = 7\n[capacity]\ncpu = \"1500m\"\n").unwrap();
        assert_eq!(config.server.queue, 7);
        assert_eq!(config.capacity().cpu, MilliCpu(1500));
        assert_eq!(config.planner.kind, Config::parse("").unwrap().planner.kind);
        let config = Config::parse("[models]\nminilm = \"runs/minilm\"\n\"a b\" = \"/x\"\n").unwrap();
        assert_eq!(config.models.len(), 2);
        assert_eq!(config.models["minilm"], PathBuf::from("runs/minilm"));
    }

    #[test]
    fn unknown_and_impossible_keys_are_refused() {
        let refused = |text: &str, part: &str| {
            let error = format!("{:#}", Config::parse(text).unwrap_err());
            assert!(error.contains(part), "{text}: {error}");
        };
        refused("[server]\nport = 1\n", "unknown key `server.port`");
        refused("[serve]\nport = 1\n", "unknown key `serve`");
        refused("[models]\nminilm = 3\n", "expected path string");
        refused("[models.minilm]\nfolder = \"x\"\n", "expected");
        refused("server = 3\n", "a section `[server]`");
        refused("[capacity]\ncpu = \"-1\"\n", "`-1` is not an amount of CPU");
        refused("[capacity]\ncpu = 0\n", "`capacity.cpu` is zero");
        refused("[quota]\ndeadline = \"0s\"\n", "`quota.deadline` is zero");
        refused("[planner]\nkind = \"best\"\n", "bm25-fastest");
        refused("[server]\naddress = \"nowhere\"\n", "address");
        refused("[trust]\nkeys = [\"ada\"]\n", "`ada` is not a public key");
        refused("not toml", "expected");
    }
}
