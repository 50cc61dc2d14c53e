//! Samples: instruction data as ShareGPT-like conversations, with what trainer and evaluation need beside them.

use super::split::Split;
use serde::{Deserialize, Serialize};
use tomas_core::{configuration::Configuration, plan::Step, query::Query, resource::Resources, token::TokenTable};

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// `system`, `user` or `assistant`.
    pub role: String,
    /// What is said.
    pub content: String,
    /// Whether the model is trained to say it.
    pub loss: bool,
}

/// What the planner ought to decide.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Run these steps.
    Steps(Vec<Step>),
    /// No tool; answer this.
    Reply(String),
    /// Only the first tool is known (`None`: no tool serves the request). From public sets, which label no arguments.
    Tool(Option<String>),
}

/// One example.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Which side of the split.
    pub split: Split,
    /// Where the wording comes from: `intent#text`, or the public set.
    pub source: String,
    /// The conversation that the target and query spell.
    pub conversations: Vec<Turn>,
    /// The request with its budget and attachments.
    pub query: Query,
    /// What the request itself allows, where it states a budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stated: Option<Resources>,
    /// What the planner ought to decide.
    pub target: Target,
    /// Values of open slots (those drawn from many), by which the split is checked.
    pub values: Vec<String>,
}

impl Sample {
    /// Builds a sample; the conversation is spelled from query and target.
    #[must_use]
    pub fn new(split: Split, source: String, query: Query, target: Target, values: Vec<String>) -> Self {
        let turn = |role: &str, content: String, loss| Turn { role: role.to_owned(), content, loss };
        let conversations = vec![
            turn("system", format!("budget: {}", query.budget), false),
            turn("user", query.prompt(), false),
            turn("assistant", spell(&target), true),
        ];
        Self { split, source, conversations, query, stated: None, target, values }
    }
}

/// The assistant's turn: tokens, each followed by its arguments.
fn spell(target: &Target) -> String {
    let step = |s: &Step| format!("{}{}", TokenTable::spelling(&s.configuration), s.arguments);
    match target {
        Target::Steps(steps) => steps.iter().map(step).collect(),
        Target::Reply(text) => format!("{}{text}", tomas_core::token::NO_TOOL),
        Target::Tool(Some(tool)) => format!("<{tool}>"),
        Target::Tool(None) => tomas_core::token::NO_TOOL.to_owned(),
    }
}

impl Target {
    /// The first tool's name, or `None` where no tool serves the request.
    #[must_use]
    pub fn tool(&self) -> Option<&str> {
        match self {
            Self::Steps(steps) => steps.first().map(|s| s.configuration.tool.as_str()),
            Self::Reply(_) => None,
            Self::Tool(tool) => tool.as_deref(),
        }
    }

    /// The configurations asked for, in order.
    #[must_use]
    pub fn configurations(&self) -> Vec<&Configuration> {
        match self {
            Self::Steps(steps) => steps.iter().map(|s| &s.configuration).collect(),
            _ => Vec::new(),
        }
    }
}
