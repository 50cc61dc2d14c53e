//! Sizes of the two networks, and how to read them from Hugging Face's `config.json`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, Result};

/// Sizes of a BERT encoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncoderConfig {
    /// Rows of the piece embedding.
    pub vocabulary: usize,
    /// Width of a state.
    pub hidden: usize,
    /// Number of layers.
    pub layers: usize,
    /// Attention heads; divides `hidden`.
    pub heads: usize,
    /// Width of the feed-forward layer.
    pub intermediate: usize,
    /// Rows of the position embedding: the longest input in pieces.
    pub positions: usize,
    /// Added to the variance in layer norm.
    pub epsilon: f64,
}

/// Sizes of a decoder of Qwen2 architecture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecoderConfig {
    /// Rows of the symbol embedding.
    pub vocabulary: usize,
    /// Width of a state.
    pub hidden: usize,
    /// Number of layers.
    pub layers: usize,
    /// Query heads; divides `hidden`, with an even quotient.
    pub heads: usize,
    /// Key and value heads; divides `heads`.
    pub kv_heads: usize,
    /// Width of the feed-forward layer.
    pub intermediate: usize,
    /// Base of the rotary frequencies.
    pub theta: f64,
    /// Added to the mean square in RMS norm.
    pub epsilon: f64,
    /// Whether the output logits use the embedding's rows.
    pub tied: bool,
    /// Cross-attention to an encoder's states after each self-attention; none if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross: Option<CrossConfig>,
}

/// Cross-attention of a decoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrossConfig {
    /// Width of the encoder's states.
    pub width: usize,
    /// What each layer's gate starts as; its tanh multiplies the attention's output. 0 leaves a
    /// pretrained decoder unchanged at first, 0.5 suits one trained from scratch.
    pub gate: f64,
}

impl EncoderConfig {
    /// Reads a BERT `config.json`.
    ///
    /// # Errors
    /// [`Error::Config`] if it is not one, or one of another kind (activation, positions).
    pub fn from_hf(json: &[u8]) -> Result<Self> {
        let fields = Fields::read(json)?;
        fields.must_be("hidden_act", "gelu")?;
        fields.must_be("position_embedding_type", "absolute")?;
        let config = Self {
            vocabulary: fields.size("vocab_size")?,
            hidden: fields.size("hidden_size")?,
            layers: fields.size("num_hidden_layers")?,
            heads: fields.size("num_attention_heads")?,
            intermediate: fields.size("intermediate_size")?,
            positions: fields.size("max_position_embeddings")?,
            epsilon: fields.number("layer_norm_eps").unwrap_or(1e-12),
        };
        config.check().map(|()| config)
    }

    /// Whether a network of these sizes can exist.
    ///
    /// # Errors
    /// [`Error::Config`] names the key, what was found and what is allowed.
    pub fn check(&self) -> Result<()> {
        let sizes = [
            ("vocabulary", self.vocabulary),
            ("hidden", self.hidden),
            ("heads", self.heads),
            ("intermediate", self.intermediate),
            ("positions", self.positions),
        ];
        sizes.into_iter().chain([("layers", self.layers)]).try_for_each(|(key, size)| in_range(key, size))?;
        divides("heads", self.heads, "hidden", self.hidden)?;
        positive("epsilon", self.epsilon)
    }
}

impl DecoderConfig {
    /// Reads a Qwen2 `config.json` as transformers 4 or 5 writes it: version 5 has
    /// `rope_parameters.rope_theta` instead of `rope_theta` and may say `sliding_window: null`.
    ///
    /// # Errors
    /// [`Error::Config`] if it is not one, or asks for scaled rotary positions.
    pub fn from_hf(json: &[u8]) -> Result<Self> {
        let fields = Fields::read(json)?;
        fields.must_be("hidden_act", "silu")?;
        fields.must_be("model_type", "qwen2")?;
        if fields.0.get("use_sliding_window") == Some(&Value::Bool(true)) {
            return Err(Error::Config("`use_sliding_window` is `true`; allowed is `false`".into()));
        }
        let rope = Fields(
            fields.0.get("rope_parameters").or_else(|| fields.0.get("rope_scaling")).cloned().unwrap_or(Value::Null),
        );
        rope.must_be("rope_type", "default")?;
        let heads = fields.size("num_attention_heads")?;
        let config = Self {
            vocabulary: fields.size("vocab_size")?,
            hidden: fields.size("hidden_size")?,
            layers: fields.size("num_hidden_layers")?,
            heads,
            kv_heads: fields.size("num_key_value_heads").unwrap_or(heads),
            intermediate: fields.size("intermediate_size")?,
            theta: rope.number("rope_theta").or_else(|| fields.number("rope_theta")).unwrap_or(10_000.0),
            epsilon: fields.number("rms_norm_eps").unwrap_or(1e-6),
            tied: fields.0.get("tie_word_embeddings").and_then(Value::as_bool).unwrap_or(false),
            cross: None,
        };
        config.check().map(|()| config)
    }

    /// Width of one head.
    #[must_use]
    pub fn head(&self) -> usize {
        self.hidden / self.heads.max(1)
    }

