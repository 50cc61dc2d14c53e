//! Supervised fine-tuning: built data → checkpoint.
//!
//! A run is a folder: `config.toml` (resolved, written before step one), `metrics.jsonl`, `loss.svg`, `state/` (what it
//! resumes from) and `checkpoint/` (what a planner opens). The order of samples is a function of seed and step, so a
//! resumed run sees exactly what an uninterrupted one would have.

use crate::{
    data::{
        sample::{Sample, Target},
        split::Split,
        store,
    },
    encode::{EncodeError, Encoded, SampleEncoder},
    recipe::{
        config::TrainConfig,
        curve,
        error::TrainError,
        start::{self, Begun},
    },
};
use fastrand::Rng;
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};
use tomas_core::{
    registry::Registry,
    token::{CheckpointManifest, TokenTable},
};
use tomas_nn::{
    folder,
    optimizer::{AdamW, AdamWConfig},
    parameters,
    planner::{Batch, Example, Losses, PlannerNet, Workers},
    weights::{self, Precision},
};

/// A line of `metrics.jsonl`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Metrics {
    /// Step, from 1.
    pub step: u64,
    /// `train` or `dev`.
    pub side: String,
    /// Weighted sum of the parts.
    pub loss: f32,
    /// Tools.
    pub route: f32,
    /// Configurations.
    pub configuration: f32,
    /// Symbols.
    pub symbol: f32,
    /// Pieces.
    pub pointer: f32,
    /// Learning rate.
    pub rate: f64,
    /// Gradient norm before clipping.
    pub norm: f64,
    /// Samples a second since the last line.
    pub samples_per_second: f64,
}

#[derive(Serialize, Deserialize)]
struct RunState {
    step: u64,
}

/// Runs or resumes a training run and returns the checkpoint folder.
///
/// # Errors
/// See [`TrainError`]; what was saved before stays.
pub fn train(config: &TrainConfig, quiet: bool) -> Result<PathBuf, TrainError> {
    let registry = open_registry(&config.registry)?;
    let samples = store::read(&config.data, Split::Train)?;
    if samples.is_empty() {
        return Err(TrainError::Empty(config.data.clone()));
    }
    let dev: Vec<Sample> = store::read(&config.data, Split::Dev)?;
    claim(config)?;
    tomas_nn::kernels::set_bf16(config.bf16);
    let mut begun = start::begin(config, &registry, &samples)?;
    begun.net = begun.net.trainable(|_| true)?;
    let tokens = TokenTable::atomic(&registry);
    let replies = replies(&samples)?;
    let encoded = encode(&begun, &registry, &tokens, &replies, &samples)?;
    let dev = encode(&begun, &registry, &tokens, &replies, &store::spread(dev, config.dev_samples))?;
    let mut run = Run::new(config, begun, registry, tokens, replies)?;
    let bar = bar(config.schedule.steps, run.step, quiet);
    let mut order = Order::new(config);
    let mut since = (Instant::now(), 0usize);
    while run.step < config.schedule.steps {
        let indices = order.of(&encoded, run.step);
        let (parts, norm) = run.update(&encoded, &indices)?;
        since.1 += indices.len();
        bar.set_position(run.step);
        if run.step.is_multiple_of(20) || run.step == config.schedule.steps {
            #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
            let speed = since.1 as f64 / since.0.elapsed().as_secs_f64();
            let line = run.metrics("train", &parts, norm, speed);
            bar.set_message(format!(
                "loss {:.3} (tool {:.3}, configuration {:.3}, symbol {:.3}, piece {:.3}) {speed:.0} samples/s",
                line.loss, line.route, line.configuration, line.symbol, line.pointer
            ));
            run.log(&line)?;
            since = (Instant::now(), 0);
        }
        if run.step.is_multiple_of(config.dev_every) || run.step == config.schedule.steps {
            let line = run.look(&dev)?;
            run.log(&line)?;
            bar.println(format!(
                "step {}: dev loss {:.4} (tool {:.4}, configuration {:.4}, symbol {:.4}, piece {:.4})",
                run.step, line.loss, line.route, line.configuration, line.symbol, line.pointer
            ));
            curve::draw(&config.out).map_err(|source| TrainError::Io { path: config.out.join("loss.svg"), source })?;
        }
        if run.step.is_multiple_of(config.save_every) || run.step == config.schedule.steps {
            run.save()?;
        }
    }
    bar.finish();
    run.checkpoint()
}

