//! Why a request came to nothing.

use tomas_core::{
    accountant::{BudgetError, Refusal},
    query::QueryError,
};
use tomas_planner::PlanError;

/// See the module. Callers branch on who has to act: the client, time, or the operator.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The request is refused as it is.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The budget asked for is refused.
    #[error(transparent)]
    Budget(#[from] BudgetError),
    /// The granted folder is not there any more.
    #[error("{0:#}")]
    Folder(anyhow::Error),
    /// There is no plan within the budget.
    #[error(transparent)]
    Plan(PlanError),
    /// The accountant refuses a step's quota.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The client went away, the session was closed, or the host stops.
    #[error("the request was cancelled")]
    Cancelled,
    /// The host is at fault.
    #[error(transparent)]
    Host(#[from] anyhow::Error),
}

impl Fault {
    /// What the client is told. Faults of the host are for its log, and hold nothing that a client needs.
    #[must_use]
    pub fn told(&self) -> String {
        match self {
            Self::Host(_) => "the host failed\nhint: this is not a fault of the request; see the host's log".to_owned(),
            other => other.to_string(),
        }
    }
}

impl From<PlanError> for Fault {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Query(query) => Self::Query(query),
            PlanError::NothingFits { .. } | PlanError::Unfinished { .. } => Self::Plan(error),
            PlanError::Model(_) => Self::Host(error.into()),
        }
    }
}
