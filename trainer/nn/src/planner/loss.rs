//! What training makes small: one cross-entropy for each kind of choice.

use candle_core::Tensor;

use super::batch::Batch;
use super::{PlannerConfig, PlannerNet};
use crate::error::Result;
use crate::kernels;
use crate::symbol;

/// How much each part counts in the sum.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossWeights {
    /// Choice of the tool, of no tool, or of the end.
    pub route: f64,
    /// Choice of the configuration, given the tool.
    pub configuration: f64,
    /// Bytes, copies and ends.
    pub symbol: f64,
    /// First and last pieces of copied spans.
    pub pointer: f64,
}

impl Default for LossWeights {
    fn default() -> Self {
        Self { route: 1.0, configuration: 1.0, symbol: 1.0, pointer: 1.0 }
    }
}

/// The loss of a batch. Each part is a mean over the choices of its kind, in nats, weighted by the
/// examples' weights, and 0 where there are none.
#[derive(Clone, Debug)]
pub struct LossParts {
    /// The weighted sum of the parts: a scalar to call `backward` on.
    pub total: Tensor,
    /// Tools.
    pub route: Part,
    /// Configurations.
    pub configuration: Part,
    /// Symbols.
    pub symbol: Part,
    /// Pieces.
    pub pointer: Part,
}

/// One kind of choice in a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Part {
    /// Mean negative log-probability of the right choice, in nats.
    pub loss: f32,
    /// The weights of the choices, summed: their number if every example has weight 1.
    pub count: f32,
}

impl PlannerNet {
    /// The loss of a batch under teacher forcing.
    ///
    /// # Errors
    /// [`crate::Error::Tensor`] if an operation fails; a batch made for this config does not cause it.
    pub fn loss(&self, batch: &Batch, weights: &LossWeights) -> Result<LossParts> {
        let states = self.encoder.forward(&batch.ids, &batch.piece_lengths)?;
        let pooled = crate::encoder::pooled(&states, &batch.piece_lengths)?;
        let hidden = self.decode_batch(batch, &states)?;
        let mut sum = Sum(Tensor::zeros((), candle_core::DType::F32, states.device())?);
        let route = sum.add(weights.route, &batch.routes.weights, || self.route_loss(batch, &pooled, &hidden))?;
        let configuration =
            sum.add(weights.configuration, &batch.configurations.weights, || self.configuration_loss(batch, &hidden))?;
        let symbol = sum.add(weights.symbol, &batch.symbol_weights, || {
            let rows = self.decoder.output().narrow(0, 0, symbol::OUTPUTS)?;
            Ok(kernels::linear_cross_entropy(&hidden, &rows, &batch.symbol_targets, &batch.symbol_weights)?)
        })?;
        let spans = Spans::new(batch);
        let pointer =
            sum.add(weights.pointer, &spans.weights, || self.pointer_loss(batch, &spans, &states, &hidden))?;
        Ok(LossParts { total: sum.0, route, configuration, symbol, pointer })
    }

    /// Decoder states of all positions, flattened: `(size * length, hidden)`.
    fn decode_batch(&self, batch: &Batch, states: &Tensor) -> Result<Tensor> {
        let mut inputs = kernels::embedding(&self.symbol_inputs()?, &batch.symbols)?;
        if !batch.pointed.is_empty() {
            let device = states.device();
            let rows = Tensor::from_slice(&batch.pointed, batch.pointed.len(), device)?;
            let pieces = self.pointer.inputs(&kernels::embedding(&states.flatten(0, 1)?, &rows)?)?;
            let none = Tensor::zeros((1, pieces.dim(1)?), pieces.dtype(), device)?;
            inputs = (inputs + kernels::embedding(&Tensor::cat(&[&none, &pieces], 0)?, &batch.pointers)?)?;
        }
        let memory = self.decoder.memory(states, &batch.piece_lengths)?;
        Ok(self.decoder.forward(&inputs, memory.as_ref(), None)?.flatten(0, 1)?)
    }

