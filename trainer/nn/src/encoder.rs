//! A BERT encoder, by the tensor names of Hugging Face (all-MiniLM-L6-v2 is one).
//!
//! [Devlin et al. 2018](https://arxiv.org/abs/1810.04805); no dropout, one segment.

use std::sync::Arc;

use candle_core::Tensor;

use crate::config::EncoderConfig;
use crate::error::{Error, Result};
use crate::kernels::{self, Attention};
use crate::parameters::{Init, Scope};
use crate::weights::Tensors;

mod alone;

/// Deviation of new weights, as BERT was initialised.
const DEVIATION: f32 = 0.02;

/// The network.
#[derive(Clone, Debug)]
pub struct Encoder {
    config: EncoderConfig,
    pieces: Tensor,
    positions: Tensor,
    segments: Tensor,
    norm: Norm,
    layers: Vec<Layer>,
}

impl Encoder {
    /// Builds the network from its parameters (`embeddings.…`, `encoder.layer.0.…`).
    ///
    /// # Errors
    /// [`Error::Config`], or what the store says of a parameter.
    pub fn new(config: &EncoderConfig, scope: &mut Scope<'_>) -> Result<Self> {
        config.check()?;
        let width = config.hidden;
        let mut table = |name: &str, rows: usize| {
            scope.parameter(&format!("embeddings.{name}_embeddings.weight"), &[rows, width], Init::Normal(DEVIATION))
        };
        let (pieces, positions, segments) =
            (table("word", config.vocabulary)?, table("position", config.positions)?, table("token_type", 2)?);
        let norm = Norm::new(config, &mut scope.scope("embeddings.LayerNorm"))?;
        let layers = (0..config.layers)
            .map(|i| Layer::new(config, &mut scope.scope(&format!("encoder.layer.{i}"))))
            .collect::<Result<_>>()?;
        Ok(Self { config: config.clone(), pieces, positions, segments, norm, layers })
    }

    /// States `(batch, length, hidden)` of piece ids `(batch, length)` (u32), where row `b` is
    /// padding from `lengths[b]` on.
    ///
    /// # Errors
    /// [`Error::Tensor`] if an id or a length is out of range.
    pub fn forward(&self, ids: &Tensor, lengths: &Arc<[usize]>) -> Result<Tensor> {
        let (_, length) = ids.dims2()?;
        if length > self.config.positions {
            return Err(Error::Input(format!(
                "`{length}` pieces; this encoder reads at most `{}`",
                self.config.positions
            )));
        }
        // Every piece is of segment 0.
        let place = self.positions.narrow(0, 0, length)?.broadcast_add(&self.segments.narrow(0, 0, 1)?)?;
        let mut x = self.norm.forward(&kernels::embedding(&self.pieces, ids)?.broadcast_add(&place)?)?;
        let mask = Attention::bidirectional(lengths.clone());
        for layer in &self.layers {
            x = layer.forward(&x, self.config.heads, &mask)?;
        }
        Ok(x)
    }
}

/// The mean of the states that are not padding, scaled to length 1: `(batch, hidden)` from
/// `(batch, length, hidden)`. This is the sentence embedding of sentence-transformers' MiniLM.
///
/// # Errors
/// [`Error::Tensor`] if there is not one length for each row.
pub fn pooled(states: &Tensor, lengths: &[usize]) -> Result<Tensor> {
    let (batch, length, _) = states.dims3()?;
    let row = |n: usize| (0..length).map(move |i| if i < n { 1.0 / n as f32 } else { 0.0 });
    let weights: Vec<f32> = lengths.iter().flat_map(|n| row(*n)).collect();
    let weights = Tensor::from_vec(weights, (batch, 1, length), states.device())?;
    let mean = weights.matmul(states)?.squeeze(1)?;
    let norm = (mean.sqr()?.sum_keepdim(1)? + 1e-12)?.sqrt()?;
    Ok(mean.broadcast_div(&norm)?)
}

/// The tensors of a BERT checkpoint that [`Encoder`] uses, named as it asks for them: without the
/// `bert.` prefix that some files have, and without heads, poolers and buffers.
#[must_use]
pub fn from_hf(tensors: Tensors) -> Tensors {
    let wanted = |name: &str| name.starts_with("embeddings.") || name.starts_with("encoder.layer.");
    let bare = |(name, tensor): (String, Tensor)| (name.strip_prefix("bert.").unwrap_or(&name).to_owned(), tensor);
    tensors.into_iter().map(bare).filter(|(name, _)| wanted(name)).collect()
}

#[derive(Clone, Debug)]
struct Norm {
    weight: Tensor,
    bias: Tensor,
    epsilon: f64,
}

impl Norm {
    fn new(config: &EncoderConfig, scope: &mut Scope<'_>) -> Result<Self> {
        let width = [config.hidden];
        let weight = scope.parameter("weight", &width, Init::Constant(1.0))?;
        Ok(Self { weight, bias: scope.parameter("bias", &width, Init::Constant(0.0))?, epsilon: config.epsilon })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(kernels::layer_norm(x, &self.weight, &self.bias, self.epsilon)?)
    }
}

#[derive(Clone, Debug)]
struct Dense {
    weight: Tensor,
    bias: Tensor,
}

impl Dense {
    fn new(scope: &mut Scope<'_>, name: &str, input: usize, output: usize) -> Result<Self> {
        let mut scope = scope.scope(name);
        let weight = scope.parameter("weight", &[output, input], Init::Normal(DEVIATION))?;
        Ok(Self { weight, bias: scope.parameter("bias", &[output], Init::Constant(0.0))? })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(kernels::linear(x, &self.weight, Some(&self.bias))?)
    }
}

/// Attention and feed-forward, each followed by residual and norm (post-norm).
#[derive(Clone, Debug)]
struct Layer {
    query: Dense,
    key: Dense,
    value: Dense,
    mixed: Dense,
    mixed_norm: Norm,
    up: Dense,
    down: Dense,
    down_norm: Norm,
}

impl Layer {
    fn new(config: &EncoderConfig, scope: &mut Scope<'_>) -> Result<Self> {
        let (width, inner) = (config.hidden, config.intermediate);
        let mut dense = |name: &str, input, output| Dense::new(scope, name, input, output);
        let query = dense("attention.self.query", width, width)?;
        let key = dense("attention.self.key", width, width)?;
        let value = dense("attention.self.value", width, width)?;
        let mixed = dense("attention.output.dense", width, width)?;
        let up = dense("intermediate.dense", width, inner)?;
        let down = dense("output.dense", inner, width)?;
        let mixed_norm = Norm::new(config, &mut scope.scope("attention.output.LayerNorm"))?;
        let down_norm = Norm::new(config, &mut scope.scope("output.LayerNorm"))?;
        Ok(Self { query, key, value, mixed, mixed_norm, up, down, down_norm })
    }

    fn forward(&self, x: &Tensor, heads: usize, mask: &Attention) -> Result<Tensor> {
        let (batch, length, width) = x.dims3()?;
        let split = |y: Tensor| y.reshape((batch, length, heads, width / heads));
        let (q, k, v) = (split(self.query.forward(x)?)?, split(self.key.forward(x)?)?, split(self.value.forward(x)?)?);
        let mixed = self.mixed.forward(&kernels::attention(&q, &k, &v, mask)?)?;
        let x = self.mixed_norm.forward(&(x + mixed)?)?;
        let inner = self.down.forward(&kernels::gelu(&self.up.forward(&x)?)?)?;
        self.down_norm.forward(&(x + inner)?)
    }
}

#[cfg(test)]
#[path = "encoder_tests.rs"]
mod tests;
