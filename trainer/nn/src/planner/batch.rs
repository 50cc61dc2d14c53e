//! Examples of different lengths in one set of tensors, with the rows that each loss reads.

use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::PlannerConfig;
use crate::error::{Error, Result};
use crate::script::{Route, Script, Target};
use crate::symbol;

/// One example: a request and what should be said about it.
#[derive(Clone, Copy, Debug)]
pub struct Example<'a> {
    /// Piece ids, from `[CLS]` to `[SEP]`.
    pub pieces: &'a [u32],
    /// The plan, laid out.
    pub script: &'a Script,
    /// How much this example counts beside others in its batch (1 is usual).
    pub weight: f32,
}

/// Rows of the flattened `(batch * length)` decoder states that one loss reads, with what it wants.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    pub(super) rows: Vec<u32>,
    pub(super) targets: Vec<u32>,
    pub(super) weights: Vec<f32>,
}

impl Rows {
    fn push(&mut self, row: u32, target: u32, weight: f32) {
        self.rows.push(row);
        self.targets.push(target);
        self.weights.push(weight);
    }
}

/// A batch, checked against the config: no index in it is out of range.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Examples.
    pub(super) size: usize,
    /// Longest request.
    pub(super) pieces: usize,
    pub(super) ids: Tensor,
    pub(super) piece_lengths: Arc<[usize]>,
    /// Symbols `(size, length)`, configurations behind the symbols.
    pub(super) symbols: Tensor,
    /// Flattened `(size * pieces)` rows of the pieces that inputs point at.
    pub(super) pointed: Vec<u32>,
    /// For each input the place of its piece in `pointed` plus 1, or 0: `(size, length)`.
    pub(super) pointers: Tensor,
    pub(super) routes: Rows,
    /// For each route row its example, and whether it is the first route.
    pub(super) route_examples: Vec<u32>,
    pub(super) route_firsts: Vec<bool>,
    pub(super) configurations: Rows,
    /// One target and weight for every position.
    pub(super) symbol_targets: Vec<u32>,
    pub(super) symbol_weights: Vec<f32>,
    /// Pointer targets of each example: row, first piece allowed, piece.
    pub(super) spans: Vec<Vec<(u32, u32, u32)>>,
    pub(super) weights: Vec<f32>,
}

impl Batch {
    /// Pads and checks examples. Examples of about one length make the best use of time.
    ///
    /// # Errors
    /// [`Error::Input`] if there are none, or if one points outside its request or the config.
    pub fn new(config: &PlannerConfig, examples: &[Example<'_>], device: &Device) -> Result<Self> {
        let size = examples.len();
        let longest = |length: fn(&Example<'_>) -> usize| examples.iter().map(length).max().unwrap_or(0);
        let (length, pieces) = (longest(|e| e.script.len()), longest(|e| e.pieces.len()));
        let (mut ids, mut symbols, mut pointers) =
            (vec![0; size * pieces], vec![0; size * length], vec![0; size * length]);
        let mut batch = Builder::new(config, size * length, pieces);
        for (index, example) in examples.iter().enumerate() {
            check(config, example).map_err(|reason| Error::Input(format!("example `{index}` of a batch: {reason}")))?;
            fill(&mut ids, index * pieces, example.pieces.iter().copied());
            fill(&mut symbols, index * length, example.script.inputs.iter().map(|input| input.symbol));
            let pointed =
                example.script.inputs.iter().map(|input| batch.point(index, input.pointer)).collect::<Vec<_>>();
            fill(&mut pointers, index * length, pointed.into_iter());
            batch.targets(index, index * length, example);
        }
        if size == 0 {
            return Err(Error::Input("a batch of no examples".into()));
        }
        Ok(Self {
            size,
            pieces,
            ids: Tensor::from_vec(ids, (size, pieces), device)?,
            piece_lengths: examples.iter().map(|example| example.pieces.len()).collect(),
            symbols: Tensor::from_vec(symbols, (size, length), device)?,
            pointers: Tensor::from_vec(pointers, (size, length), device)?,
            weights: examples.iter().map(|example| example.weight).collect(),
            pointed: batch.pointed,
            routes: batch.routes,
            route_examples: batch.route_examples,
            route_firsts: batch.route_firsts,
            configurations: batch.configurations,
            symbol_targets: batch.symbol_targets,
            symbol_weights: batch.symbol_weights,
            spans: batch.spans,
        })
    }

    /// The weights of the choices of each kind, summed: route, configuration, symbol, pointer.
    pub(super) fn counts(&self) -> [f32; 4] {
        let sum = |weights: &[f32]| weights.iter().sum::<f32>();
        let pointers = self.spans.iter().zip(&self.weights).map(|(spans, weight)| spans.len() as f32 * weight).sum();
        [sum(&self.routes.weights), sum(&self.configurations.weights), sum(&self.symbol_weights), pointers]
    }
}

/// Collects what the examples want.
struct Builder<'a> {
    config: &'a PlannerConfig,
    pieces: usize,
    pointed: Vec<u32>,
    routes: Rows,
    route_examples: Vec<u32>,
    route_firsts: Vec<bool>,
    configurations: Rows,
    symbol_targets: Vec<u32>,
    symbol_weights: Vec<f32>,
    spans: Vec<Vec<(u32, u32, u32)>>,
}

impl<'a> Builder<'a> {
    fn new(config: &'a PlannerConfig, positions: usize, pieces: usize) -> Self {
        Self {
            config,
            pieces,
            pointed: Vec::new(),
            routes: Rows::default(),
            route_examples: Vec::new(),
            route_firsts: Vec::new(),
            configurations: Rows::default(),
            symbol_targets: vec![0; positions],
            symbol_weights: vec![0.0; positions],
            spans: Vec::new(),
        }
    }

