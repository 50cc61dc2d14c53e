//! Manifests: what `tool.toml` says about a component's tool.

use crate::{
    amount::{Bytes, MilliCpu, Span},
    configuration::SizeClass,
    name::ToolName,
    network::Destination,
    quota::Quota,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};

/// A `tool.toml`. Unknown keys are errors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// What the tool is called.
    pub name: ToolName,
    /// The component's file, relative to the manifest. Left out, it is looked for under the tool's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// Which of the component's exports it is, where that is called otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export: Option<ToolName>,
    /// One or two sentences for the planner and for people. Left out, it is what the component says.
    #[serde(default)]
    pub description: String,
    /// How inputs are put into size classes.
    #[serde(default)]
    pub size: SizeRule,
    /// The most a call may ever be granted.
    #[serde(default)]
    pub quota: QuotaSection,
    /// What the tool may reach; everything is denied unless granted.
    #[serde(default)]
    pub permissions: Permissions,
    /// What the tool reads through `wasi:config`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub config: BTreeMap<String, String>,
    /// Inputs to profile with and to try the tool on.
    #[serde(default)]
    pub samples: Vec<Sample>,
}

/// `[quota]` of a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuotaSection {
    /// `[quota.ceiling]`.
    pub ceiling: Ceiling,
}

/// The most that any call of the tool may be granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ceiling {
    /// CPU rate; above 1000m only for tools that fork and join.
    pub cpu: MilliCpu,
    /// Total guest memory.
    pub memory: Bytes,
    /// Wall-clock limit.
    pub deadline: Span,
    /// Most bytes that may leave a call.
    #[serde(default = "Ceiling::default_output")]
    pub output: Bytes,
}

impl Default for Ceiling {
    /// One core, 64 MiB, ten seconds: enough for most tools, and little for one that nobody vouched for.
    fn default() -> Self {
        Self {
            cpu: MilliCpu(1000),
            memory: Bytes::mib(64),
            deadline: Span(Duration::from_secs(10)),
            output: Self::default_output(),
        }
    }
}

impl Ceiling {
    const fn default_output() -> Bytes {
        Bytes::mib(16)
    }
}

/// How an input's size is measured and classed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SizeRule {
    /// The argument whose size counts; empty for all arguments as JSON.
    pub argument: String,
    /// What is counted.
    pub measure: Measure,
    /// Largest measure that is still small.
    pub small: u64,
    /// Largest measure that is still medium.
    pub medium: u64,
}

/// What a size rule counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Unicode scalar values of a string argument, or bytes of the blob it names.
    Chars,
    /// Bytes of a string argument, or of the blob it names.
    Bytes,
    /// Pixels of the image blob it names.
    Pixels,
    /// Elements of a matrix: written out, or named by dimensions as in `random(200,200,1)`.
    Elements,
    /// Bytes of all files in the folder granted to the call.
    Folder,
}

impl Default for SizeRule {
    /// All arguments together, small up to a thousand characters and medium up to a hundred thousand.
    fn default() -> Self {
        Self { argument: String::new(), measure: Measure::Chars, small: 1000, medium: 100_000 }
    }
}

impl SizeRule {
    /// The class of an input of this measure.
    #[must_use]
    pub const fn class(&self, measured: u64) -> SizeClass {
        if measured <= self.small {
            SizeClass::Small
        } else if measured <= self.medium {
            SizeClass::Medium
        } else {
            SizeClass::Large
        }
    }
}

/// What a tool may reach. The default denies everything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permissions {
    /// Wall and monotonic clocks (denied: they stand still at the epoch).
    #[serde(default)]
    pub clock: bool,
    /// Real randomness (denied: a fixed seed).
    #[serde(default)]
    pub random: bool,
    /// The session's folder at `/workspace`.
    #[serde(default)]
    pub files: FileAccess,
    /// Environment variables of the host that the tool sees, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environment: Vec<String>,
    /// Keeping values from one call to the next of the same session (`wasi:keyvalue`).
    #[serde(default, skip_serializing_if = "is_false")]
    pub keyvalue: bool,
    /// Where it may send HTTP requests (`wasi:http`), as `host:port`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub network: Vec<Destination>,
    /// Models of the host that the tool may compute with through `wasi:nn`, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// Access to the session's folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileAccess {
    /// No folder is visible.
    #[default]
    None,
    /// The folder can be read.
    Read,
    /// Files in it can also be made, changed and removed, where the session grants that.
    ReadWrite,
}

