//! Encoding: a sample becomes what the network reads and what it should choose.
//!
//! Strings of the arguments are written as copies of the request wherever the request holds them, and as bytes
//! elsewhere. Copying is what lets a small network quote a passage or a number it has never seen.

use crate::data::sample::{Sample, Target};
use serde_json::Value;
use tomas_core::{level::LevelTable, plan::Step, token::TokenTable};
use tomas_nn::{
    piece::{PieceEncoder, Pieces},
    quote::Quoter,
    script::{Action, Route, Script},
};

/// A sample ready for the network.
#[derive(Debug, Clone)]
pub struct Encoded {
    /// Pieces of the prompt.
    pub pieces: Pieces,
    /// Decoder inputs and targets.
    pub script: Script,
}

/// Why a sample cannot be encoded.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The network's own conventions refuse it.
    #[error(transparent)]
    Network(#[from] tomas_nn::error::Error),
    /// A configuration or tool that the token table does not have.
    #[error("`{0}` has no token\nhint: build the data with the registry you train for")]
    Token(String),
}

/// Everything that encoding needs.
pub struct SampleEncoder<'a> {
    /// Cuts prompts into pieces.
    pub pieces: &'a PieceEncoder,
    /// Numbers configurations.
    pub tokens: &'a TokenTable,
    /// Tool names in index order.
    pub tools: &'a [String],
    /// What levels amount to.
    pub levels: &'a LevelTable,
    /// The replies that a checkpoint can give, at most 256.
    pub replies: &'a [String],
}

impl SampleEncoder<'_> {
    /// Encodes one sample.
    ///
    /// # Errors
    /// When the sample belongs to another registry.
    pub fn encode(&self, sample: &Sample) -> Result<Encoded, EncodeError> {
        let prompt = sample.query.prompt();
        let pieces = self.pieces.encode(&prompt)?;
        let levels = self.levels.indices(&sample.query.budget);
        let script = match &sample.target {
            Target::Tool(tool) => Script::selection(self.route(tool.as_deref())?, levels)?,
            Target::Reply(text) => {
                let number = self.replies.iter().position(|r| r == text).and_then(|n| u8::try_from(n).ok());
                match number {
                    Some(n) => Script::layout(&[Action::Route(Route::NoTool), Action::Reply(n)], levels)?,
                    // A reply that training never saw can only say that no tool serves this.
                    None => Script::selection(Route::NoTool, levels)?,
                }
            }
            Target::Steps(steps) => Script::layout(&self.actions(steps, &prompt, &pieces)?, levels)?,
        };
        Ok(Encoded { pieces, script })
    }

    fn route(&self, tool: Option<&str>) -> Result<Route, EncodeError> {
        let Some(tool) = tool else { return Ok(Route::NoTool) };
        let index = self.tools.iter().position(|t| t == tool).and_then(|i| u32::try_from(i).ok());
        index.map(Route::Tool).ok_or_else(|| EncodeError::Token(tool.to_owned()))
    }

    fn actions(&self, steps: &[Step], prompt: &str, pieces: &Pieces) -> Result<Vec<Action>, EncodeError> {
        let mut writer = Writer { quoter: Quoter::new(prompt, pieces), actions: Vec::new() };
        for step in steps {
            let token = self.tokens.token(&step.configuration).and_then(|t| u32::try_from(t).ok());
            let token = token.ok_or_else(|| EncodeError::Token(step.configuration.to_string()))?;
            writer.actions.push(Action::Route(Route::Configuration(token)));
            writer.value(&step.arguments);
        }
        writer.actions.push(Action::Route(Route::EndPlan));
        Ok(writer.actions)
    }
}

/// Writes JSON as actions.
struct Writer<'a> {
    quoter: Quoter<'a>,
    actions: Vec<Action>,
}

impl Writer<'_> {
    fn bytes(&mut self, text: &str) {
        self.actions.extend(text.bytes().map(Action::Byte));
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::String(text) => {
                self.bytes("\"");
                self.actions.extend(self.quoter.string(text));
                self.bytes("\"");
            }
            Value::Object(fields) => {
                for (n, (key, field)) in fields.iter().enumerate() {
                    self.bytes(if n == 0 { "{" } else { "," });
                    self.bytes(&Value::String(key.clone()).to_string());
                    self.bytes(":");
                    self.value(field);
                }
                self.bytes(if fields.is_empty() { "{}" } else { "}" });
            }
            Value::Array(items) => {
                self.bytes("[");
                for (n, item) in items.iter().enumerate() {
                    if n > 0 {
                        self.bytes(",");
                    }
                    self.value(item);
                }
                self.bytes("]");
            }
            Value::Number(number) => self.actions.extend(self.quoter.number(&number.to_string())),
            other => self.bytes(&other.to_string()),
        }
    }
}
