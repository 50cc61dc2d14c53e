//! The registry: the sealed set of tools, configurations and profiles. Only [`Registry::seal`] and
//! [`Registry::open`] make one, so whoever holds a registry holds a consistent one.

use crate::{
    configuration::{Configuration, SizeClass},
    level::{LevelError, LevelTable},
    name::ToolName,
    profile::Profile,
    resource::{Resource, Resources},
    tool::Tool,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Sealed tools, configurations and profiles.
#[derive(Debug, Clone, PartialEq)]
pub struct Registry {
    contents: Contents,
    digest: String,
    vocabulary: String,
    by_configuration: BTreeMap<Configuration, usize>,
}

/// What a registry file holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contents {
    /// The tools, ascending by name.
    pub tools: Vec<Tool>,
    /// Every configuration that tokens can name, in token order.
    pub configurations: Vec<Configuration>,
    /// At most one profile a configuration.
    pub profiles: Vec<Profile>,
    /// What the levels amount to.
    pub levels: LevelTable,
}

/// Unknown fields end up in `contents`, which refuses them.
#[derive(Serialize, Deserialize)]
struct File {
    digest: String,
    vocabulary: String,
    #[serde(flatten)]
    contents: serde_json::Map<String, serde_json::Value>,
}

/// Why contents cannot be sealed or a registry file is refused.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// Two tools share a name or a spelling.
    #[error("two tools are spelled `{0}`\nhint: rename one of them")]
    Duplicate(String),
    /// A configuration or profile of a tool that is not there.
    #[error("`{0}` belongs to no registered tool\nhint: profile again, or register the tool")]
    Foreign(String),
    /// Two profiles of one configuration.
    #[error("`{0}` is profiled twice\nhint: merge the measurements")]
    Profiled(String),
    /// There is nothing to plan with.
    #[error("a registry needs at least one tool\nhint: give a folder with a component and its tool.toml")]
    Empty,
    /// Impossible level amounts.
    #[error(transparent)]
    Levels(#[from] LevelError),
    /// The file is not a registry.
    #[error("the registry file does not parse: {0}\nhint: rebuild it with `tomas-host registry build`")]
    Parse(#[from] serde_json::Error),
    /// The contents do not match the digest.
    #[error(
        "the registry's digest is `{stated}`, its contents give `{found}`\nhint: it was edited by hand or damaged; rebuild it with `tomas-host registry build`"
    )]
    Digest {
        /// Digest that the file states.
        stated: String,
        /// Digest of the contents.
        found: String,
    },
}

impl Registry {
    /// Checks and seals contents. Tools and profiles are sorted; configurations keep the order in which
    /// [`configurations`] enumerates them, because that is the order of tokens.
    ///
    /// # Errors
    /// When names clash, or a configuration or profile has no tool.
    pub fn seal(mut tools: Vec<Tool>, levels: LevelTable, mut profiles: Vec<Profile>) -> Result<Self, RegistryError> {
        levels.validate()?;
        tools.sort_by(|a, b| a.name().cmp(b.name()));
        profiles.sort_by(|a, b| a.configuration.cmp(&b.configuration));
        let configurations = tools.iter().flat_map(|t| configurations(t, &levels)).collect();
        Self::check(Contents { tools, configurations, profiles, levels })
    }

    fn check(contents: Contents) -> Result<Self, RegistryError> {
        if contents.tools.is_empty() {
            return Err(RegistryError::Empty);
        }
        let mut spellings = BTreeSet::new();
        if let Some(twice) = contents.tools.iter().find(|t| !spellings.insert(t.name().spelling())) {
            return Err(RegistryError::Duplicate(twice.name().spelling()));
        }
        let known: BTreeSet<&Configuration> = contents.configurations.iter().collect();
        if let Some(c) = contents.configurations.iter().find(|c| !spellings.contains(&c.tool.spelling())) {
            return Err(RegistryError::Foreign(c.to_string()));
        }
        if let Some(p) = contents.profiles.iter().find(|p| !known.contains(&p.configuration)) {
            return Err(RegistryError::Foreign(p.configuration.to_string()));
        }
        let mut by_configuration = BTreeMap::new();
        for (i, p) in contents.profiles.iter().enumerate() {
            if by_configuration.insert(p.configuration.clone(), i).is_some() {
                return Err(RegistryError::Profiled(p.configuration.to_string()));
            }
        }
        let digest = hash(&contents)?;
        let exports: Vec<_> = contents.tools.iter().map(|t| (&t.export.name, &t.export.parameters)).collect();
        let vocabulary = hash(&(exports, &contents.configurations))?;
        Ok(Self { contents, digest, vocabulary, by_configuration })
    }

    /// Reads a registry file and checks it against the digest it states.
    ///
    /// # Errors
    /// When it does not parse, contradicts itself, or does not match its digest.
    pub fn open(text: &str) -> Result<Self, RegistryError> {
        let file: File = serde_json::from_str(text)?;
        let contents: Contents = serde_json::from_value(serde_json::Value::Object(file.contents))?;
        contents.levels.validate()?;
        let registry = Self::check(contents)?;
        if registry.digest == file.digest {
            Ok(registry)
        } else {
            Err(RegistryError::Digest { stated: file.digest, found: registry.digest })
        }
    }

    /// The text of a registry file.
    ///
    /// # Errors
    /// Only when a float of a profile is not finite.
    pub fn to_text(&self) -> Result<String, RegistryError> {
        let serde_json::Value::Object(contents) = serde_json::to_value(&self.contents)? else {
            return Err(RegistryError::Empty);
        };
        let file = File { digest: self.digest.clone(), vocabulary: self.vocabulary.clone(), contents };
        Ok(serde_json::to_string_pretty(&file)? + "\n")
    }

