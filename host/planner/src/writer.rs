//! A plan being written, choice by choice: tool, configuration, arguments, reply.

use crate::{
    PlanError, feasible,
    grammar::{Arguments, escaped},
    local::{LocalPlanner, model},
};
use tomas_core::{
    plan::{MAX_STEPS, Plan, Step},
    query::{self, Query},
    tool::Tool,
};
use tomas_nn::{
    piece::Pieces,
    planner::{Decoding, log_softmax},
    quote::Quoter,
    script::{Action, Choice, Cursor, Input, Route},
    symbol,
};

/// The most bytes of arguments: a request quoted whole, every byte of it escaped.
const MAX_BYTES: usize = 6 * query::MAX_REQUEST_BYTES;
/// The most bytes that are written one by one before the arguments are given up.
const MAX_POSITIONS: usize = 600;
/// How many starts of a copy are tried before copying is given up at a position.
const STARTS: usize = 12;
/// How probable a reply must be to be given; several mostly fit a request equally.
const SURE: f32 = 0.15;

/// What a plan goes on with.
enum Next {
    /// This tool, by index.
    Tool(usize),
    /// This tool would be wanted, but it needs an attachment and the request has none.
    Unattached(usize),
    /// No tool, or the end of the plan.
    Nothing,
}

/// One plan being written.
pub(crate) struct Writer<'a> {
    pub(crate) planner: &'a LocalPlanner,
    pub(crate) query: &'a Query,
    pub(crate) prompt: &'a str,
    pub(crate) pieces: &'a Pieces,
    pub(crate) quoter: Quoter<'a>,
    pub(crate) decoding: Decoding<'a>,
    pub(crate) cursor: Cursor,
    pub(crate) written: usize,
}

