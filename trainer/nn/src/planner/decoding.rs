//! Planning one request: the encoder runs once, the decoder a few positions at a time.

use std::sync::Arc;

use candle_core::Tensor;

use super::PlannerNet;
use super::loss::{piece_mask, route_mask};
use crate::decoder::{Cache, Memory};
use crate::encoder::pooled;
use crate::error::{Error, Result};
use crate::kernels;
use crate::script::Input;
use crate::symbol;

/// A sequence that is being decoded. It chooses nothing: a planner reads logits, chooses under its
/// grammar, and pushes the input that its [`crate::script::Cursor`] says.
#[derive(Debug)]
pub struct Decoding<'n> {
    net: &'n PlannerNet,
    length: usize,
    pooled: Tensor,
    memory: Option<Memory>,
    symbol_inputs: Tensor,
    piece_inputs: Tensor,
    piece_keys: Tensor,
    cache: Cache,
    state: Option<Tensor>,
}

impl PlannerNet {
    /// Sentence embeddings of length 1, `(batch, width)`, of requests (piece ids from `[CLS]` to
    /// `[SEP]`): for the rows of tools, and for searching a catalogue.
    ///
    /// # Errors
    /// [`Error::Input`] for no requests, [`Error::Tensor`] for an id out of range.
    pub fn embed(&self, requests: &[&[u32]]) -> Result<Tensor> {
        let longest = requests.iter().map(|pieces| pieces.len()).max().filter(|longest| *longest > 0);
        let longest = longest.ok_or_else(|| Error::Input("no pieces to embed".into()))?;
        let padded = requests
            .iter()
            .flat_map(|pieces| pieces.iter().copied().chain(std::iter::repeat_n(0, longest - pieces.len())));
        let ids = Tensor::from_vec(padded.collect::<Vec<_>>(), (requests.len(), longest), self.parameters.device())?;
        let lengths: Arc<[usize]> = requests.iter().map(|pieces| pieces.len()).collect();
        pooled(&self.encoder.forward(&ids, &lengths)?, &lengths)
    }

    /// Reads a request (piece ids from `[CLS]` to `[SEP]`) and begins a sequence about it.
    ///
    /// # Errors
    /// [`Error::Input`] if there are more pieces than the limit, [`Error::Tensor`] for an id out of
    /// range.
    pub fn begin(&self, pieces: &[u32]) -> Result<Decoding<'_>> {
        let length = pieces.len();
        if length < 2 || length > self.config.piece_limit {
            return Err(Error::Input(format!("`{length}` pieces; allowed are 2 to `{}`", self.config.piece_limit)));
        }
        let lengths: Arc<[usize]> = Arc::from([length]);
        let ids = Tensor::from_slice(pieces, (1, length), self.parameters.device())?;
        let states = self.encoder.forward(&ids, &lengths)?;
        Ok(Decoding {
            net: self,
            length,
            pooled: pooled(&states, &lengths)?,
            memory: self.decoder.memory(&states, &lengths)?,
            symbol_inputs: self.symbol_inputs()?,
            piece_inputs: self.pointer.inputs(&states.squeeze(0)?)?,
            piece_keys: self.pointer.keys(&states)?,
            cache: Cache::default(),
            state: None,
        })
    }
}

impl Decoding<'_> {
    /// The decoder reads the next inputs; the logits below are those after the last of them.
    ///
    /// # Errors
    /// [`Error::Input`] if there are none, or one has an unknown symbol or piece.
    pub fn push(&mut self, inputs: &[Input]) -> Result<()> {
        let last = inputs.len().checked_sub(1).ok_or_else(|| Error::Input("no inputs to read".into()))?;
        let device = self.piece_inputs.device();
        let symbols: Vec<u32> = inputs.iter().map(|input| input.symbol).collect();
        let mut x = kernels::embedding(&self.symbol_inputs, &Tensor::from_vec(symbols, (1, inputs.len()), device)?)?;
        if inputs.iter().any(|input| input.pointer.is_some()) {
            let width = self.piece_inputs.dim(1)?;
            let none = Tensor::zeros((1, width), self.piece_inputs.dtype(), device)?;
            let table = Tensor::cat(&[&none, &self.piece_inputs], 0)?;
            let rows: Vec<u32> =
                inputs.iter().map(|input| input.pointer.map_or(0, |piece| piece.saturating_add(1))).collect();
            x = (x + kernels::embedding(&table, &Tensor::from_vec(rows, (1, inputs.len()), device)?)?)?;
        }
        let states = self.net.decoder.forward(&x, self.memory.as_ref(), Some(&mut self.cache))?;
        self.state = Some(states.narrow(1, last, 1)?.squeeze(1)?);
        Ok(())
    }

    /// Logits of the routes: tools, then no tool, then the end of the plan. What cannot be at a
    /// `first` route, or after it, is `-inf`.
    ///
    /// # Errors
    /// [`Error::Input`] before the first [`Self::push`].
    pub fn routes(&self, first: bool) -> Result<Vec<f32>> {
        let logits = self.net.route.logits(&self.pooled, self.state()?)?.squeeze(0)?.to_vec1::<f32>()?;
        Ok(logits.into_iter().zip(route_mask(&self.net.config, first)).map(|(logit, mask)| logit + mask).collect())
    }

    /// Logits of all configurations. Only those of one tool are comparable: the log-probability of
    /// a configuration is that of its tool plus its own log-softmax within the tool.
    ///
    /// # Errors
    /// [`Error::Input`] before the first [`Self::push`].
    pub fn configurations(&self) -> Result<Vec<f32>> {
        Ok(self.net.configuration.logits(self.state()?)?.squeeze(0)?.to_vec1()?)
    }

    /// Logits of the first [`symbol::OUTPUTS`] symbols: bytes, then begin and copy.
    ///
    /// # Errors
    /// [`Error::Input`] before the first [`Self::push`].
    pub fn symbols(&self) -> Result<Vec<f32>> {
        let rows = self.net.decoder.output().narrow(0, 0, symbol::OUTPUTS)?;
        Ok(kernels::linear(self.state()?, &rows, None)?.squeeze(0)?.to_vec1()?)
    }

    /// Logits of the request's pieces, `-inf` before `from` and at piece 0: with `from` 1 for the
    /// first piece of a span, with its first piece for the last.
    ///
    /// # Errors
    /// [`Error::Input`] before the first [`Self::push`].
    pub fn pieces(&self, from: usize) -> Result<Vec<f32>> {
        let logits = self.net.pointer.logits(&self.state()?.unsqueeze(1)?, &self.piece_keys)?;
        let logits = logits.flatten_all()?.to_vec1::<f32>()?;
        Ok(logits
            .into_iter()
            .zip(piece_mask(from, self.length, self.length))
            .map(|(logit, mask)| logit + mask)
            .collect())
    }

    /// How many positions have been read.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cache.len()
    }

    /// Whether nothing has been read yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cache.is_empty()
    }

    fn state(&self) -> Result<&Tensor> {
        self.state.as_ref().ok_or_else(|| Error::Input("no logits before an input".into()))
    }
}

/// Natural logarithms of the probabilities that logits stand for; `-inf` stays `-inf`. If nothing
/// is possible, all are `-inf`.
#[must_use]
pub fn log_softmax(logits: &[f32]) -> Vec<f32> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if largest == f32::NEG_INFINITY {
        return logits.to_vec();
    }
    let total = logits.iter().map(|logit| (logit - largest).exp()).sum::<f32>().ln() + largest;
    logits.iter().map(|logit| logit - total).collect()
}
