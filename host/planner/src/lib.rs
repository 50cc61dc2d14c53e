//! Planning: a query becomes a plan.
//!
//! [`Planner`] is what the host knows. Behind it stand [`local::LocalPlanner`], the model that the trainer made, decoded
//! under a grammar so that only registered tools, fitting configurations and schema-valid arguments can come out; and two
//! honest [`baseline`]s that need no model. [`feasible`] holds the budget mask that all of them share, [`grammar`] the
//! schemas that arguments must satisfy.
//!
//! Architecture invariant: this crate knows `tomas-core` and `tomas-nn`, never the sandbox. It reads no clock and opens
//! no socket.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod baseline;
pub mod feasible;
pub mod grammar;
pub mod local;
mod writer;

use tomas_core::{
    configuration::SizeClass, name::ToolName, plan::Plan, query::Query, query::QueryError, resource::Resources,
};

/// Decides what to do about a query.
pub trait Planner: Send + Sync {
    /// Name and version, as recorded with every plan: `bm25-fastest`, or `local@` and a checkpoint digest.
    fn policy(&self) -> &str;

    /// Plans a query under `query.budget`. Takes CPU time, never waits.
    ///
    /// # Errors
    /// When nothing can be planned: see [`PlanError`].
    fn plan(&self, query: &Query) -> Result<Plan, PlanError>;
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The request cannot be planned for at all.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The request needs this tool, but no configuration of it fits.
    #[error("no configuration of `{tool}` for a {size} input fits in what is free ({free})\nhint: {hint}", size = .size.name())]
    NothingFits {
        /// The tool that was wanted.
        tool: ToolName,
        /// The input's size class.
        size: SizeClass,
        /// What is free.
        free: Resources,
        /// What would fit.
        hint: String,
    },
    /// The model began arguments that it did not end.
    #[error(
        "the planner found no complete arguments of `{tool}` for this request\nhint: say it in fewer words, or attach long text as a file"
    )]
    Unfinished {
        /// The tool that was wanted.
        tool: ToolName,
    },
    /// The model failed: a fault of the host, not of the request.
    #[error("the planner failed: {0}")]
    Model(String),
}
