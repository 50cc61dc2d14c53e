//! What the decoder reads and what it should say, position by position.
//!
//! A plan is a sequence of [`Action`]s. Laid out for the decoder it becomes
//!
//! ```text
//! input   BOS  budget×4          configuration  {  "  COPY+piece 3  STEP+piece 5  "  }
//! kind    -    -  -  -  route    symbol      …  symbol  pointer     symbol        …  route
//! chosen               configuration   {     …  COPY+piece 3  piece 5      "      …  end of plan
//! ```
//!
//! so a verbatim span of the request costs two positions however long it is. A route to no tool is
//! followed by the number of a reply, which stands where a byte would: replies are a closed list, so
//! one choice among them learns what spelling them out learns, at an eightieth of the positions.
//!
//! The [`Cursor`] walks over this, one choice at a time; a planner steps it while decoding, and
//! [`Script::layout`] steps it over known actions, so the two cannot disagree.

use crate::error::{Error, Result};
use crate::symbol;

/// Where a route position leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    /// A step of the plan: this configuration (an index), then its arguments.
    Configuration(u32),
    /// No tool at all; a reply follows. Only as the first route.
    NoTool,
    /// The plan is complete. Never as the first route.
    EndPlan,
    /// Some configuration of this tool (an index): in a [`Script::selection`] only.
    Tool(u32),
}

/// One part of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// A step begins, or the plan ends.
    Route(Route),
    /// A byte of the arguments' JSON object.
    Byte(u8),
    /// The request's text from the start of one piece to the end of another (`end >= start >= 1`).
    Copy {
        /// First piece.
        start: u32,
        /// Last piece, included.
        end: u32,
    },
    /// This reply, by its number in the checkpoint's list; the plan ends with it.
    Reply(u8),
}

/// What is chosen at one position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Choice {
    /// At a route position.
    Route(Route),
    /// At a symbol position: one byte.
    Byte(u8),
    /// At a symbol position: copy a span that begins with this piece.
    CopyFrom(u32),
    /// At a pointer position: the span ends with this piece.
    CopyTo(u32),
    /// At a reply position: its number.
    Reply(u8),
}

/// What kind of choice comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// A configuration or the end of the plan; no tool if it is the first.
    Route {
        /// Whether no step was chosen yet.
        first: bool,
    },
    /// A byte or a copy.
    Symbol,
    /// The number of a reply, among the bytes.
    Reply,
    /// The last piece of the span that begins with piece `start`.
    Pointer {
        /// First piece of the span.
        start: u32,
    },
    /// Nothing: the sequence is complete.
    End,
}

/// What the decoder reads at one position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Input {
    /// A symbol, or `symbol::CONFIGURATION + i`.
    pub symbol: u32,
    /// A piece of the request whose state is added.
    pub pointer: Option<u32>,
}

/// What the decoder should choose after reading one position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Nothing is chosen here.
    None,
    /// At a route position.
    Route(Route),
    /// At a symbol or reply position; with [`symbol::COPY`] the first piece is chosen too.
    Symbol {
        /// A byte, COPY, or the number of a reply.
        id: u32,
        /// First piece of the span.
        start: Option<u32>,
    },
    /// At a pointer position, the last piece, which is not before `start`.
    Pointer {
        /// First piece of the span.
        start: u32,
        /// Last piece of the span.
        end: u32,
    },
}

/// Levels of the budget, one a resource: 0 none, 1 low, 2 med, 3 high.
pub type Levels = [u8; symbol::RESOURCES];

/// A sequence laid out for the decoder: as many inputs as targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// What is read.
    pub inputs: Vec<Input>,
    /// What should be chosen after each input.
    pub targets: Vec<Target>,
}

impl Script {
    /// Lays out a complete plan.
    ///
    /// # Errors
    /// [`Error::Script`] with the index of the first action that is not allowed where it stands, or
    /// of the end if the plan is not complete; [`Error::Input`] for an unknown level.
    pub fn layout(actions: &[Action], levels: Levels) -> Result<Self> {
        let (mut cursor, mut inputs) = Cursor::begin(levels)?;
        let mut targets = vec![Target::None; inputs.len() - 1];
        for (index, action) in actions.iter().enumerate() {
            let choices = match *action {
                Action::Route(route) => [Some(Choice::Route(route)), None],
                Action::Byte(byte) => [Some(Choice::Byte(byte)), None],
                Action::Copy { start, end } => [Some(Choice::CopyFrom(start)), Some(Choice::CopyTo(end))],
                Action::Reply(number) => [Some(Choice::Reply(number)), None],
            };
            for choice in choices.into_iter().flatten() {
                targets.push(cursor.target(choice));
                inputs.extend(cursor.choose(choice).map_err(|reason| Error::Script { index, reason })?);
            }
        }
        if cursor.position() != Position::End {
            let reason = format!("the plan ends where a `{:?}` is expected", cursor.position());
            return Err(Error::Script { index: actions.len(), reason });
        }
        Ok(Self { inputs, targets })
    }