    /// Whether a network of these sizes can exist.
    ///
    /// # Errors
    /// [`Error::Config`] names the key, what was found and what is allowed.
    pub fn check(&self) -> Result<()> {
        let sizes = [
            ("vocabulary", self.vocabulary),
            ("hidden", self.hidden),
            ("layers", self.layers),
            ("heads", self.heads),
            ("kv_heads", self.kv_heads),
        ];
        sizes
            .into_iter()
            .chain([("intermediate", self.intermediate)])
            .try_for_each(|(key, size)| in_range(key, size))?;
        divides("heads", self.heads, "hidden", self.hidden)?;
        divides("kv_heads", self.kv_heads, "heads", self.heads)?;
        if self.head() % 2 == 1 {
            return Err(Error::Config(format!(
                "`hidden / heads` is `{}`; rotary positions need an even number",
                self.head()
            )));
        }
        positive("epsilon", self.epsilon)?;
        positive("theta", self.theta)?;
        match &self.cross {
            Some(cross) if !cross.gate.is_finite() => {
                Err(Error::Config(format!("`cross.gate` is `{}`; a finite number is needed", cross.gate)))
            }
            Some(cross) => in_range("cross.width", cross.width),
            None => Ok(()),
        }
    }
}

/// A million bounds every size, so that a hostile config cannot ask for absurd memory by one key.
pub(crate) fn in_range(key: &str, size: usize) -> Result<()> {
    match size {
        1..=1_000_000 => Ok(()),
        _ => Err(Error::Config(format!("`{key}` is `{size}`; allowed are 1 to 1000000"))),
    }
}

fn divides(small_key: &str, small: usize, large_key: &str, large: usize) -> Result<()> {
    if large.is_multiple_of(small) {
        return Ok(());
    }
    Err(Error::Config(format!("`{small_key}` is `{small}`; it must divide `{large_key}`, which is `{large}`")))
}

fn positive(key: &str, value: f64) -> Result<()> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(Error::Config(format!("`{key}` is `{value}`; a number above 0 is needed")))
}

/// Reads single keys of somebody else's JSON, which may have any others.
struct Fields(Value);

impl Fields {
    fn read(json: &[u8]) -> Result<Self> {
        serde_json::from_slice(json).map(Self).map_err(|e| Error::Config(format!("not JSON: {e}")))
    }

    fn size(&self, key: &str) -> Result<usize> {
        let found = self.0.get(key).unwrap_or(&Value::Null);
        let size = found.as_u64().and_then(|n| usize::try_from(n).ok());
        size.ok_or_else(|| Error::Config(format!("`{key}` is `{found}`; a whole number is needed")))
    }

    fn number(&self, key: &str) -> Option<f64> {
        self.0.get(key).and_then(Value::as_f64)
    }

    /// The key is absent, null, or exactly this.
    fn must_be(&self, key: &str, allowed: &str) -> Result<()> {
        match self.0.get(key) {
            None | Some(Value::Null) => Ok(()),
            Some(Value::String(found)) if found == allowed => Ok(()),
            Some(found) => Err(Error::Config(format!("`{key}` is `{found}`; allowed is `{allowed}`"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_generations_of_qwen2_configs_are_read() {
        let common = r#""model_type": "qwen2", "hidden_act": "silu", "vocab_size": 100, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
            "num_key_value_heads": 2, "intermediate_size": 64, "rms_norm_eps": 1e-6, "tie_word_embeddings": true"#;
        let four = format!(r#"{{{common}, "rope_theta": 1000000.0, "sliding_window": 4096}}"#);
        let five = format!(
            r#"{{{common}, "rope_parameters": {{"rope_theta": 1000000.0, "rope_type": "default"}}, "sliding_window": null}}"#
        );
        let (four, five) =
            (DecoderConfig::from_hf(four.as_bytes()).unwrap(), DecoderConfig::from_hf(five.as_bytes()).unwrap());
        assert_eq!(four, five);
        assert_eq!((four.theta, four.head(), four.tied), (1e6, 8, true));
        let scaled = format!(r#"{{{common}, "rope_parameters": {{"rope_theta": 1e4, "rope_type": "yarn"}}}}"#);
        assert!(
            DecoderConfig::from_hf(scaled.as_bytes()).unwrap_err().to_string().contains("`rope_type` is `\"yarn\"`")
        );
    }

    #[test]
    fn impossible_sizes_are_refused() {
        let good = DecoderConfig {
            vocabulary: 9,
            hidden: 8,
            layers: 1,
            heads: 2,
            kv_heads: 1,
            intermediate: 4,
            theta: 1e4,
            epsilon: 1e-6,
            tied: true,
            cross: None,
        };
        assert!(good.check().is_ok());
        let bad = [
            DecoderConfig { heads: 3, ..good.clone() },
            DecoderConfig { heads: 0, ..good.clone() },
            DecoderConfig { heads: 8, ..good.clone() },
            DecoderConfig { kv_heads: 0, ..good.clone() },
            DecoderConfig { hidden: usize::MAX, ..good.clone() },
            DecoderConfig { theta: f64::NAN, ..good.clone() },
            DecoderConfig { cross: Some(CrossConfig { width: 4, gate: f64::INFINITY }), ..good.clone() },
        ];
        for config in bad {
            assert!(matches!(config.check(), Err(Error::Config(_))), "{config:?}");
        }
    }
}
