//! Token tables: configuration → token sequence, bound to a registry's vocabulary.
//!
//! The table is *atomic*: one token a configuration, spelled `<CALCULATOR_SMALL_LOW_LOW_NONE_NONE>`. Angle brackets make
//! it prefix-free: no spelling is a prefix of another, because `>` ends each and occurs nowhere else.

use crate::{configuration::Configuration, registry::Registry};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The token that says that no tool serves the request.
pub const NO_TOOL: &str = "<NO_TOOL>";

/// Configurations by token index and back.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenTable {
    configurations: Vec<Configuration>,
    index: BTreeMap<Configuration, usize>,
    vocabulary: String,
}

/// What a checkpoint stores of its token table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    /// [`Registry::vocabulary`] at training time.
    pub vocabulary: String,
    /// [`Registry::digest`] at training time, to know which profiles were learnt.
    pub registry: String,
    /// Token spellings in index order.
    pub tokens: Vec<String>,
}

/// `manifest.json` of a checkpoint folder: what belongs to the weights beside their shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointManifest {
    /// BLAKE3 of the weights file, in hex: the checkpoint's name in logs and trajectories.
    pub weights: String,
    /// The token table it was trained for.
    pub binding: Binding,
    /// Added to the logit of [`NO_TOOL`] before the first choice; chosen on the development set.
    pub no_tool_bias: f32,
    /// Steps trained, and the seed.
    pub steps: u64,
    /// Seed of initialisation and order.
    pub seed: u64,
    /// Where the encoder's weights came from, and under which licence.
    pub encoder: String,
    /// What may be answered when no tool serves a request: whole sentences, so that nothing else can come out.
    #[serde(default)]
    pub replies: Vec<String>,
}

/// A checkpoint of another registry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the checkpoint was trained for vocabulary `{found}`, the registry has `{wanted}`\nhint: train for this registry, or use the registry the checkpoint came with"
)]
pub struct ForeignCheckpoint {
    found: String,
    wanted: String,
}

impl TokenTable {
    /// The atomic table of a registry.
    #[must_use]
    pub fn atomic(registry: &Registry) -> Self {
        let configurations = registry.configurations().to_vec();
        let index = configurations.iter().cloned().enumerate().map(|(i, c)| (c, i)).collect();
        Self { configurations, index, vocabulary: registry.vocabulary().to_owned() }
    }

    /// How many configurations there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.configurations.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.configurations.is_empty()
    }

    /// The configuration of a token index.
    #[must_use]
    pub fn configuration(&self, token: usize) -> Option<&Configuration> {
        self.configurations.get(token)
    }

    /// The token index of a configuration.
    #[must_use]
    pub fn token(&self, configuration: &Configuration) -> Option<usize> {
        self.index.get(configuration).copied()
    }

    /// How a configuration's token is spelled.
    #[must_use]
    pub fn spelling(configuration: &Configuration) -> String {
        format!("<{configuration}>")
    }

    /// What a checkpoint stores to recognise its registry.
    #[must_use]
    pub fn binding(&self, registry: &Registry) -> Binding {
        Binding {
            vocabulary: self.vocabulary.clone(),
            registry: registry.digest().to_owned(),
            tokens: self.configurations.iter().map(Self::spelling).collect(),
        }
    }

    /// Checks that a checkpoint's tokens mean what this table's mean.
    ///
    /// # Errors
    /// When the checkpoint was trained for another vocabulary.
    pub fn accept(&self, binding: &Binding) -> Result<(), ForeignCheckpoint> {
        if binding.vocabulary == self.vocabulary && binding.tokens.len() == self.len() {
            Ok(())
        } else {
            Err(ForeignCheckpoint { found: binding.vocabulary.clone(), wanted: self.vocabulary.clone() })
        }
    }
}