/// Reads a sealed registry.
///
/// # Errors
/// When it is missing or damaged.
pub fn open_registry(path: &Path) -> Result<Registry, TrainError> {
    let text = fs::read_to_string(path).map_err(|source| TrainError::Io { path: path.to_owned(), source })?;
    Ok(Registry::open(&text)?)
}

/// Writes the resolved configuration before step one, or checks that it is the same run that goes on.
fn claim(config: &TrainConfig) -> Result<(), TrainError> {
    let path = config.out.join("config.toml");
    let io = |source| TrainError::Io { path: path.clone(), source };
    let text = toml::to_string_pretty(config).map_err(|e| io(io::Error::other(e)))?;
    match fs::read_to_string(&path) {
        Ok(found) if found == text => Ok(()),
        Ok(_) => Err(TrainError::OtherRun(config.out.clone())),
        Err(_) => fs::create_dir_all(&config.out).and_then(|()| fs::write(&path, text)).map_err(io),
    }
}

fn encode(
    begun: &Begun,
    registry: &Registry,
    tokens: &TokenTable,
    replies: &[String],
    samples: &[Sample],
) -> Result<Vec<Encoded>, EncodeError> {
    let tools = &begun.net.config().tools;
    let encoder = SampleEncoder { pieces: &begun.pieces, tokens, tools, levels: registry.levels(), replies };
    samples.iter().map(|s| encoder.encode(s)).collect()
}

/// Batches of about one length are drawn from stretches of this many.
const STRETCH: usize = 8;

/// Which samples each step takes: a function of seed and step alone. An epoch is shuffled, cut into stretches, each
/// sorted by length and cut into batches, whose order is shuffled within the stretch.
struct Order {
    seed: u64,
    batch: usize,
    epoch: Option<u64>,
    shuffled: Vec<usize>,
}

impl Order {
    const fn new(config: &TrainConfig) -> Self {
        Self { seed: config.seed, batch: config.batch, epoch: None, shuffled: Vec::new() }
    }

    fn of(&mut self, encoded: &[Encoded], step: u64) -> Vec<usize> {
        let batches = encoded.len().div_ceil(self.batch) as u64;
        let (epoch, within) = (step / batches, usize::try_from(step % batches).unwrap_or(0));
        if self.epoch != Some(epoch) {
            self.shuffled = (0..encoded.len()).collect();
            Rng::with_seed(self.seed.wrapping_mul(0x9e37_79b9).wrapping_add(epoch)).shuffle(&mut self.shuffled);
            self.epoch = Some(epoch);
        }
        let (stretch, batch) = (within / STRETCH, within % STRETCH);
        let Some(mut chosen) = self.shuffled.chunks(STRETCH * self.batch).nth(stretch).map(<[usize]>::to_vec) else {
            return Vec::new();
        };
        chosen.sort_by_key(|&i| encoded.get(i).map_or(0, |e| e.pieces.len()));
        let mut places: Vec<usize> = (0..chosen.len().div_ceil(self.batch)).collect();
        Rng::with_seed(self.seed ^ (epoch << 20) ^ stretch as u64).shuffle(&mut places);
        let place = places.get(batch).copied().unwrap_or(0);
        chosen.chunks(self.batch).nth(place).map(<[usize]>::to_vec).unwrap_or_default()
    }
}

/// The replies are numbered by a byte.
const MAX_REPLIES: usize = 256;

/// All replies of the samples, each once.
fn replies(samples: &[Sample]) -> Result<Vec<String>, TrainError> {
    let reply = |s: &Sample| match &s.target {
        Target::Reply(text) => Some(text.clone()),
        _ => None,
    };
    let distinct: BTreeSet<String> = samples.iter().filter_map(reply).collect();
    if distinct.len() > MAX_REPLIES {
        return Err(TrainError::Replies { found: distinct.len(), allowed: MAX_REPLIES });
    }
    Ok(distinct.into_iter().collect())
}

fn examples<'e>(encoded: &'e [Encoded], indices: &[usize]) -> Vec<Example<'e>> {
    let example = |e: &'e Encoded| Example { pieces: &e.pieces.ids, script: &e.script, weight: 1.0 };
    indices.iter().filter_map(|&i| encoded.get(i)).map(example).collect()
}

