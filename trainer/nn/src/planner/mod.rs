//! The planner's network: an encoder that reads the request, a decoder that writes the plan, and
//! heads that choose tools, configurations, symbols and pieces.
//!
//! Training asks for [`PlannerNet::loss`] of a [`Batch`]; planning begins a [`Decoding`] for each
//! request and pushes one choice after the other. Both run the same modules on the same parameters.

mod batch;
mod checkpoint;
mod config;
mod decoding;
mod heads;
mod loss;
mod parallel;

pub use batch::{Batch, Example};
pub use checkpoint::{Checkpoint, load, save};
pub use config::{ConfigurationRow, PlannerConfig};
pub use decoding::{Decoding, log_softmax};
pub use loss::{LossParts, LossWeights, Part};
pub use parallel::{Losses, Workers};

use candle_core::{Device, Tensor};

use crate::decoder::Decoder;
use crate::encoder::Encoder;
use crate::error::{Error, Result};
use crate::parameters::{Parameters, Random};
use crate::weights::Tensors;
use heads::{ConfigurationHead, PointerHead, RouteHead};

/// The network and its parameters, whose groups are `encoder`, `decoder`, `route`, `configuration`
/// and `pointer`.
#[derive(Clone, Debug)]
pub struct PlannerNet {
    config: PlannerConfig,
    parameters: Parameters,
    encoder: Encoder,
    decoder: Decoder,
    route: RouteHead,
    configuration: ConfigurationHead,
    pointer: PointerHead,
}

impl PlannerNet {
    /// A new network: the encoder from `encoder` (named as [`crate::encoder::from_hf`] gives them;
    /// rows of the position table beyond the config's are cut off) or, without it, at random; all
    /// else from the seed.
    ///
    /// # Errors
    /// [`Error::Config`], or [`Error::Missing`] and [`Error::Shape`] for the encoder's tensors.
    pub fn new(config: &PlannerConfig, seed: u64, encoder: Option<&Tensors>, device: &Device) -> Result<Self> {
        config.check()?;
        let mut parameters = Parameters::growing(seed, device);
        if let Some(tensors) = encoder {
            let mut loaded = Parameters::loaded(&Tensors::new(), device)?;
            for (name, tensor) in tensors {
                let rows = config.encoder.positions;
                let cut =
                    name == "embeddings.position_embeddings.weight" && tensor.dims().first().is_some_and(|n| *n > rows);
                let tensor = if cut { &tensor.narrow(0, 0, rows)? } else { tensor };
                loaded.insert(&format!("encoder.{name}"), tensor)?;
            }
            Encoder::new(&config.encoder, &mut loaded.scope("encoder"))?;
            parameters.adopt(loaded);
        }
        Self::build(config, parameters)
    }

    /// Builds the modules on a store of parameters.
    ///
    /// # Errors
    /// [`Error::Config`], or [`Error::Missing`], [`Error::Shape`] and [`Error::Input`] (a tensor
    /// that is not used) where store and config do not belong together.
    pub fn build(config: &PlannerConfig, mut parameters: Parameters) -> Result<Self> {
        config.check()?;
        let encoder = Encoder::new(&config.encoder, &mut parameters.scope("encoder"))?;
        let decoder = Decoder::new(&config.decoder, &mut parameters.scope("decoder"))?;
        let route = RouteHead::new(config, &mut parameters)?;
        let configuration = ConfigurationHead::new(config, &mut parameters)?;
        let pointer = PointerHead::new(config, &mut parameters)?;
        if let Some(name) = parameters.unused() {
            return Err(Error::Input(format!(
                "tensor `{name}` is not part of this network\nhint: load the weights with the config saved beside them"
            )));
        }
        Ok(Self { config: config.clone(), parameters, encoder, decoder, route, configuration, pointer })
    }

    /// The same network (the same variables), in which training may change only the parameters
    /// whose names `decide` accepts. No gradient is computed for the others.
    ///
    /// # Errors
    /// None that [`PlannerNet::build`] did not give before.
    pub fn trainable(mut self, decide: impl Fn(&str) -> bool) -> Result<Self> {
        self.parameters.set_trainable(decide);
        Self::build(&self.config, self.parameters)
    }

    /// What the network is made of.
    #[must_use]
    pub fn config(&self) -> &PlannerConfig {
        &self.config
    }

    /// All variables, by name.
    #[must_use]
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Starts the routes' rows: `tools` is `(tools, width)` and `no_tool` `(width)`, means of
    /// [`PlannerNet::embed`] over descriptions or examples, scaled to length 1 here. The end of the
    /// plan starts at 0.
    ///
    /// # Errors
    /// [`Error::Tensor`] or [`Error::Shape`] if a shape differs.
    pub fn set_tool_rows(&self, tools: &Tensor, no_tool: &Tensor) -> Result<()> {
        let end = no_tool.zeros_like()?;
        let rows = Tensor::cat(&[tools, &no_tool.unsqueeze(0)?], 0)?;
        let rows = Tensor::cat(&[&unit_rows(&rows)?, &end.unsqueeze(0)?], 0)?;
        self.parameters.set("route.rows.weight", &rows)
    }

    /// Starts the configurations' rows from `features`, `(configurations, any)`: alike where the
    /// features are alike. Each feature becomes one random direction.
    ///
    /// # Errors
    /// [`Error::Tensor`] or [`Error::Shape`] if the number of rows differs.
    pub fn set_configuration_rows(&self, features: &Tensor, seed: u64) -> Result<()> {
        let (_, count) = features.dims2()?;
        let hidden = self.config.decoder.hidden;
        let mut random = Random::new(seed, "configuration.features");
        // Rows of unit features get the deviation 0.05 that other rows start with.
        let directions: Vec<f32> = (0..count * hidden).map(|_| 0.05 * random.normal()).collect();
        let directions = Tensor::from_vec(directions, (count, hidden), features.device())?;
        let norm = (count as f64).sqrt();
        self.parameters.set("configuration.rows.weight", &(unit_rows(features)?.matmul(&directions)? * norm.min(2.0))?)
    }

    /// What the decoder reads for every symbol and, behind them, every configuration.
    fn symbol_inputs(&self) -> Result<Tensor> {
        Ok(Tensor::cat(&[self.decoder.embedding(), &self.configuration.inputs(&self.route.rows)?], 0)?)
    }
}

/// Rows scaled to length 1; a row of zeros stays.
fn unit_rows(rows: &Tensor) -> Result<Tensor> {
    Ok(rows.broadcast_div(&(rows.sqr()?.sum_keepdim(1)? + 1e-12)?.sqrt()?)?)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod toy;