    /// The number under which an input reads its piece; 0 if it has none.
    fn point(&mut self, example: usize, piece: Option<u32>) -> u32 {
        let Some(piece) = piece else { return 0 };
        self.pointed.push((example * self.pieces) as u32 + piece);
        self.pointed.len() as u32
    }

    /// Sorts the targets of an example whose first position is `base` by the loss they belong to.
    fn targets(&mut self, index: usize, base: usize, example: &Example<'_>) {
        let mut spans = Vec::new();
        for (position, target) in example.script.targets.iter().enumerate() {
            let row = (base + position) as u32;
            match *target {
                Target::None => {}
                Target::Route(route) => self.route(index, row, is_first(position), route, example.weight),
                Target::Symbol { id, start } => {
                    if let (Some(target), Some(weight)) =
                        (self.symbol_targets.get_mut(base + position), self.symbol_weights.get_mut(base + position))
                    {
                        (*target, *weight) = (id, example.weight);
                    }
                    spans.extend(start.map(|start| (row, 1, start)));
                }
                Target::Pointer { start, end } => spans.push((row, start, end)),
            }
        }
        self.spans.push(spans);
    }

    fn route(&mut self, index: usize, row: u32, first: bool, route: Route, weight: f32) {
        let class = match route {
            Route::Tool(tool) => tool,
            Route::NoTool => self.config.no_tool() as u32,
            Route::EndPlan => self.config.end_plan() as u32,
            Route::Configuration(configuration) => {
                self.configurations.push(row, configuration, weight);
                self.config.tool_of(configuration).unwrap_or(0)
            }
        };
        self.routes.push(row, class, weight);
        self.route_examples.push(index as u32);
        self.route_firsts.push(first);
    }
}

/// Whether a route at this position is the first: it stands right behind the budget.
fn is_first(position: usize) -> bool {
    position <= symbol::RESOURCES
}

/// Copies a row into its place in a padded table.
fn fill(table: &mut [u32], base: usize, row: impl Iterator<Item = u32>) {
    table.iter_mut().skip(base).zip(row).for_each(|(slot, value)| *slot = value);
}

/// Whether every index of an example exists.
fn check(config: &PlannerConfig, example: &Example<'_>) -> Result<(), String> {
    let pieces = example.pieces.len();
    let (tools, configurations) = (config.tools.len(), config.configurations.len());
    if pieces < 2 || pieces > config.piece_limit {
        return Err(format!("`{pieces}` pieces; allowed are 2 to `{}`", config.piece_limit));
    }
    if example.script.is_empty() || example.script.inputs.len() != example.script.targets.len() {
        return Err("a script without positions, or with more inputs than targets".into());
    }
    if !(example.weight.is_finite() && example.weight >= 0.0) {
        return Err(format!("weight `{}`; allowed are 0 and above", example.weight));
    }
    let below = |what: &str, found: u32, bound: usize| match (found as usize) < bound {
        true => Ok(()),
        false => Err(format!("{what} `{found}`; there are `{bound}`")),
    };
    for input in &example.script.inputs {
        below("symbol", input.symbol, symbol::COUNT + configurations)?;
        input.pointer.map_or(Ok(()), |piece| below("piece", piece, pieces))?;
    }
    for (position, target) in example.script.targets.iter().enumerate() {
        let first = is_first(position);
        match *target {
            Target::Route(Route::Tool(tool)) => below("tool", tool, tools)?,
            Target::Route(Route::Configuration(index)) => below("configuration", index, configurations)?,
            // Both have probability 0 there, so no loss is finite.
            Target::Route(Route::EndPlan) if first => return Err("the first route ends the plan".into()),
            Target::Route(Route::NoTool) if !first => return Err("no tool after the first route".into()),
            Target::Symbol { start: Some(0), .. } | Target::Pointer { end: 0, .. } => {
                return Err("a span at piece `0`".into());
            }
            Target::Symbol { id, start } => {
                below("symbol", id, symbol::OUTPUTS)?;
                start.map_or(Ok(()), |piece| below("piece", piece, pieces))?;
            }
            Target::Pointer { start, end } if start > end => {
                return Err(format!("a span from piece `{start}` to `{end}`"));
            }
            Target::Pointer { end, .. } => below("piece", end, pieces)?,
            Target::None | Target::Route(_) => {}
        }
    }
    Ok(())
}
