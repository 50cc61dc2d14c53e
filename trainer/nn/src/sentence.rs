//! Sentence embedders as sentence-transformers publishes them (all-MiniLM-L6-v2 is one): a BERT encoder, its tokenizer, the
//! mean of the states, scaled to length 1.
//!
//! Everything runs on the calling thread, and says beforehand how much memory it takes; see [`Encoder::read`].

use std::path::Path;

use candle_core::Device;
use serde_json::Value;

use crate::config::EncoderConfig;
use crate::encoder::{Encoder, from_hf};
use crate::error::{Error, Result};
use crate::parameters::Parameters;
use crate::piece::PieceEncoder;
use crate::weights;

/// Bytes that the tokenizer needs at most for a byte of text, and for any text. Measured, with room to spare: a text of
/// punctuation alone, in which each byte is a piece, needs 316 a byte; words need 100.
const TOKENIZER: (usize, usize) = (384, 4096);

/// A model in memory.
#[derive(Debug)]
pub struct Sentences {
    pieces: PieceEncoder,
    encoder: Encoder,
}

impl Sentences {
    /// Reads a folder with `config.json`, `model.safetensors` and `tokenizer.json`, and with `sentence_bert_config.json`
    /// and `1_Pooling/config.json` where the model has them.
    ///
    /// # Errors
    /// When a file is missing or malformed, or the model is of another kind: no BERT, or pooled otherwise.
    pub fn open(folder: &Path) -> Result<Self> {
        let path = folder.join("config.json");
        let config = EncoderConfig::from_hf(&std::fs::read(&path).map_err(Error::io("read", &path))?)?;
        only_mean(folder)?;
        let pieces = PieceEncoder::open(&folder.join("tokenizer.json"), limit(folder)?.min(config.positions))?;
        if pieces.vocabulary() > config.vocabulary {
            return Err(Error::Config(format!(
                "the tokenizer of `{}` knows `{}` pieces, the model `{}`",
                folder.display(),
                pieces.vocabulary(),
                config.vocabulary
            )));
        }
        let tensors = from_hf(weights::read(&folder.join("model.safetensors"), &Device::Cpu)?);
        let named = tensors.into_iter().map(|(name, tensor)| (format!("encoder.{name}"), tensor)).collect();
        let encoder = Encoder::new(&config, &mut Parameters::loaded(&named, &Device::Cpu)?.scope("encoder"))?;
        Ok(Self { pieces, encoder })
    }

    /// The network.
    #[must_use]
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// The pieces of a text, the first ones where it has more than the model reads, and whether it has.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if the tokenizer fails, which a WordPiece one does on no text.
    pub fn pieces(&self, text: &str) -> Result<(Vec<u32>, bool)> {
        self.pieces.head(text)
    }

    /// Bytes that [`pieces`](Self::pieces) takes for a text of so many bytes, at most.
    #[must_use]
    pub fn room(&self, bytes: usize) -> usize {
        bytes.min(self.pieces.head_bytes()) * TOKENIZER.0 + TOKENIZER.1
    }

    /// The mean of states `(length, hidden)`, scaled to length 1.
    #[must_use]
    pub fn pooled(&self, states: &[f32]) -> Vec<f32> {
        let width = self.encoder.config().hidden;
        let mut sum = vec![0f32; width];
        for row in states.chunks(width) {
            sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
        }
        let norm = sum.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-12);
        sum.iter_mut().for_each(|x| *x /= norm);
        sum
    }
}

/// How many pieces the model reads, by the first file that says so.
fn limit(folder: &Path) -> Result<usize> {
    let said = |file: &str, pointer: &str| -> Result<Option<usize>> {
        let found = optional(&folder.join(file))?;
        Ok(found.pointer(pointer).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok()))
    };
    Ok(match said("sentence_bert_config.json", "/max_seq_length")? {
        Some(limit) => limit,
        None => said("tokenizer.json", "/truncation/max_length")?.unwrap_or(usize::MAX),
    })
}

/// Refuses models that pool in another way than by the mean.
fn only_mean(folder: &Path) -> Result<()> {
    let path = folder.join("1_Pooling/config.json");
    match optional(&path)?.get("pooling_mode_mean_tokens") {
        None | Some(Value::Bool(true)) => Ok(()),
        Some(_) => Err(Error::malformed(&path, "`pooling_mode_mean_tokens` is not `true`; only the mean is supported")),
    }
}

/// A JSON file that may be missing.
fn optional(path: &Path) -> Result<Value> {
    match std::fs::read(path) {
        Ok(json) => serde_json::from_slice(&json).map_err(|error| Error::malformed(path, error.to_string())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Value::Null),
        Err(error) => Err(Error::io("read", path)(error)),
    }
}

#[cfg(test)]
#[path = "sentence_tests.rs"]
mod tests;
