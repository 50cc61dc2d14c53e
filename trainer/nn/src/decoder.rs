//! A decoder of Qwen2 architecture, with optional gated cross-attention to an encoder's states.
//!
//! RMS norm, rotary positions, grouped-query attention with biased projections, SwiGLU; tensor
//! names as transformers writes them, so a checkpoint of either kind loads into the other. In a
//! layer with cross-attention, `h += tanh(gate) * CrossAttention(RMSNorm(h), states)` stands
//! between self-attention and feed-forward (as in [Flamingo](https://arxiv.org/abs/2204.14198)).
//!
//! The same code trains (whole sequences, no cache) and plans (a few positions at a time behind a
//! [`Cache`]).

use std::sync::Arc;

use candle_core::Tensor;

use crate::config::{CrossConfig, DecoderConfig};
use crate::error::{Error, Result};
use crate::kernels::{self, Attention};
use crate::parameters::{Init, Scope};

/// Deviation of a new embedding row; norms make the layers blind to its scale, and with it the
/// first logits are small.
const EMBEDDING_DEVIATION: f32 = 0.02;

/// The network.
#[derive(Clone, Debug)]
pub struct Decoder {
    config: DecoderConfig,
    embedding: Tensor,
    layers: Vec<Layer>,
    norm: Tensor,
    head: Option<Tensor>,
}

/// Keys and values of the encoder's states in every layer: computed once for each request.
#[derive(Clone, Debug)]
pub struct Memory {
    layers: Vec<(Tensor, Tensor)>,
    lengths: Arc<[usize]>,
}

/// Keys and values of the positions decoded so far, in every layer.
#[derive(Clone, Debug, Default)]
pub struct Cache {
    layers: Vec<(Tensor, Tensor)>,
    length: usize,
}

impl Cache {
    /// How many positions have been decoded.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether nothing has been decoded yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Appends the keys and values of new positions in `layer`; returns all so far. They are
    /// detached: nothing is learned through a cache, and the graph of every step would stay alive.
    fn extend(&mut self, layer: usize, key: Tensor, value: Tensor) -> Result<(Tensor, Tensor)> {
        let (key, value) = (key.detach(), value.detach());
        let all = match self.layers.get(layer) {
            Some((keys, values)) => (Tensor::cat(&[keys, &key], 1)?, Tensor::cat(&[values, &value], 1)?),
            None => (key, value),
        };
        match self.layers.get_mut(layer) {
            Some(slot) => *slot = all.clone(),
            None => self.layers.push(all.clone()),
        }
        Ok(all)
    }
}

impl Decoder {
    /// Builds the network from its parameters (`model.embed_tokens.weight`, `model.layers.0.…`).
    ///
    /// # Errors
    /// [`Error::Config`], or what the store says of a parameter.
    pub fn new(config: &DecoderConfig, scope: &mut Scope<'_>) -> Result<Self> {
        config.check()?;
        let table = [config.vocabulary, config.hidden];
        let embedding = scope.parameter("model.embed_tokens.weight", &table, Init::Normal(EMBEDDING_DEVIATION))?;
        let layers = (0..config.layers)
            .map(|i| Layer::new(config, &mut scope.scope(&format!("model.layers.{i}"))))
            .collect::<Result<_>>()?;
        let norm = scope.parameter("model.norm.weight", &[config.hidden], Init::Constant(1.0))?;
        let head = match config.tied {
            true => None,
            false => Some(scope.parameter("lm_head.weight", &table, Init::Normal(EMBEDDING_DEVIATION))?),
        };
        Ok(Self { config: config.clone(), embedding, layers, norm, head })
    }

    /// The symbol embedding, `(vocabulary, hidden)`.
    #[must_use]
    pub fn embedding(&self) -> &Tensor {
        &self.embedding
    }

    /// The rows that turn a state into logits, `(vocabulary, hidden)`.
    #[must_use]
    pub fn output(&self) -> &Tensor {
        self.head.as_ref().unwrap_or(&self.embedding)
    }

