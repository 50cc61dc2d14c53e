//! A planner in a folder: `planner.json`, `model.safetensors`, `tokenizer.json`.

use std::path::Path;

use candle_core::Device;

use super::{PlannerConfig, PlannerNet};
use crate::error::{Error, Result};
use crate::folder;
use crate::parameters::Parameters;
use crate::piece::PieceEncoder;
use crate::weights::{self, Precision};

const CONFIG: &str = "planner.json";
const WEIGHTS: &str = "model.safetensors";
const TOKENIZER: &str = "tokenizer.json";

/// A planner as loaded.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// The network.
    pub net: PlannerNet,
    /// Its tokenizer, with its piece limit.
    pub pieces: PieceEncoder,
}

/// Writes a checkpoint folder, complete or not at all. `more` may write further files into it.
///
/// # Errors
/// [`Error::Io`], [`Error::Input`] if a weight is not finite, or what `more` returned.
pub fn save(
    net: &PlannerNet,
    tokenizer_json: &[u8],
    path: &Path,
    precision: Precision,
    more: impl FnOnce(&Path) -> Result<()>,
) -> Result<()> {
    folder::write(path, |folder| {
        let put = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).map_err(Error::io("write", path));
        let mut config = serde_json::to_vec_pretty(&net.config).map_err(|e| Error::Config(e.to_string()))?;
        config.push(b'\n');
        put(CONFIG, &config)?;
        put(TOKENIZER, tokenizer_json)?;
        let tensors = net.parameters.iter().map(|(name, parameter)| (name, parameter.var.as_tensor()));
        weights::write(&folder.join(WEIGHTS), tensors, precision)?;
        more(folder)
    })
}

/// Loads a checkpoint folder for planning: nothing in it is trainable, and no operation keeps what
/// a gradient would need. To train it further, call [`PlannerNet::trainable`].
///
/// # Errors
/// [`Error::Io`] for a missing file, [`Error::Malformed`] and others for files that are damaged or
/// do not belong together.
pub fn load(path: &Path, device: &Device) -> Result<Checkpoint> {
    let file = path.join(CONFIG);
    let json = std::fs::read(&file).map_err(Error::io("read", &file))?;
    let config: PlannerConfig = serde_json::from_slice(&json).map_err(|e| Error::malformed(&file, e.to_string()))?;
    config.check().map_err(|e| Error::malformed(&file, e.to_string()))?;
    let file = path.join(TOKENIZER);
    let pieces = PieceEncoder::open(&file, config.piece_limit)?;
    let (found, rows) = (pieces.vocabulary(), config.encoder.vocabulary);
    if found != rows {
        return Err(Error::malformed(&file, format!("it has `{found}` pieces, the encoder has rows for `{rows}`")));
    }
    let mut parameters = Parameters::loaded(&weights::read(&path.join(WEIGHTS), device)?, device)?;
    parameters.set_trainable(|_| false);
    Ok(Checkpoint { net: PlannerNet::build(&config, parameters)?, pieces })
}