impl Writer<'_> {
    /// Writes it to its end.
    ///
    /// # Errors
    /// As [`crate::Planner::plan`].
    pub(crate) fn plan(mut self) -> Result<Plan, PlanError> {
        let mut steps = Vec::new();
        while steps.len() < MAX_STEPS {
            let step = match self.next(steps.is_empty())? {
                Next::Tool(tool) => self.step(tool),
                Next::Unattached(tool) if steps.is_empty() => return Ok(Plan::Reply(self.attach(tool))),
                Next::Nothing if steps.is_empty() => return Ok(Plan::Reply(self.reply()?)),
                Next::Unattached(_) | Next::Nothing => break,
            };
            match step {
                Ok(step) => steps.push(step),
                // What was planned so far stands; a further step that cannot fit is not worth losing it.
                Err(PlanError::NothingFits { .. }) if !steps.is_empty() => break,
                Err(error) => return Err(error),
            }
        }
        Ok(Plan::Steps(steps))
    }

    /// The next tool that can be called, or why there is none.
    fn next(&mut self, first: bool) -> Result<Next, PlanError> {
        let mut logits = self.decoding.routes(first).map_err(model)?;
        let registry = &self.planner.registry;
        let no_tool = self.planner.net.config().no_tool();
        if let Some(logit) = logits.get_mut(no_tool) {
            *logit += self.planner.no_tool_bias;
        }
        let wanted = argmax(&logits);
        for (logit, tool) in logits.iter_mut().zip(registry.tools()) {
            if !feasible::callable(tool, self.query) {
                *logit = f32::NEG_INFINITY;
            }
        }
        let tool = |index: Option<usize>| index.filter(|&i| i < no_tool);
        Ok(match (tool(argmax(&logits)), tool(wanted)) {
            (Some(callable), _) => Next::Tool(callable),
            (None, Some(unattached)) => Next::Unattached(unattached),
            (None, None) => Next::Nothing,
        })
    }

    /// What to say when the tool that the request wants has nothing to work on.
    fn attach(&self, tool: usize) -> String {
        let name = self.planner.registry.tools().get(tool).map_or("the tool", |t| t.name().as_str());
        format!("`{name}` works on a file, and none is attached. Attach one and ask again.")
    }

    fn step(&mut self, tool: usize) -> Result<Step, PlanError> {
        let registry = &self.planner.registry;
        let unknown = || PlanError::Model(format!("route {tool} names no tool"));
        let tool = registry.tools().get(tool).ok_or_else(unknown)?;
        let allowed = feasible::configurations(registry, tool, self.query);
        let logits = self.decoding.configurations().map_err(model)?;
        let score = |c: &tomas_core::configuration::Configuration| {
            let token = self.planner.tokens.token(c)?;
            Some((token, *logits.get(token)?))
        };
        let best = allowed.iter().filter_map(|c| score(c).map(|s| (c, s))).max_by(|a, b| a.1.1.total_cmp(&b.1.1));
        let Some((configuration, (token, _))) = best else {
            let size = self.query.sizes(tool).into_iter().min().unwrap_or(tomas_core::configuration::SizeClass::Small);
            return Err(feasible::nothing_fits(registry, tool, size, self.query));
        };
        let token = u32::try_from(token).map_err(model)?;
        self.choose(&[Choice::Route(Route::Configuration(token))])?;
        let arguments = self.arguments(tool)?;
        Ok(Step { configuration: (*configuration).clone(), arguments })
    }

    /// Pushes choices, reading them in one go.
    fn choose(&mut self, choices: &[Choice]) -> Result<(), PlanError> {
        let mut inputs: Vec<Input> = Vec::with_capacity(choices.len());
        for &choice in choices {
            inputs.extend(self.cursor.choose(choice).map_err(PlanError::Model)?);
        }
        self.written += inputs.len();
        if inputs.is_empty() { Ok(()) } else { self.decoding.push(&inputs).map_err(model) }
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), PlanError> {
        let choices: Vec<Choice> = bytes.iter().map(|&b| Choice::Byte(b)).collect();
        self.choose(&choices)
    }

    /// What the grammar leaves no choice about, as training would write it: whole strings quote the request.
    fn forced(&mut self, bytes: &[u8]) -> Result<(), PlanError> {
        // What is forced may end within a character.
        let Ok(mut rest) = std::str::from_utf8(bytes) else { return self.bytes(bytes) };
        while let Some((before, value, after)) = whole_string(rest) {
            self.bytes(before.as_bytes())?;
            for action in self.quoter.string(&value) {
                match action {
                    Action::Copy { start, end } => self.choose(&[Choice::CopyFrom(start), Choice::CopyTo(end)])?,
                    Action::Byte(byte) => self.bytes(&[byte])?,
                    Action::Route(_) | Action::Reply(_) => {}
                }
            }
            rest = after;
        }
        self.bytes(rest.as_bytes())
    }

    fn arguments(&mut self, tool: &Tool) -> Result<serde_json::Value, PlanError> {
        let mut grammar =
            self.planner.grammars.arguments(&tool.export.parameters, &self.query.attachments).map_err(model)?;
        let limit = self.written + MAX_POSITIONS;
        loop {
            let forced = grammar.forced().map_err(model)?;
            self.forced(&forced)?;
            if grammar.complete() {
                break;
            }
            if self.written > limit || grammar.bytes().len() > MAX_BYTES {
                return Err(PlanError::Unfinished { tool: tool.name().clone() });
            }
            let quoted = grammar.opening().is_some_and(|argument| self.planner.is_quoted(tool, argument));
            match if quoted { self.copy_start(&mut grammar)? } else { None } {
                Some(span) => {
                    self.copy(span, &mut grammar)?;
                    grammar.push(b"\"").map_err(model)?;
                    self.bytes(b"\"")?;
                }
                None => self.symbol(&mut grammar)?,
            }
            if grammar.complete() {
                break;
            }
        }
        serde_json::from_slice(grammar.bytes()).map_err(model)
    }

    /// One byte or one copy, whichever the network prefers among what the grammar allows.
    fn symbol(&mut self, grammar: &mut Arguments) -> Result<(), PlanError> {
        let allowed = grammar.allowed().map_err(model)?;
        let logits = self.decoding.symbols().map_err(model)?;
        let masked: Vec<f32> =
            allowed.iter().zip(&logits).map(|(&a, &l)| if a { l } else { f32::NEG_INFINITY }).collect();
        let byte = argmax(&masked);
        let best = byte.and_then(|b| masked.get(b)).copied().unwrap_or(f32::NEG_INFINITY);
        let copy = logits.get(symbol::COPY as usize).copied().unwrap_or(f32::NEG_INFINITY);
        if copy > best
            && let Some(span) = self.copy_start(grammar)?
        {
            return self.copy(span, grammar);
        }
        let byte = byte
            .and_then(|b| u8::try_from(b).ok())
            .ok_or_else(|| PlanError::Model("the grammar allows nothing".to_owned()))?;
        grammar.push(&[byte]).map_err(model)?;
        self.bytes(&[byte])
    }

    /// The most probable start from which at least one span is accepted, and the end of that span.
    fn copy_start(&self, grammar: &mut Arguments) -> Result<Option<(usize, usize)>, PlanError> {
        let logits = self.decoding.pieces(1).map_err(model)?;
        for start in ranked(&logits).into_iter().take(STARTS) {
            for end in start..self.pieces.len() {
                if self.accepted(start, end, grammar)? {
                    return Ok(Some((start, end)));
                }
            }
        }
        Ok(None)
    }

    fn accepted(&self, start: usize, end: usize, grammar: &mut Arguments) -> Result<bool, PlanError> {
        match self.pieces.slice(self.prompt, start, end) {
            Some(text) if !text.is_empty() && text.len() <= MAX_BYTES => {
                grammar.accepts(escaped(text).as_bytes()).map_err(model)
            }
            _ => Ok(false),
        }
    }

    /// Copies from `start`; the end is the most probable one that the grammar accepts, at worst the `known` one.
    fn copy(&mut self, (start, known): (usize, usize), grammar: &mut Arguments) -> Result<(), PlanError> {
        let from = u32::try_from(start).map_err(model)?;
        self.choose(&[Choice::CopyFrom(from)])?;
        let logits = self.decoding.pieces(start).map_err(model)?;
        let mut end = known;
        for likely in ranked(&logits) {
            if self.accepted(start, likely, grammar)? {
                end = likely;
                break;
            }
        }
        let text = self.pieces.slice(self.prompt, start, end).unwrap_or_default();
        grammar.push(escaped(text).as_bytes()).map_err(model)?;
        self.quoter.copied(end);
        self.choose(&[Choice::CopyTo(u32::try_from(end).map_err(model)?)])
    }

    /// The reply that follows the route to no tool, of those that the checkpoint knows.
    fn reply(&mut self) -> Result<String, PlanError> {
        self.choose(&[Choice::Route(Route::NoTool)])?;
        let mut logits = self.decoding.symbols().map_err(model)?;
        logits.truncate(self.planner.replies.len());
        let shares = log_softmax(&logits);
        // A reply that only might fit is worse than a plain one.
        let sure = argmax(&shares).filter(|&best| shares.get(best).is_some_and(|share| share.exp() >= SURE));
        let plain = "None of my tools serves this. I calculate, convert units, know dates and climate normals, search files, \
                     summarise text, edit pictures and work with matrices.";
        Ok(sure.and_then(|best| self.planner.replies.get(best)).map_or_else(|| plain.to_owned(), Clone::clone))
    }
}

/// The first string value in a stretch of JSON that begins and ends in it: what is before its content, the content, and
/// what comes from its closing quote on.
fn whole_string(text: &str) -> Option<(&str, String, &str)> {
    let begin = text.find("\":\"")? + 3;
    let (before, from) = text.split_at(begin);
    let mut escaped = false;
    let end = from.char_indices().find_map(|(at, c)| {
        let closes = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        closes.then_some(at)
    })?;
    let (inner, after) = from.split_at(end);
    Some((before, serde_json::from_str(&format!("\"{inner}\"")).ok()?, after))
}

/// The index of the largest finite value.
fn argmax(values: &[f32]) -> Option<usize> {
    let finite = values.iter().enumerate().filter(|(_, v)| v.is_finite());
    finite.max_by(|a, b| a.1.total_cmp(b.1)).map(|(i, _)| i)
}

/// Indices of the finite values, descending.
fn ranked(values: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).filter(|&i| values.get(i).is_some_and(|v| v.is_finite())).collect();
    order.sort_by(|&a, &b| values.get(b).unwrap_or(&0.0).total_cmp(values.get(a).unwrap_or(&0.0)));
    order
}