    /// Prepares an encoder's states `(batch, pieces, width)` for all layers; row `b` is padding
    /// from `lengths[b]` on. `None` if this decoder has no cross-attention.
    ///
    /// # Errors
    /// [`Error::Tensor`] if the width is not the config's.
    pub fn memory(&self, states: &Tensor, lengths: &Arc<[usize]>) -> Result<Option<Memory>> {
        if self.config.cross.is_none() {
            return Ok(None);
        }
        let heads = (self.config.kv_heads, self.config.head());
        let layers = self.layers.iter().filter_map(|layer| layer.cross.as_ref());
        let layers = layers.map(|cross| cross.attention.keys_and_values(states, heads)).collect::<Result<_>>()?;
        Ok(Some(Memory { layers, lengths: lengths.clone() }))
    }

    /// States `(batch, length, hidden)` after the last norm, of input embeddings of that shape.
    /// With a cache the inputs follow what it holds, and are added to it.
    ///
    /// # Errors
    /// [`Error::Tensor`] if shapes do not fit, [`Error::Input`] if the decoder needs a memory and
    /// got none.
    pub fn forward(&self, inputs: &Tensor, memory: Option<&Memory>, mut cache: Option<&mut Cache>) -> Result<Tensor> {
        let offset = cache.as_ref().map_or(0, |cache| cache.length);
        let mut x = inputs.clone();
        for (i, layer) in self.layers.iter().enumerate() {
            x = layer.attend(&x, &self.config, offset, cache.as_deref_mut().map(|cache| (i, cache)))?;
            if let Some(cross) = &layer.cross {
                let missing = || Error::Input("a decoder with cross-attention needs an encoder's states".into());
                let memory = memory.ok_or_else(missing)?;
                x = cross.forward(&x, &self.config, memory.layers.get(i).ok_or_else(missing)?, &memory.lengths)?;
            }
            x = layer.feed_forward(&x, self.config.epsilon)?;
        }
        if let Some(cache) = cache {
            cache.length += inputs.dim(1)?;
        }
        Ok(kernels::rms_norm(&x, &self.norm, self.config.epsilon)?)
    }
}

/// The four projections of an attention.
#[derive(Clone, Debug)]
struct Projections {
    query: (Tensor, Tensor),
    key: (Tensor, Tensor),
    value: (Tensor, Tensor),
    output: Tensor,
}

impl Projections {
    /// `width` is that of the states which keys and values come from.
    fn new(config: &DecoderConfig, width: usize, scope: &mut Scope<'_>) -> Result<Self> {
        let mut biased = |name: &str, input: usize, output: usize| -> Result<(Tensor, Tensor)> {
            let weight = scope.parameter(&format!("{name}_proj.weight"), &[output, input], fan_in(input))?;
            Ok((weight, scope.parameter(&format!("{name}_proj.bias"), &[output], Init::Constant(0.0))?))
        };
        let (hidden, narrow) = (config.hidden, config.kv_heads * config.head());
        let (query, key, value) =
            (biased("q", hidden, hidden)?, biased("k", width, narrow)?, biased("v", width, narrow)?);
        let output = scope.parameter("o_proj.weight", &[hidden, hidden], residual(hidden, config.layers))?;
        Ok(Self { query, key, value, output })
    }

    fn keys_and_values(&self, x: &Tensor, heads: (usize, usize)) -> Result<(Tensor, Tensor)> {
        Ok((project(x, &self.key, heads)?, project(x, &self.value, heads)?))
    }
}

/// `(batch, length, heads, size)` from `(batch, length, width)`.
fn project(x: &Tensor, (weight, bias): &(Tensor, Tensor), (heads, size): (usize, usize)) -> Result<Tensor> {
    let (batch, length, _) = x.dims3()?;
    Ok(kernels::linear(x, weight, Some(bias))?.reshape((batch, length, heads, size))?)
}

/// Cross-attention of one layer.
#[derive(Clone, Debug)]
struct Cross {
    norm: Tensor,
    attention: Projections,
    gate: Tensor,
}

impl Cross {
    fn new(config: &DecoderConfig, cross: &CrossConfig, scope: &mut Scope<'_>) -> Result<Self> {
        let norm = scope.parameter("cross_attention_layernorm.weight", &[config.hidden], Init::Constant(1.0))?;
        let mut scope = scope.scope("cross_attn");
        let attention = Projections::new(config, cross.width, &mut scope)?;
        Ok(Self { norm, attention, gate: scope.parameter("gate", &[1], Init::Constant(cross.gate as f32))? })
    }