/// One input of known size class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// The class that the input falls in; checked against the size rule.
    pub size: SizeClass,
    /// Arguments, as the planner would write them.
    pub arguments: Value,
    /// Attachments by name.
    #[serde(default)]
    pub blobs: BTreeMap<String, SampleBlob>,
    /// A folder beside the manifest to grant at `/workspace`.
    #[serde(default)]
    pub files: Option<String>,
    /// How often the folder's files are repeated under numbered names.
    #[serde(default = "one")]
    pub repeat: u32,
}

/// An attachment of a sample: a file beside the manifest, possibly repeated to make it long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampleBlob {
    /// Path relative to the manifest.
    pub path: String,
    /// How many copies are joined.
    #[serde(default = "one")]
    pub repeat: u32,
}

/// The most copies of a sample's file or folder.
const MOST_REPEATS: u32 = 10_000;

const fn one() -> u32 {
    1
}

/// Why a manifest is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// A bound that no input can meet.
    #[error(
        "size bounds of `{0}` are small {1} and medium {2}; medium must be above small\nhint: correct [size] in tool.toml"
    )]
    Bounds(ToolName, u64, u64),
    /// A ceiling below what can be enforced.
    #[error("quota ceiling of `{0}` has {1} at zero or below the enforceable minimum\nhint: give [quota.ceiling] at least cpu = \"{min}\", memory = \"1MiB\" and a deadline above zero", min = Quota::MIN_CPU)]
    Ceiling(ToolName, &'static str),
    /// A sample that would be repeated without bound.
    #[error(
        "a sample of `{0}` has repeat = {1}; allowed is 1 to {MOST_REPEATS}\nhint: correct [[samples]] in tool.toml"
    )]
    Repeat(ToolName, u32),
}

impl Manifest {
    /// What is assumed of an export that nobody wrote a manifest for.
    #[must_use]
    pub fn of_export(name: ToolName, export: ToolName) -> Self {
        Self {
            export: (export != name).then_some(export),
            name,
            component: None,
            description: String::new(),
            size: SizeRule::default(),
            quota: QuotaSection::default(),
            permissions: Permissions::default(),
            config: BTreeMap::new(),
            samples: Vec::new(),
        }
    }

    /// What the component calls the tool.
    #[must_use]
    pub fn entry(&self) -> &ToolName {
        self.export.as_ref().unwrap_or(&self.name)
    }

    /// Checks what types alone do not.
    ///
    /// # Errors
    /// Names the first impossible value.
    pub fn validate(&self) -> Result<(), ManifestError> {
        let name = || self.name.clone();
        let SizeRule { small, medium, .. } = self.size;
        let Ceiling { cpu, memory, deadline, output } = self.quota.ceiling;
        if small >= medium {
            return Err(ManifestError::Bounds(name(), small, medium));
        }
        let low = [
            ("cpu", cpu < Quota::MIN_CPU),
            ("memory", memory < Bytes::mib(1)),
            ("deadline", deadline.0.is_zero()),
            ("output", output.0 == 0),
        ];
        let repeats = self.samples.iter().flat_map(|s| s.blobs.values().map(|b| b.repeat).chain([s.repeat]));
        if let Some(repeat) = repeats.into_iter().find(|r| !(1..=MOST_REPEATS).contains(r)) {
            return Err(ManifestError::Repeat(name(), repeat));
        }
        match low.into_iter().find(|(_, too_low)| *too_low) {
            Some((what, _)) => Err(ManifestError::Ceiling(name(), what)),
            None => Ok(()),
        }
    }
}