    /// BLAKE3 over everything sealed, in hex.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// BLAKE3 over what tokens mean: tool names, argument schemas and configurations, in hex. A checkpoint is bound to
    /// this digest, so that profiling again on another machine does not orphan it.
    #[must_use]
    pub fn vocabulary(&self) -> &str {
        &self.vocabulary
    }

    /// The tools, ascending by name.
    #[must_use]
    pub fn tools(&self) -> &[Tool] {
        &self.contents.tools
    }

    /// The tool of a name.
    #[must_use]
    pub fn tool(&self, name: &ToolName) -> Option<&Tool> {
        self.contents.tools.iter().find(|t| t.name() == name)
    }

    /// Every configuration, in token order.
    #[must_use]
    pub fn configurations(&self) -> &[Configuration] {
        &self.contents.configurations
    }

    /// All profiles.
    #[must_use]
    pub fn profiles(&self) -> &[Profile] {
        &self.contents.profiles
    }

    /// The profile of a configuration, where it was measured.
    #[must_use]
    pub fn profile(&self, configuration: &Configuration) -> Option<&Profile> {
        self.by_configuration.get(configuration).and_then(|&i| self.contents.profiles.get(i))
    }

    /// What the levels amount to.
    #[must_use]
    pub const fn levels(&self) -> &LevelTable {
        &self.contents.levels
    }

    /// Whether a configuration's amounts fit in `free`.
    #[must_use]
    pub fn fits(&self, configuration: &Configuration, free: &Resources) -> bool {
        self.levels().resources(configuration.levels).fits(free)
    }

    /// The configurations of a tool and size class that fit in `free` and were not measured to fail.
    pub fn feasible<'s, 'a>(
        &'s self,
        tool: &'a ToolName,
        size: SizeClass,
        free: &'a Resources,
    ) -> impl Iterator<Item = &'s Configuration> + use<'s, 'a> {
        self.configurations().iter().filter(move |c| {
            c.tool == *tool && c.size == size && self.fits(c, free) && self.profile(c).is_none_or(Profile::feasible)
        })
    }

    /// The fastest feasible configuration by expected latency; among those as fast within the tolerance, the one that
    /// holds the least. `None` when nothing feasible is measured.
    #[must_use]
    pub fn best(
        &self,
        tool: &ToolName,
        size: SizeClass,
        free: &Resources,
        tolerance: Tolerance,
    ) -> Option<&Configuration> {
        let measured: Vec<_> =
            self.feasible(tool, size, free).filter_map(|c| Some((c, self.profile(c)?.latency_ms))).collect();
        let fastest = measured.iter().map(|(_, ms)| *ms).min_by(f64::total_cmp)?;
        let near =
            measured.into_iter().filter(|(_, ms)| *ms <= (fastest * tolerance.ratio).max(fastest + tolerance.ms));
        near.min_by_key(|(c, _)| cost(c)).map(|(c, _)| c)
    }

    /// The feasible configuration that holds the least.
    #[must_use]
    pub fn cheapest(&self, tool: &ToolName, size: SizeClass, free: &Resources) -> Option<&Configuration> {
        self.feasible(tool, size, free).min_by_key(|c| cost(c))
    }
}

/// Which latencies count as the same as the fastest: those within the ratio, or within the time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    /// Latency over the fastest.
    pub ratio: f64,
    /// Latency above the fastest, in milliseconds.
    pub ms: f64,
}

impl Tolerance {
    /// The fastest alone.
    pub const EXACT: Self = Self { ratio: 1.0, ms: 0.0 };
    /// What profiling twice on a quiet machine does not tell apart: holding more for it would be waste.
    pub const MEASURED: Self = Self { ratio: 1.1, ms: 0.05 };
}

/// How much a configuration holds: the sum of its level indices, GPU first.
fn cost(configuration: &Configuration) -> (usize, usize) {
    let level = |r| configuration.levels.get(r).index();
    (level(Resource::GpuSms) + level(Resource::GpuMemory), level(Resource::Cpu) + level(Resource::Memory))
}

/// The configurations that a tool can be given: each size class with every level of CPU and memory up to the ceiling.
/// GPU levels are `none` until a tool asks for a GPU.
pub fn configurations(tool: &Tool, levels: &LevelTable) -> Vec<Configuration> {
    use crate::level::{Level, Levels};
    let ceiling = tool.manifest.quota.ceiling;
    let steps = [Level::Low, Level::Med, Level::High];
    let allowed = |r, max| steps.into_iter().filter(move |&l| l == Level::Low || levels.amount(r, l) <= max);
    let mut all = Vec::new();
    for size in SizeClass::ALL {
        for cpu in allowed(Resource::Cpu, u64::from(ceiling.cpu.0)) {
            for memory in allowed(Resource::Memory, ceiling.memory.0) {
                let levels = Levels { cpu, memory, gpu_sms: Level::None, gpu_memory: Level::None };
                all.push(Configuration { tool: tool.name().clone(), size, levels });
            }
        }
    }
    all
}

/// BLAKE3 of a value's JSON, in hex. Maps keep insertion order, so equal contents give equal digests.
fn hash(value: &impl Serialize) -> Result<String, serde_json::Error> {
    Ok(blake3::hash(&serde_json::to_vec(value)?).to_hex().to_string())
}