    fn forward(
        &self,
        x: &Tensor,
        config: &DecoderConfig,
        (keys, values): &(Tensor, Tensor),
        lengths: &Arc<[usize]>,
    ) -> Result<Tensor> {
        let y = kernels::rms_norm(x, &self.norm, config.epsilon)?;
        let query = project(&y, &self.attention.query, (config.heads, config.head()))?;
        let mixed = kernels::attention(&query, keys, values, &Attention::cross(lengths.clone()))?;
        let (output, gate) = (&self.attention.output, self.gate.tanh()?);
        // The gate may multiply the weight or the result: whichever is smaller.
        let added = match mixed.elem_count() > output.elem_count() {
            true => kernels::linear(&mixed, &output.broadcast_mul(&gate)?, None)?,
            false => kernels::linear(&mixed, output, None)?.broadcast_mul(&gate)?,
        };
        Ok((x + added)?)
    }
}

#[derive(Clone, Debug)]
struct Layer {
    attention_norm: Tensor,
    attention: Projections,
    cross: Option<Cross>,
    norm: Tensor,
    gate: Tensor,
    up: Tensor,
    down: Tensor,
}

impl Layer {
    fn new(config: &DecoderConfig, scope: &mut Scope<'_>) -> Result<Self> {
        let (hidden, inner) = (config.hidden, config.intermediate);
        let one = Init::Constant(1.0);
        Ok(Self {
            attention_norm: scope.parameter("input_layernorm.weight", &[hidden], one)?,
            attention: Projections::new(config, hidden, &mut scope.scope("self_attn"))?,
            cross: config.cross.as_ref().map(|cross| Cross::new(config, cross, scope)).transpose()?,
            norm: scope.parameter("post_attention_layernorm.weight", &[hidden], one)?,
            gate: scope.parameter("mlp.gate_proj.weight", &[inner, hidden], fan_in(hidden))?,
            up: scope.parameter("mlp.up_proj.weight", &[inner, hidden], fan_in(hidden))?,
            down: scope.parameter("mlp.down_proj.weight", &[hidden, inner], residual(inner, config.layers))?,
        })
    }

    fn attend(
        &self,
        x: &Tensor,
        config: &DecoderConfig,
        offset: usize,
        cache: Option<(usize, &mut Cache)>,
    ) -> Result<Tensor> {
        let y = kernels::rms_norm(x, &self.attention_norm, config.epsilon)?;
        let query = project(&y, &self.attention.query, (config.heads, config.head()))?;
        let (key, value) = self.attention.keys_and_values(&y, (config.kv_heads, config.head()))?;
        let query = kernels::rope(&query, offset, config.theta)?;
        let key = kernels::rope(&key, offset, config.theta)?;
        let (keys, values) = match cache {
            Some((layer, cache)) => cache.extend(layer, key, value)?,
            None => (key, value),
        };
        let mixed = kernels::attention(&query, &keys, &values, &Attention::causal())?;
        Ok((x + kernels::linear(&mixed, &self.attention.output, None)?)?)
    }

    fn feed_forward(&self, x: &Tensor, epsilon: f64) -> Result<Tensor> {
        let y = kernels::rms_norm(x, &self.norm, epsilon)?;
        let inner = kernels::swiglu(&kernels::linear(&y, &self.gate, None)?, &kernels::linear(&y, &self.up, None)?)?;
        Ok((x + kernels::linear(&inner, &self.down, None)?)?)
    }
}

/// Keeps the scale of normed inputs at half of what they were, whatever the width.
fn fan_in(input: usize) -> Init {
    Init::Normal(0.5 / (input as f32).sqrt())
}

/// Smaller the more layers add to the residual stream (GPT-2).
fn residual(input: usize, layers: usize) -> Init {
    Init::Normal(0.5 / (input as f32 * 2.0 * layers as f32).sqrt())
}

#[cfg(test)]
#[path = "decoder_tests.rs"]
mod tests;
