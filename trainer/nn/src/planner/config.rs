//! What a planner's network is made of.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::config::{DecoderConfig, EncoderConfig, in_range};
use crate::error::{Error, Result};
use crate::symbol;

/// Everything needed to build the network, and the names its rows stand for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannerConfig {
    /// Digest of the registry that the names come from; compared by whoever loads a checkpoint.
    pub registry: String,
    /// Names of the tools, in the order of their rows.
    pub tools: Vec<String>,
    /// The configurations, in the order of their rows.
    pub configurations: Vec<ConfigurationRow>,
    /// The most pieces of a request that are read, `[CLS]` and `[SEP]` included.
    pub piece_limit: usize,
    /// Width in which pieces are pointed at.
    pub pointer: usize,
    /// Sizes of the encoder.
    pub encoder: EncoderConfig,
    /// Sizes of the decoder; its vocabulary is [`symbol::COUNT`], tied.
    pub decoder: DecoderConfig,
}

/// One configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigurationRow {
    /// Its name, such as `TXT_SUM_SMALL_LOW_MED_NONE_NONE`.
    pub name: String,
    /// Index of its tool.
    pub tool: u32,
}

impl PlannerConfig {
    /// The class of the route to no tool; classes below are tools.
    #[must_use]
    pub fn no_tool(&self) -> usize {
        self.tools.len()
    }

    /// The class of the route that ends a plan.
    #[must_use]
    pub fn end_plan(&self) -> usize {
        self.tools.len() + 1
    }

    /// How many classes a route position chooses from.
    #[must_use]
    pub fn routes(&self) -> usize {
        self.tools.len() + 2
    }

    /// The tool of a configuration.
    #[must_use]
    pub fn tool_of(&self, configuration: u32) -> Option<u32> {
        self.configurations.get(configuration as usize).map(|row| row.tool)
    }

    /// Whether such a network can exist.
    ///
    /// # Errors
    /// [`Error::Config`] names the key, what was found and what is allowed.
    pub fn check(&self) -> Result<()> {
        self.encoder.check()?;
        self.decoder.check()?;
        in_range("tools", self.tools.len())?;
        in_range("configurations", self.configurations.len())?;
        in_range("pointer", self.pointer)?;
        unique("tools", self.tools.iter())?;
        unique("configurations", self.configurations.iter().map(|row| &row.name))?;
        if let Some(row) = self.configurations.iter().find(|row| row.tool as usize >= self.tools.len()) {
            let (name, tool, tools) = (&row.name, row.tool, self.tools.len());
            return Err(Error::Config(format!(
                "configuration `{name}` is of tool `{tool}`, but there are `{tools}` tools"
            )));
        }
        if self.piece_limit < 4 || self.piece_limit > self.encoder.positions {
            let (limit, positions) = (self.piece_limit, self.encoder.positions);
            return Err(Error::Config(format!(
                "`piece_limit` is `{limit}`; allowed are 4 to `encoder.positions`, `{positions}`"
            )));
        }
        if self.decoder.vocabulary != symbol::COUNT || !self.decoder.tied {
            let (found, tied) = (self.decoder.vocabulary, self.decoder.tied);
            let allowed = symbol::COUNT;
            return Err(Error::Config(format!(
                "the decoder has `{found}` symbols, tied `{tied}`; a planner needs `{allowed}`, tied `true`"
            )));
        }
        match &self.decoder.cross {
            Some(cross) if cross.width != self.encoder.hidden => {
                let (found, allowed) = (cross.width, self.encoder.hidden);
                Err(Error::Config(format!("`decoder.cross.width` is `{found}`; the encoder's states have `{allowed}`")))
            }
            _ => Ok(()),
        }
    }
}

fn unique<'a>(key: &str, names: impl Iterator<Item = &'a String>) -> Result<()> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(Error::Config(format!("`{key}` names `{name}` twice")));
        }
    }
    Ok(())
}