struct Run<'a> {
    config: &'a TrainConfig,
    net: PlannerNet,
    tokenizer: Vec<u8>,
    optimizer: AdamW,
    registry: Registry,
    tokens: TokenTable,
    workers: Workers,
    replies: Vec<String>,
    step: u64,
}

impl<'a> Run<'a> {
    fn new(
        config: &'a TrainConfig,
        begun: Begun,
        registry: Registry,
        tokens: TokenTable,
        replies: Vec<String>,
    ) -> Result<Self, TrainError> {
        let o = config.optimizer;
        let rate = |name: &str| if parameters::group(name) == "encoder" { o.encoder_rate } else { 1.0 };
        let groups = begun.net.parameters().optimizer_groups(o.weight_decay, rate);
        let settings = AdamWConfig { beta1: o.beta1, beta2: o.beta2, eps: o.eps };
        let optimizer = AdamW::new(groups, settings, config.schedule.rate(0)).map_err(tomas_nn::Error::from)?;
        let workers = Workers::new(config.workers)?;
        let mut run = Self {
            config,
            net: begun.net,
            tokenizer: begun.tokenizer,
            optimizer,
            registry,
            tokens,
            workers,
            replies,
            step: 0,
        };
        run.resume()?;
        Ok(run)
    }

    fn state(&self) -> PathBuf {
        self.config.out.join("state")
    }

    fn resume(&mut self) -> Result<(), TrainError> {
        let folder = self.state();
        let Ok(text) = fs::read_to_string(folder.join("state.json")) else { return Ok(()) };
        let io = |source| TrainError::Io { path: folder.join("state.json"), source };
        let state: RunState = serde_json::from_str(&text).map_err(|e| io(io::Error::other(e)))?;
        for (name, tensor) in &weights::read(&folder.join("weights.safetensors"), &tomas_nn::cpu())? {
            self.net.parameters().set(name, tensor)?;
        }
        let moments = weights::read(&folder.join("moments.safetensors"), &tomas_nn::cpu())?.into_iter().collect();
        self.optimizer.restore(&moments, state.step).map_err(tomas_nn::Error::from)?;
        self.step = state.step;
        Ok(())
    }

    fn save(&self) -> Result<(), TrainError> {
        folder::write(&self.state(), |folder| {
            let named = self.net.parameters().iter().map(|(n, p)| (n, p.var.as_tensor()));
            weights::write(&folder.join("weights.safetensors"), named, Precision::Float)?;
            let moments = self.optimizer.moments()?;
            let named = moments.iter().map(|(n, t)| (n.as_str(), t));
            weights::write(&folder.join("moments.safetensors"), named, Precision::Float)?;
            let path = folder.join("state.json");
            let text = serde_json::to_string(&RunState { step: self.step })
                .map_err(|e| tomas_nn::Error::Input(e.to_string()))?;
            fs::write(&path, text).map_err(tomas_nn::Error::io("write", &path))
        })?;
        Ok(())
    }

    /// One step; stops before the optimizer where the loss is not finite.
    fn update(&mut self, encoded: &[Encoded], indices: &[usize]) -> Result<(Losses, f64), TrainError> {
        let examples = examples(encoded, indices);
        let (losses, gradients) = self.net.gradients(&examples, &self.config.loss, &self.workers)?;
        if !losses.total.is_finite() {
            return Err(TrainError::Diverged { step: self.step + 1, loss: losses.total });
        }
        self.optimizer.set_rate(self.config.schedule.rate(self.step));
        let norm =
            self.optimizer.step_clipped(&gradients, self.config.optimizer.clip).map_err(tomas_nn::Error::from)?;
        if !norm.is_finite() {
            return Err(TrainError::Diverged { step: self.step + 1, loss: f32::NAN });
        }
        self.step += 1;
        Ok((losses, norm))
    }

