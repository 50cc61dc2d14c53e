//! What to measure: every configuration of every tool, on every input of its size class, several times.

use crate::{inputs::Inputs, tools::Found};
use anyhow::{Context as _, bail};
use serde_json::Value;
use std::{path::Path, sync::Arc};
use tomas_core::{configuration::Configuration, level::LevelTable, registry::configurations, tool::Tool};
use tomas_sandbox::{LoadedComponent, Sandbox};

/// A tool ready to be measured.
pub struct Subject {
    /// What is measured.
    pub tool: Tool,
    /// Its component.
    pub component: Arc<LoadedComponent>,
    /// The inputs, by name.
    pub cases: Vec<Case>,
}

/// One input.
pub struct Case {
    /// What measurements call it: `sample-3-` and a fingerprint of the input, or a session's id and step.
    pub name: String,
    /// The arguments.
    pub arguments: Value,
    /// Bytes and folder.
    pub inputs: Inputs,
}

/// One measurement to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Index of the subject.
    pub subject: usize,
    /// Index of the subject's case.
    pub case: usize,
    /// Under which configuration.
    pub configuration: Configuration,
    /// Which repetition, from 0.
    pub repeat: u32,
}

impl Subject {
    /// Loads a tool and makes its samples' inputs below `scratch`.
    ///
    /// # Errors
    /// When the tool does not load, or a sample is not of the class that it claims.
    pub fn load(found: &Found, sandbox: &Sandbox, scratch: &Path) -> anyhow::Result<Self> {
        let (component, tool) = found.load(sandbox)?;
        let scratch = scratch.join(tool.name().as_str());
        let mut cases = Vec::new();
        for (n, sample) in found.manifest.samples.iter().enumerate() {
            let inputs = Inputs::of_sample(sample, &found.folder, &scratch)
                .with_context(|| format!("sample {} of `{}` is refused", n + 1, tool.name()))?;
            let class = tool.class(&sample.arguments, &inputs.attachments, inputs.folder_bytes);
            if class != sample.size {
                bail!(
                    "sample {} of `{}` says `{}`, its input is `{}` by the size rule\n\
                     hint: correct `size` of the sample, or the bounds in [size]",
                    n + 1,
                    tool.name(),
                    sample.size.name(),
                    class.name()
                );
            }
            let name = format!("sample-{}-{}", n + 1, fingerprint(&sample.arguments, &inputs));
            cases.push(Case { name, arguments: sample.arguments.clone(), inputs });
        }
        Ok(Self { tool, component, cases })
    }
}

/// Tells inputs apart: a sample that was changed is measured anew.
fn fingerprint(arguments: &Value, inputs: &Inputs) -> String {
    let mut hash = blake3::Hasher::new();
    hash.update(arguments.to_string().as_bytes());
    for blob in &inputs.attachments {
        hash.update(blob.name.as_bytes()).update(blob.digest.as_bytes());
    }
    hash.update(&inputs.folder_bytes.to_le_bytes());
    hash.finalize().to_hex().chars().take(8).collect()
}

/// All measurements, in an order that spreads each configuration over the whole run: repetition by repetition, each in
/// a drawn order of its own. The same subjects give the same order.
#[must_use]
pub fn cells(subjects: &[Subject], levels: &LevelTable, repeats: u32) -> Vec<Cell> {
    let mut rng = fastrand::Rng::with_seed(0x70_6d61);
    let mut all = Vec::new();
    for repeat in 0..repeats {
        let mut round = Vec::new();
        for (subject, s) in subjects.iter().enumerate() {
            for configuration in configurations(&s.tool, levels) {
                let matching = |(_, c): &(usize, &Case)| {
                    s.tool.class(&c.arguments, &c.inputs.attachments, c.inputs.folder_bytes) == configuration.size
                };
                round.extend(s.cases.iter().enumerate().filter(matching).map(|(case, _)| Cell {
                    subject,
                    case,
                    configuration: configuration.clone(),
                    repeat,
                }));
            }
        }
        rng.shuffle(&mut round);
        all.extend(round);
    }
    all
}
