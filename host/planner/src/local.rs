//! The local planner: the trained network, decoded greedily under a grammar (see `writer.rs`).
//!
//! What can come out is fixed before anything is chosen: tools that are registered and callable, configurations under
//! the budget mask of [`crate::feasible`], arguments under the grammar of the tool's schema. Copies of the request are
//! taken only where the grammar accepts every byte of them.

use crate::{PlanError, Planner, grammar::Grammars, writer::Writer};
use std::{fs, path::Path, sync::Arc};
use tomas_core::{
    plan::Plan,
    query::{self, Query},
    registry::Registry,
    token::{CheckpointManifest, TokenTable},
    tool::Tool,
};
use tomas_nn::{
    piece::PieceEncoder,
    planner::{PlannerNet, log_softmax},
    quote::Quoter,
    script::{Cursor, Levels},
};

/// The trained network behind the trait.
pub struct LocalPlanner {
    pub(crate) registry: Arc<Registry>,
    pub(crate) net: PlannerNet,
    pub(crate) pieces: PieceEncoder,
    pub(crate) tokens: TokenTable,
    pub(crate) grammars: Grammars,
    policy: String,
    pub(crate) no_tool_bias: f32,
    pub(crate) replies: Vec<String>,
    quoted: Vec<String>,
}

/// Why a checkpoint is refused.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder does not hold a planner.
    #[error(transparent)]
    Network(#[from] tomas_nn::Error),
    /// The manifest is missing or malformed.
    #[error(
        "`{path}` is not a checkpoint manifest: {reason}\nhint: give a checkpoint folder that `tomas-host train` wrote"
    )]
    Manifest {
        /// Which file.
        path: String,
        /// Why.
        reason: String,
    },
    /// The checkpoint belongs to another registry.
    #[error(transparent)]
    Foreign(#[from] tomas_core::token::ForeignCheckpoint),
    /// The grammar engine does not start.
    #[error(transparent)]
    Grammar(#[from] crate::grammar::GrammarError),
}

impl LocalPlanner {
    /// Opens a checkpoint folder for a registry.
    ///
    /// # Errors
    /// When the folder is no checkpoint, or one of another registry.
    pub fn open(folder: &Path, registry: Arc<Registry>) -> Result<Self, OpenError> {
        let path = folder.join("manifest.json");
        let broken = |reason: String| OpenError::Manifest { path: path.display().to_string(), reason };
        let text = fs::read_to_string(&path).map_err(|e| broken(e.to_string()))?;
        let manifest: CheckpointManifest = serde_json::from_str(&text).map_err(|e| broken(e.to_string()))?;
        let tokens = TokenTable::atomic(&registry);
        tokens.accept(&manifest.binding)?;
        let checkpoint = tomas_nn::planner::load(folder, &tomas_nn::cpu())?;
        Self::new(registry, checkpoint.net, checkpoint.pieces, &manifest)
    }

    /// A planner from parts, for a trainer that has them in memory.
    ///
    /// # Errors
    /// When the manifest belongs to another registry.
    pub fn new(
        registry: Arc<Registry>,
        net: PlannerNet,
        pieces: PieceEncoder,
        manifest: &CheckpointManifest,
    ) -> Result<Self, OpenError> {
        let tokens = TokenTable::atomic(&registry);
        tokens.accept(&manifest.binding)?;
        let short: String = manifest.weights.chars().take(12).collect();
        let policy = format!("local@{short}");
        Ok(Self {
            registry,
            net,
            pieces,
            tokens,
            grammars: Grammars::new()?,
            policy,
            no_tool_bias: manifest.no_tool_bias,
            replies: manifest.replies.clone(),
            quoted: Vec::new(),
        })
    }

    /// Log-probabilities of the first choice: each tool by name, and `None` for no tool, without mask and bias.
    ///
    /// # Errors
    /// When the network fails.
    pub fn routes(&self, query: &Query) -> Result<Vec<(Option<String>, f32)>, PlanError> {
        let pieces = self.pieces.encode(&query.prompt()).map_err(model)?;
        let mut decoding = self.net.begin(&pieces.ids).map_err(model)?;
        let (_, inputs) = Cursor::begin(self.levels(query)).map_err(model)?;
        decoding.push(&inputs).map_err(model)?;
        let logs = log_softmax(&decoding.routes(true).map_err(model)?);
        let names = self.net.config().tools.iter().cloned().map(Some).chain([None]);
        Ok(names.zip(logs).collect())
    }

    /// Sets the bias on the route to no tool, for tuning on development data.
    pub const fn set_no_tool_bias(&mut self, bias: f32) {
        self.no_tool_bias = bias;
    }

    /// Which string arguments may only be spans of the request, as `tool.argument`.
    pub fn set_quoted(&mut self, quoted: Vec<String>) {
        self.quoted = quoted;
    }

    pub(crate) fn is_quoted(&self, tool: &Tool, argument: &str) -> bool {
        let listed = |name: &String| name.split_once('.') == Some((tool.name().as_str(), argument));
        self.quoted.iter().any(listed)
    }

    fn levels(&self, query: &Query) -> Levels {
        self.registry.levels().indices(&query.budget)
    }
}

impl Planner for LocalPlanner {
    fn policy(&self) -> &str {
        &self.policy
    }

    fn plan(&self, query: &Query) -> Result<Plan, PlanError> {
        query::check_text(&query.text)?;
        let prompt = query.prompt();
        let pieces = self.pieces.encode(&prompt).map_err(model)?;
        let (cursor, inputs) = Cursor::begin(self.levels(query)).map_err(model)?;
        let mut decoding = self.net.begin(&pieces.ids).map_err(model)?;
        decoding.push(&inputs).map_err(model)?;
        let quoter = Quoter::new(&prompt, &pieces);
        Writer { planner: self, query, prompt: &prompt, pieces: &pieces, quoter, decoding, cursor, written: 0 }.plan()
    }
}

/// A failure of the network.
pub(crate) fn model(error: impl std::fmt::Display) -> PlanError {
    PlanError::Model(error.to_string())
}
