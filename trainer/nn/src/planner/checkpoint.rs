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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::toy::{WORDS, config};
    use crate::toy;

    #[test]
    fn damaged_checkpoints_are_clean_errors() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("model");
        let net = PlannerNet::new(&config(), 7, None, &Device::Cpu).unwrap();
        let write = || save(&net, &toy::tokenizer(WORDS), &path, Precision::Float, |_| Ok(())).unwrap();
        for name in ["planner.json", "model.safetensors", "tokenizer.json"] {
            write();
            load(&path, &Device::Cpu).unwrap();
            let file = path.join(name);
            let whole = std::fs::read(&file).unwrap();
            for bytes in [&whole[..0], &whole[..7], &whole[..whole.len() / 2], b"{}", b"null", b"\xff\x00garbage"] {
                std::fs::write(&file, bytes).unwrap();
                let error = load(&path, &Device::Cpu).unwrap_err();
                assert!(matches!(error, Error::Malformed { .. }), "{name}: {error}");
                assert!(error.to_string().contains(name));
            }
            std::fs::remove_file(&file).unwrap();
            assert!(matches!(load(&path, &Device::Cpu), Err(Error::Io { .. })));
        }
        let mut foreign = config();
        let refuse = |config: &PlannerConfig, say: &str| {
            write();
            std::fs::write(path.join("planner.json"), serde_json::to_vec(config).unwrap()).unwrap();
            let error = load(&path, &Device::Cpu).unwrap_err().to_string();
            assert!(error.contains(say), "{error}");
        };
        foreign.configurations[5].tool = 3;
        refuse(&foreign, "there are `3` tools");
        foreign = config();
        foreign.tools.push("more".into());
        refuse(&foreign, "tensor `route.rows.weight` has shape");
        foreign = config();
        foreign.decoder.layers = 1;
        refuse(&foreign, "is not part of this network");
        foreign.decoder.layers = 3;
        refuse(&foreign, "is missing");
        foreign = config();
        foreign.encoder.vocabulary += 1;
        refuse(&foreign, "the encoder has rows for");
        foreign = config();
        foreign.piece_limit = 2;
        refuse(&foreign, "`piece_limit` is `2`");
        let text = String::from_utf8(serde_json::to_vec(&config()).unwrap()).unwrap().replacen('{', "{\"extra\":1,", 1);
        write();
        std::fs::write(path.join("planner.json"), text).unwrap();
        assert!(load(&path, &Device::Cpu).unwrap_err().to_string().contains("unknown field `extra`"));
        assert!(load(Path::new("/nowhere"), &Device::Cpu).is_err());
    }
}
