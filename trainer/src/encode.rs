//! Encoding: a sample becomes what the network reads and what it should choose.
//!
//! Strings of the arguments are written as copies of the request wherever the request holds them, and as bytes
//! elsewhere. Copying is what lets a small network quote a passage or a number it has never seen.

use crate::data::sample::{Sample, Target};
use serde_json::Value;
use tomas_core::{level::LevelTable, plan::Step, resource::Resource, token::TokenTable};
use tomas_nn::{
    piece::{PieceEncoder, Pieces},
    script::{Action, Levels, Route, Script},
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
}

impl SampleEncoder<'_> {
    /// Encodes one sample.
    ///
    /// # Errors
    /// When the sample belongs to another registry.
    pub fn encode(&self, sample: &Sample) -> Result<Encoded, EncodeError> {
        let prompt = sample.query.prompt();
        let pieces = self.pieces.encode(&prompt)?;
        let levels = budget_levels(self.levels, sample);
        let script = match &sample.target {
            Target::Tool(tool) => Script::selection(self.route(tool.as_deref())?, levels)?,
            Target::Reply(text) => {
                let mut actions = vec![Action::Route(Route::NoTool)];
                actions.extend(text.bytes().map(Action::Byte));
                actions.push(Action::Stop);
                Script::layout(&actions, levels)?
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
        let mut writer = Writer { prompt, pieces, actions: Vec::new(), last: 0 };
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

/// The budget as the network is told of it: the highest level of each resource that fits.
#[must_use]
pub fn budget_levels(table: &LevelTable, sample: &Sample) -> Levels {
    let floor = table.floor(&sample.query.budget);
    Resource::ALL.map(|r| u8::try_from(floor.get(r).index()).unwrap_or(0))
}

/// Writes JSON as actions.
struct Writer<'a> {
    prompt: &'a str,
    pieces: &'a Pieces,
    actions: Vec<Action>,
    /// Where the last copy ended in the prompt: of several places the next one is preferred.
    last: usize,
}

/// The shortest stretch worth copying, in characters, unless it is a number.
const SHORTEST: usize = 2;

impl Writer<'_> {
    fn bytes(&mut self, text: &str) {
        self.actions.extend(text.bytes().map(Action::Byte));
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::String(text) => {
                self.bytes("\"");
                self.string(text);
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
            Value::Number(number) => self.number(&number.to_string()),
            other => self.bytes(&other.to_string()),
        }
    }

    /// A number is copied where the request writes it the same way.
    fn number(&mut self, text: &str) {
        match self.longest(text) {
            Some((len, start, end)) if len == text.len() && text.len() > 1 => self.copy(start, end),
            _ => self.bytes(text),
        }
    }

    fn string(&mut self, text: &str) {
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|r| !r.is_empty()) {
            let boundary = text.get(..at).and_then(|t| t.chars().next_back()).is_none_or(|before| {
                let next = rest.chars().next().unwrap_or(' ');
                !(before.is_alphanumeric() && next.is_alphanumeric())
            });
            if boundary && let Some((len, start, end)) = self.longest(rest) {
                self.copy(start, end);
                at += len;
                continue;
            }
            let len = rest.chars().next().map_or(1, char::len_utf8);
            let piece = rest.get(..len).unwrap_or_default();
            let escaped = Value::String(piece.to_owned()).to_string();
            let inner = escaped.get(1..escaped.len() - 1).unwrap_or_default().to_owned();
            self.bytes(&inner);
            at += len;
        }
    }

    fn copy(&mut self, start: usize, end: usize) {
        let (Ok(s), Ok(e)) = (u32::try_from(start), u32::try_from(end)) else { return };
        self.actions.push(Action::Copy { start: s, end: e });
        self.last = self.pieces.offsets.get(end).map_or(self.last, |o| o.1);
    }

    /// The longest prefix of `text` that stands in the prompt on piece boundaries: its length in bytes and its pieces.
    fn longest(&self, text: &str) -> Option<(usize, usize, usize)> {
        let mut best: Option<(usize, bool, usize, usize)> = None;
        for &(from, to) in &self.pieces.offsets {
            let Some(here) = self.prompt.get(from..).filter(|_| to > from) else { continue };
            let common = here.bytes().zip(text.bytes()).take_while(|(a, b)| a == b).count();
            if best.is_some_and(|(len, ..)| common < len) || common == 0 {
                continue;
            }
            let after = from >= self.last;
            for len in (1..=common).rev() {
                if best.is_some_and(|(l, was_after, ..)| len < l || (len == l && (was_after || !after))) {
                    break;
                }
                if !ends_word(text, len) {
                    continue;
                }
                if let Some((start, end)) = self.pieces.span(from, from + len) {
                    best = Some((len, after, start, end));
                    break;
                }
            }
        }
        let (len, _, start, end) = best?;
        let piece = text.get(..len)?;
        let number = piece.chars().all(|c| c.is_ascii_digit());
        (start > 0 && (number || piece.chars().count() >= SHORTEST)).then_some((len, start, end))
    }
}

/// Whether cutting after `len` bytes does not cut a word or number in two.
fn ends_word(text: &str, len: usize) -> bool {
    let (Some(head), Some(tail)) = (text.get(..len), text.get(len..)) else { return false };
    let (Some(before), Some(after)) = (head.chars().next_back(), tail.chars().next()) else { return true };
    !(before.is_alphanumeric() && after.is_alphanumeric())
}