    /// A sequence that teaches the first route only, and of it only the tool: for examples that
    /// name a tool without arguments. `route` is [`Route::Tool`] or [`Route::NoTool`].
    ///
    /// # Errors
    /// [`Error::Script`] for another route, [`Error::Input`] for an unknown level.
    pub fn selection(route: Route, levels: Levels) -> Result<Self> {
        if !matches!(route, Route::Tool(_) | Route::NoTool) {
            let reason = format!("`{route:?}` is no selection; allowed are a tool and no tool");
            return Err(Error::Script { index: 0, reason });
        }
        let (_, inputs) = Cursor::begin(levels)?;
        let mut targets = vec![Target::None; inputs.len()];
        if let Some(last) = targets.last_mut() {
            *last = Target::Route(route);
        }
        Ok(Self { inputs, targets })
    }

    /// How many positions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inputs.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }
}

/// A place in a sequence that is being chosen.
#[derive(Clone, Debug)]
pub struct Cursor {
    position: Position,
    object: Object,
}

impl Cursor {
    /// The place after the budget, and the inputs up to it.
    ///
    /// # Errors
    /// [`Error::Input`] for a level above 3.
    pub fn begin(levels: Levels) -> Result<(Self, Vec<Input>)> {
        let mut inputs = vec![Input { symbol: symbol::BOS, pointer: None }];
        for (resource, level) in levels.into_iter().enumerate() {
            let symbol = symbol::budget(resource, level);
            let symbol = symbol.ok_or_else(|| {
                Error::Input(format!("level `{level}` of a budget; allowed are 0 (none) to 3 (high)"))
            })?;
            inputs.push(Input { symbol, pointer: None });
        }
        Ok((Self { position: Position::Route { first: true }, object: Object::default() }, inputs))
    }

    /// What is to be chosen next.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// Makes a choice; returns the decoder's next input, or `None` if the sequence is complete.
    ///
    /// # Errors
    /// Says what was chosen and what was allowed; the cursor then stays where it was.
    pub fn choose(&mut self, choice: Choice) -> Result<Option<Input>, String> {
        let plain = |symbol: u32| Some(Input { symbol, pointer: None });
        let pointed = |symbol: u32, piece: u32| Some(Input { symbol, pointer: Some(piece) });
        let (next, input) = match (self.position, choice) {
            (Position::Route { .. }, Choice::Route(Route::Configuration(index))) => {
                self.object = Object::default();
                let symbol = symbol::CONFIGURATION
                    .checked_add(index)
                    .ok_or_else(|| format!("configuration `{index}` is out of range"))?;
                (Position::Symbol, plain(symbol))
            }
            (Position::Route { first: true }, Choice::Route(Route::NoTool)) => {
                (Position::Reply, plain(symbol::NO_TOOL))
            }
            (Position::Route { first: false }, Choice::Route(Route::EndPlan)) => (Position::End, None),
            (Position::Reply, Choice::Reply(_)) => (Position::End, None),
            (Position::Symbol, Choice::Byte(byte)) => {
                let closed = self.object.read(byte)?;
                let next = if closed { Position::Route { first: false } } else { self.position };
                (next, plain(u32::from(byte)))
            }
            (Position::Symbol, Choice::CopyFrom(start)) if start > 0 && self.object.depth > 0 => {
                (Position::Pointer { start }, pointed(symbol::COPY, start))
            }
            (Position::Pointer { start }, Choice::CopyTo(end)) if end >= start => {
                self.object.escaped = false;
                (Position::Symbol, pointed(symbol::STEP, end))
            }
            (position, choice) => return Err(format!("`{choice:?}` is not allowed at `{position:?}`")),
        };
        self.position = next;
        Ok(input)
    }

    /// What a decoder should say here in order to make this choice.
    fn target(&self, choice: Choice) -> Target {
        match choice {
            Choice::Route(route) => Target::Route(route),
            Choice::Byte(byte) => Target::Symbol { id: u32::from(byte), start: None },
            Choice::CopyFrom(piece) => Target::Symbol { id: symbol::COPY, start: Some(piece) },
            Choice::CopyTo(end) => match self.position {
                Position::Pointer { start } => Target::Pointer { start, end },
                _ => Target::None,
            },
            Choice::Reply(number) => Target::Symbol { id: u32::from(number), start: None },
        }
    }
}

/// Just enough of JSON to see where an object closes.
#[derive(Clone, Debug, Default)]
struct Object {
    depth: u32,
    quoted: bool,
    escaped: bool,
}

impl Object {
    /// Reads one byte; true if it closed the object.
    fn read(&mut self, byte: u8) -> Result<bool, String> {
        if self.depth == 0 && byte != b'{' {
            return Err(format!("byte `{}` before the arguments' `{{`", byte.escape_ascii()));
        }
        if self.escaped {
            self.escaped = false;
        } else if self.quoted {
            self.escaped = byte == b'\\';
            self.quoted = byte != b'"';
        } else {
            match byte {
                b'"' => self.quoted = true,
                b'{' => self.depth = self.depth.saturating_add(1),
                b'}' => self.depth -= 1,
                _ => {}
            }
        }
        Ok(self.depth == 0)
    }
}

#[cfg(test)]
#[path = "script_tests.rs"]
mod tests;