    /// The mean loss over development samples.
    fn look(&self, dev: &[Encoded]) -> Result<Metrics, TrainError> {
        let indices: Vec<usize> = (0..dev.len()).collect();
        let mut sums = [0.0f64; 4];
        let mut counts = [0.0f64; 4];
        for chunk in indices.chunks(self.config.batch) {
            let batch = Batch::new(self.net.config(), &examples(dev, chunk), &tomas_nn::cpu())?;
            let parts = self.net.loss(&batch, &self.config.loss)?;
            for (i, part) in [parts.route, parts.configuration, parts.symbol, parts.pointer].into_iter().enumerate() {
                if let (Some(sum), Some(count)) = (sums.get_mut(i), counts.get_mut(i)) {
                    *sum += f64::from(part.loss) * f64::from(part.count);
                    *count += f64::from(part.count);
                }
            }
        }
        let mean = |i: usize| sums.get(i).unwrap_or(&0.0) / counts.get(i).unwrap_or(&1.0).max(1.0);
        let weights = &self.config.loss;
        let weighted = [weights.route, weights.configuration, weights.symbol, weights.pointer];
        let loss: f64 = weighted.into_iter().enumerate().map(|(i, weight)| weight * mean(i)).sum();
        #[expect(clippy::cast_possible_truncation, reason = "losses for people")]
        let [loss, route, configuration, symbol, pointer] =
            [loss, mean(0), mean(1), mean(2), mean(3)].map(|x| x as f32);
        let rate = self.config.schedule.rate(self.step);
        Ok(Metrics {
            step: self.step,
            side: "dev".to_owned(),
            loss,
            route,
            configuration,
            symbol,
            pointer,
            rate,
            norm: 0.0,
            samples_per_second: 0.0,
        })
    }

    fn metrics(&self, side: &str, parts: &Losses, norm: f64, samples_per_second: f64) -> Metrics {
        Metrics {
            step: self.step,
            side: side.to_owned(),
            loss: parts.total,
            route: parts.route.loss,
            configuration: parts.configuration.loss,
            symbol: parts.symbol.loss,
            pointer: parts.pointer.loss,
            rate: self.config.schedule.rate(self.step),
            norm,
            samples_per_second,
        }
    }

    fn log(&self, line: &Metrics) -> Result<(), TrainError> {
        let path = self.config.out.join("metrics.jsonl");
        let append = || -> io::Result<()> {
            let mut file = fs::OpenOptions::new().create(true).append(true).open(&path)?;
            file.write_all((serde_json::to_string(line)? + "\n").as_bytes())
        };
        append().map_err(|source| TrainError::Io { path: path.clone(), source })
    }

    fn checkpoint(&self) -> Result<PathBuf, TrainError> {
        let folder = self.config.out.join("checkpoint");
        let manifest = Manifest { run: self };
        tomas_nn::planner::save(&self.net, &self.tokenizer, &folder, Precision::Int8, |folder| manifest.write(folder))?;
        Ok(folder)
    }
}

struct Manifest<'a> {
    run: &'a Run<'a>,
}

impl Manifest<'_> {
    fn write(&self, folder: &Path) -> tomas_nn::Result<()> {
        let path = folder.join("model.safetensors");
        let bytes = fs::read(&path).map_err(tomas_nn::Error::io("read", &path))?;
        let run = self.run;
        let manifest = CheckpointManifest {
            weights: blake3::hash(&bytes).to_hex().to_string(),
            binding: run.tokens.binding(&run.registry),
            // `eval --tune` chooses it.
            no_tool_bias: 0.0,
            steps: run.step,
            seed: run.config.seed,
            encoder: run.config.start.origin.clone(),
            replies: run.replies.clone(),
        };
        write_manifest(folder, &manifest)
    }
}

/// Writes `manifest.json` into a checkpoint folder.
///
/// # Errors
/// When the disk does not take it.
pub fn write_manifest(folder: &Path, manifest: &CheckpointManifest) -> tomas_nn::Result<()> {
    let path = folder.join("manifest.json");
    let text = serde_json::to_string_pretty(manifest).map_err(|e| tomas_nn::Error::Input(e.to_string()))?;
    fs::write(&path, text + "\n").map_err(tomas_nn::Error::io("write", &path))
}

fn bar(steps: u64, done: u64, quiet: bool) -> Arc<ProgressBar> {
    if quiet {
        return Arc::new(ProgressBar::hidden());
    }
    let bar = ProgressBar::new(steps).with_position(done);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} [{elapsed_precise} < {eta_precise}] {msg}") {
        bar.set_style(style);
    }
    Arc::new(bar)
}
