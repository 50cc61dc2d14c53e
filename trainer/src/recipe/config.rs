//! The configuration of a training run (`configs/train/*.toml`). Unknown keys fail.

use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use tomas_nn::{planner::LossWeights, schedule::Schedule};

/// Everything that decides what comes out of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// Seed of initialisation and of the order of samples.
    pub seed: u64,
    /// Folder of built data.
    pub data: PathBuf,
    /// Registry that the data was built for.
    pub registry: PathBuf,
    /// Folder of the run: state, metrics, plot, and the checkpoint.
    pub out: PathBuf,
    /// Where the network starts.
    pub start: Start,
    /// Round the inputs of matrix products to bf16 where the processor has AMX: about three times as fast, sums stay f32.
    #[serde(default)]
    pub bf16: bool,
    /// Threads that share a step's samples. It decides how sums are rounded, so it belongs to the run.
    pub workers: usize,
    /// Samples a step.
    pub batch: usize,
    /// The learning rate over the run.
    pub schedule: Schedule,
    /// The optimizer.
    pub optimizer: Optimizer,
    /// How much each part of the loss counts.
    pub loss: LossWeights,
    /// Steps between writing the state that a run resumes from.
    pub save_every: u64,
    /// Steps between looks at development data.
    pub dev_every: u64,
    /// Development samples that each look takes.
    pub dev_samples: usize,
}

/// Where the network starts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// Folder of a MiniLM encoder (`model.safetensors`, `tokenizer.json`, `config.json`).
    pub encoder: PathBuf,
    /// Take only the encoder's sizes and tokenizer, and start its weights at random: what pretraining is worth is measured
    /// by this.
    #[serde(default)]
    pub scratch: bool,
    /// Origin and licence of the encoder, written into the checkpoint.
    pub origin: String,
    /// A checkpoint whose weights the run starts from, for the same tools and sizes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<PathBuf>,
    /// Vocabulary ids below this stay whether or not the data uses them (WordPiece ids ascend by rarity).
    pub keep_pieces: u32,
    /// The most pieces of a request.
    pub piece_limit: usize,
    /// Width in which pieces are pointed at.
    pub pointer: usize,
    /// Decoder width.
    pub hidden: usize,
    /// Decoder layers.
    pub layers: usize,
    /// Decoder query heads.
    pub heads: usize,
    /// Decoder key and value heads.
    pub kv_heads: usize,
    /// Decoder feed-forward width.
    pub intermediate: usize,
}

/// AdamW (Loshchilov and Hutter, 2019).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Optimizer {
    /// Decay of the mean gradient.
    pub beta1: f64,
    /// Decay of the mean squared gradient.
    pub beta2: f64,
    /// Added to its root.
    pub eps: f64,
    /// Decoupled weight decay of matrices.
    pub weight_decay: f64,
    /// Gradients are scaled down to this global norm.
    pub clip: f64,
    /// The encoder's learning rate over the decoder's, because it is pretrained.
    pub encoder_rate: f64,
}

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("`{path}` cannot be read: {source}\nhint: configs/train/ holds the recipes")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It does not parse.
    #[error("`{path}`: {source}")]
    Parse {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// A value is impossible.
    #[error("`{key}` is {found}; allowed is {allowed}\nhint: correct it in the training configuration")]
    Value {
        /// Which key.
        key: &'static str,
        /// What was found.
        found: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// The schedule is impossible.
    #[error("[schedule] {0}")]
    Schedule(tomas_nn::Error),
}

impl TrainConfig {
    /// Reads and checks a configuration; relative paths are taken from `root`.
    ///
    /// # Errors
    /// When it does not read, parse, or make sense.
    pub fn read(path: &Path, root: &Path) -> Result<Self, ConfigError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let mut config: Self = toml::from_str(&text)
            .map_err(|source| ConfigError::Parse { path: path.to_owned(), source: Box::new(source) })?;
        config.check()?;
        for path in [&mut config.data, &mut config.registry, &mut config.out, &mut config.start.encoder] {
            *path = root.join(&path);
        }
        if let Some(path) = &mut config.start.checkpoint {
            *path = root.join(&path);
        }
        Ok(config)
    }

    /// Checks what types alone do not.
    ///
    /// # Errors
    /// Names the first impossible value.
    pub fn check(&self) -> Result<(), ConfigError> {
        let value = |key, found: String, allowed| Err(ConfigError::Value { key, found, allowed });
        self.schedule.check().map_err(ConfigError::Schedule)?;
        if self.batch == 0 || self.batch > 4096 {
            return value("batch", self.batch.to_string(), "1 to 4096");
        }
        if self.workers == 0 || self.workers > 256 {
            return value("workers", self.workers.to_string(), "1 to 256");
        }
        if self.save_every == 0 || self.dev_every == 0 {
            return value("save_every / dev_every", "0".to_owned(), "1 and above");
        }
        let Optimizer { beta1, beta2, clip, encoder_rate, weight_decay, eps } = self.optimizer;
        if !((0.0..1.0).contains(&beta1) && (0.0..1.0).contains(&beta2)) {
            return value("optimizer.beta1 / beta2", format!("{beta1} / {beta2}"), "at least 0 and below 1");
        }
        if !(clip > 0.0 && encoder_rate >= 0.0 && weight_decay >= 0.0 && eps > 0.0) {
            return value(
                "optimizer",
                format!("clip {clip}, encoder_rate {encoder_rate}, weight_decay {weight_decay}, eps {eps}"),
                "clip and eps above 0, the others not negative",
            );
        }
        Ok(())
    }
}