    fn route_loss(&self, batch: &Batch, pooled: &Tensor, hidden: &Tensor) -> Result<Tensor> {
        let rows = &batch.routes;
        let device = hidden.device();
        let gather =
            |table: &Tensor, rows: &[u32]| kernels::embedding(table, &Tensor::from_slice(rows, rows.len(), device)?);
        let logits = self.route.logits(&gather(pooled, &batch.route_examples)?, &gather(hidden, &rows.rows)?)?;
        let mask: Vec<f32> = batch.route_firsts.iter().flat_map(|first| route_mask(&self.config, *first)).collect();
        let logits = (logits + Tensor::from_vec(mask, (rows.rows.len(), self.config.routes()), device)?)?;
        Ok(kernels::cross_entropy(&logits, &rows.targets, &rows.weights)?)
    }

    fn configuration_loss(&self, batch: &Batch, hidden: &Tensor) -> Result<Tensor> {
        let rows = &batch.configurations;
        let states = kernels::embedding(hidden, &Tensor::from_slice(&rows.rows, rows.rows.len(), hidden.device())?)?;
        let all = &self.config.configurations;
        let of_tool =
            |tool: Option<u32>| all.iter().map(move |row| if Some(row.tool) == tool { 0.0 } else { f32::NEG_INFINITY });
        let mask: Vec<f32> = rows.targets.iter().flat_map(|target| of_tool(self.config.tool_of(*target))).collect();
        let mask = Tensor::from_vec(mask, (rows.rows.len(), all.len()), hidden.device())?;
        let logits = (self.configuration.logits(&states)? + mask)?;
        Ok(kernels::cross_entropy(&logits, &rows.targets, &rows.weights)?)
    }

    fn pointer_loss(&self, batch: &Batch, spans: &Spans, states: &Tensor, hidden: &Tensor) -> Result<Tensor> {
        let (device, count) = (states.device(), batch.size * spans.most);
        let rows = Tensor::from_slice(&spans.rows, (batch.size, spans.most), device)?;
        let logits = self.pointer.logits(&kernels::embedding(hidden, &rows)?, &self.pointer.keys(states)?)?;
        let mask = Tensor::from_slice(&spans.mask, (count, batch.pieces), device)?;
        let logits = (logits.reshape((count, batch.pieces))? + mask)?;
        Ok(kernels::cross_entropy(&logits, &spans.targets, &spans.weights)?)
    }
}

/// `-inf` at the routes that cannot be taken: a plan does not end before its first step, and no
/// tool is an answer at the first only.
pub(super) fn route_mask(config: &PlannerConfig, first: bool) -> impl Iterator<Item = f32> {
    let never = if first { config.end_plan() } else { config.no_tool() };
    (0..config.routes()).map(move |route| if route == never { f32::NEG_INFINITY } else { 0.0 })
}

/// `-inf` at the pieces that cannot be pointed at: those before `from`, and padding.
pub(super) fn piece_mask(from: usize, length: usize, padded: usize) -> impl Iterator<Item = f32> {
    (0..padded).map(move |piece| if (from.max(1)..length).contains(&piece) { 0.0 } else { f32::NEG_INFINITY })
}

/// The losses so far.
struct Sum(Tensor);

impl Sum {
    /// Adds one part, computed only if some choice of its kind has a weight.
    fn add(&mut self, weight: f64, weights: &[f32], loss: impl FnOnce() -> Result<Tensor>) -> Result<Part> {
        let count = weights.iter().sum::<f32>();
        if count <= 0.0 {
            return Ok(Part::default());
        }
        let loss = loss()?;
        if weight != 0.0 {
            self.0 = (&self.0 + (&loss * weight)?)?;
        }
        Ok(Part { loss: loss.to_scalar()?, count })
    }
}

/// Pointer targets, padded to the most that an example has.
struct Spans {
    most: usize,
    rows: Vec<u32>,
    targets: Vec<u32>,
    weights: Vec<f32>,
    mask: Vec<f32>,
}

impl Spans {
    fn new(batch: &Batch) -> Self {
        let most = batch.spans.iter().map(Vec::len).max().unwrap_or(0);
        let mut all = Self { most, rows: vec![], targets: vec![], weights: vec![], mask: vec![] };
        for ((spans, weight), length) in batch.spans.iter().zip(&batch.weights).zip(batch.piece_lengths.iter()) {
            let padding = std::iter::repeat_n(((0, 1, 1), 0.0), most - spans.len());
            for ((row, from, piece), weight) in spans.iter().map(|span| (*span, *weight)).chain(padding) {
                all.rows.push(row);
                all.targets.push(piece);
                all.weights.push(weight);
                all.mask.extend(piece_mask(from as usize, *length, batch.pieces));
            }
        }
        all
    }
}
