//! The configuration of a training run (`configs/train/*.toml`). Unknown keys fail. With `base = "default.toml"` a file
//! holds only what differs from the file of that name beside it.

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

fn text(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })
}

/// The file beside `path` that it differs from.
fn base_of(path: &Path, base: &toml::Value) -> Result<toml::Table, ConfigError> {
    let wrong =
        |found: String| ConfigError::Value { key: "base", found, allowed: "a file beside this one, without a base" };
    let name = base.as_str().ok_or_else(|| wrong(base.to_string()))?;
    let path = path.with_file_name(name);
    let table: toml::Table = toml::from_str(&text(&path)?)
        .map_err(|source| ConfigError::Parse { path: path.clone(), source: Box::new(source) })?;
    if table.contains_key("base") { Err(wrong(format!("`{name}`, which has one"))) } else { Ok(table) }
}

/// Puts every value of `differences` over that of `whole`, table by table.
fn merge(whole: &mut toml::Table, differences: toml::Table) {
    for (key, value) in differences {
        match (whole.get_mut(&key), value) {
            (Some(toml::Value::Table(inner)), toml::Value::Table(differences)) => merge(inner, differences),
            (_, value) => {
                whole.insert(key, value);
            }
        }
    }
}

impl TrainConfig {
    /// Reads and checks a configuration; relative paths are taken from `root`.
    ///
    /// # Errors
    /// When it does not read, parse, or make sense.
    pub fn read(path: &Path, root: &Path) -> Result<Self, ConfigError> {
        let broken = |source| ConfigError::Parse { path: path.to_owned(), source: Box::new(source) };
        let text = text(path)?;
        let mut differences: toml::Table = toml::from_str(&text).map_err(broken)?;
        let mut config: Self = match differences.remove("base") {
            // Read from the text, an error can say on which line it is.
            None => toml::from_str(&text),
            Some(base) => {
                let mut whole = base_of(path, &base)?;
                merge(&mut whole, differences);
                whole.try_into()
            }
        }
        .map_err(broken)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped(name: &str) -> Result<TrainConfig, ConfigError> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        TrainConfig::read(&root.join("configs/train").join(name), &root)
    }

    #[test]
    fn a_file_with_a_base_differs_in_what_it_says_only() {
        let (whole, scratch) = (shipped("default.toml").unwrap(), shipped("scratch.toml").unwrap());
        assert!(scratch.start.scratch && !whole.start.scratch);
        assert_eq!(scratch.start.hidden, whole.start.hidden);
        assert_eq!(scratch.loss, whole.loss);
    }

    #[test]
    fn bases_that_are_none_are_refused() {
        let folder = std::env::temp_dir().join(format!("tomas-base-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
        write("a.toml", "base = \"b.toml\"");
        write("b.toml", "base = \"a.toml\"");
        write("c.toml", "base = 3");
        write("d.toml", "base = \"missing.toml\"");
        let said = |name: &str| TrainConfig::read(&folder.join(name), &folder).unwrap_err().to_string();
        assert!(said("a.toml").contains("which has one"), "{}", said("a.toml"));
        assert!(said("c.toml").contains("`base` is 3"), "{}", said("c.toml"));
        assert!(said("d.toml").contains("cannot be read"), "{}", said("d.toml"));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
