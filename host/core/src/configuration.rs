//! Configurations: a tool, a size class and a level of each resource, and how a token spells them.

use crate::{
    level::{Level, Levels},
    name::ToolName,
    resource::Resource,
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// How large an input is, by the measure that the tool's manifest names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SizeClass {
    /// Up to the manifest's `small` bound.
    Small,
    /// Up to the manifest's `medium` bound.
    Medium,
    /// Anything above.
    Large,
}

impl SizeClass {
    /// All three, ascending.
    pub const ALL: [Self; 3] = [Self::Small, Self::Medium, Self::Large];

    /// The spelling inside a token.
    #[must_use]
    pub const fn spelling(self) -> &'static str {
        match self {
            Self::Small => "SMALL",
            Self::Medium => "MEDIUM",
            Self::Large => "LARGE",
        }
    }

    /// The name in TOML, JSON and CSV.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
        }
    }
}

impl FromStr for SizeClass {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|s| s.spelling() == text || s.name() == text).ok_or(())
    }
}

/// A tool together with what it is to be given. Spelled `TEXT_SUMMARY_SMALL_LOW_MED_NONE_NONE`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// Which tool.
    pub tool: ToolName,
    /// For inputs of this size class.
    pub size: SizeClass,
    /// With this much of each resource.
    pub levels: Levels,
}

/// Why a text is not a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` does not spell a configuration\nhint: write TOOL_SIZE_CPU_MEMORY_GPUSMS_GPUMEMORY, such as `CALCULATOR_SMALL_LOW_LOW_NONE_NONE`"
)]
pub struct SpellingError(String);

impl Configuration {
    /// Reads a spelling, resolving the tool among `tools` (the spelling is upper case, so it cannot name a tool alone).
    ///
    /// # Errors
    /// When the text has no valid size and levels, or names none of `tools`.
    pub fn parse<'a>(text: &str, mut tools: impl Iterator<Item = &'a ToolName>) -> Result<Self, SpellingError> {
        let fail = || SpellingError(text.chars().take(120).collect());
        let mut parts = text.rsplitn(6, '_');
        let mut level = || parts.next().and_then(|p| p.parse::<Level>().ok()).ok_or_else(fail);
        let (gpu_memory, gpu_sms, memory, cpu) = (level()?, level()?, level()?, level()?);
        let size = parts.next().and_then(|p| p.parse().ok()).ok_or_else(fail)?;
        let name = parts.next().ok_or_else(fail)?;
        let tool = tools.find(|t| t.spelling() == name).ok_or_else(fail)?.clone();
        Ok(Self { tool, size, levels: Levels { cpu, memory, gpu_sms, gpu_memory } })
    }
}

impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.tool.spelling(), self.size.spelling())?;
        Resource::ALL.iter().try_for_each(|&r| write!(f, "_{}", self.levels.get(r)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_and_back() {
        let tools: Vec<ToolName> = ["text_summary", "text", "a-b"].map(|t| t.parse().unwrap()).into();
        for spelling in
            ["TEXT_SUMMARY_SMALL_LOW_MED_NONE_NONE", "TEXT_LARGE_HIGH_HIGH_LOW_MED", "A_B_MEDIUM_NONE_LOW_NONE_NONE"]
        {
            assert_eq!(Configuration::parse(spelling, tools.iter()).unwrap().to_string(), spelling);
        }
    }

    #[test]
    fn bad_spellings_are_refused() {
        let tools: Vec<ToolName> = vec!["text".parse().unwrap()];
        for bad in [
            "",
            "TEXT",
            "TEXT_SMALL_LOW_LOW_NONE",
            "NOPE_SMALL_LOW_LOW_NONE_NONE",
            "TEXT_TINY_LOW_LOW_NONE_NONE",
            "TEXT_SMALL_LOW_LOW_NONE_MAX",
        ] {
            assert!(Configuration::parse(bad, tools.iter()).is_err(), "{bad}");
        }
    }
}
