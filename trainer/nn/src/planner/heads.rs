//! What stands between the two networks and a choice: routes, configurations and pointers.

use candle_core::Tensor;

use super::PlannerConfig;
use crate::error::Result;
use crate::kernels;
use crate::parameters::{Init, Parameters};

/// How strongly a route's row is read at first. Rows and pooled states have length 1, and cosines
/// of MiniLM lie some tenths apart: times 16 this separates classes without saturating them.
const ROUTE_SCALE: f32 = 16.0;

/// Reads a tool out of the pooled request, corrected by the decoder's state.
#[derive(Clone, Debug)]
pub(super) struct RouteHead {
    /// `(routes, width)`: tools, no tool, end of plan.
    pub(super) rows: Tensor,
    query: Tensor,
    scale: Tensor,
    bias: Tensor,
}

impl RouteHead {
    pub(super) fn new(config: &PlannerConfig, parameters: &mut Parameters) -> Result<Self> {
        let (width, hidden, routes) = (config.encoder.hidden, config.decoder.hidden, config.routes());
        let mut scope = parameters.scope("route");
        let deviation = 1.0 / (width as f32).sqrt();
        Ok(Self {
            rows: scope.parameter("rows.weight", &[routes, width], Init::Normal(deviation))?,
            // At 0 the first choice is the encoder's alone.
            query: scope.parameter("query.weight", &[width, hidden], Init::Constant(0.0))?,
            scale: scope.parameter("scale", &[1], Init::Constant(ROUTE_SCALE))?,
            bias: scope.parameter("bias", &[routes], Init::Constant(0.0))?,
        })
    }

    /// Logits `(n, routes)` from pooled requests `(n, width)` and decoder states `(n, hidden)`.
    pub(super) fn logits(&self, pooled: &Tensor, states: &Tensor) -> Result<Tensor> {
        let query = (pooled + kernels::linear(states, &self.query, None)?)?.broadcast_mul(&self.scale)?;
        Ok(kernels::linear(&query, &self.rows, Some(&self.bias))?)
    }
}

/// The configurations' rows, which are read as input and compared to as output.
#[derive(Clone, Debug)]
pub(super) struct ConfigurationHead {
    rows: Tensor,
    tool: Tensor,
    tool_of: Tensor,
}

impl ConfigurationHead {
    pub(super) fn new(config: &PlannerConfig, parameters: &mut Parameters) -> Result<Self> {
        let (count, hidden) = (config.configurations.len(), config.decoder.hidden);
        let tool_of: Vec<u32> = config.configurations.iter().map(|row| row.tool).collect();
        let tool_of = Tensor::from_vec(tool_of, count, parameters.device())?;
        let mut scope = parameters.scope("configuration");
        Ok(Self {
            rows: scope.parameter("rows.weight", &[count, hidden], Init::Normal(0.05))?,
            tool: scope.parameter("tool.weight", &[hidden, config.encoder.hidden], Init::Normal(0.05))?,
            tool_of,
        })
    }

    /// What the decoder reads for each configuration, `(configurations, hidden)`: its own row and
    /// what its tool's route row says.
    pub(super) fn inputs(&self, routes: &Tensor) -> Result<Tensor> {
        let tools = kernels::linear(routes, &self.tool, None)?;
        Ok((&self.rows + kernels::embedding(&tools, &self.tool_of)?)?)
    }

    /// Logits `(n, configurations)` of states `(n, hidden)`, to be compared within one tool only.
    pub(super) fn logits(&self, states: &Tensor) -> Result<Tensor> {
        Ok(kernels::linear(states, &self.rows, None)?)
    }
}

/// Points at pieces, and reads the pieces pointed at.
#[derive(Clone, Debug)]
pub(super) struct PointerHead {
    input: Tensor,
    query: Tensor,
    key: Tensor,
}

impl PointerHead {
    pub(super) fn new(config: &PlannerConfig, parameters: &mut Parameters) -> Result<Self> {
        let (width, hidden, inner) = (config.encoder.hidden, config.decoder.hidden, config.pointer);
        let mut scope = parameters.scope("pointer");
        Ok(Self {
            // Small, so that a piece does not drown the symbol it is added to.
            input: scope.parameter("input.weight", &[hidden, width], Init::Normal(0.01))?,
            query: scope.parameter("query.weight", &[inner, hidden], Init::Normal(1.0 / (hidden as f32).sqrt()))?,
            key: scope.parameter("key.weight", &[inner, width], Init::Normal(1.0 / (width as f32).sqrt()))?,
        })
    }

    /// What the decoder reads for pieces with these states: `(.., hidden)` from `(.., width)`.
    pub(super) fn inputs(&self, states: &Tensor) -> Result<Tensor> {
        Ok(kernels::linear(states, &self.input, None)?)
    }

    /// Keys `(batch, pieces, pointer)` of encoder states `(batch, pieces, width)`.
    pub(super) fn keys(&self, states: &Tensor) -> Result<Tensor> {
        Ok(kernels::linear(states, &self.key, None)?)
    }

    /// Logits `(batch, n, pieces)` from decoder states `(batch, n, hidden)` and [`Self::keys`].
    pub(super) fn logits(&self, states: &Tensor, keys: &Tensor) -> Result<Tensor> {
        let inner = keys.dim(2)?;
        let query = (kernels::linear(states, &self.query, None)? * (1.0 / (inner as f64).sqrt()))?;
        Ok(query.matmul(&keys.transpose(1, 2)?)?)
    }
}
