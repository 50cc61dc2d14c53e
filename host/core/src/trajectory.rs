//! Trajectories: what the trainer learns from. A session emits one per request.

use crate::{observation::Outcome, plan::Plan, query::Query};
use serde::{Deserialize, Serialize};

/// One request, what was planned for it, and how it went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trajectory {
    /// The prompt: request, attachments, and the budget at that moment.
    pub query: Query,
    /// What the planner decided.
    pub plan: Plan,
    /// The outcome of each step that ran, in plan order.
    pub outcomes: Vec<Outcome>,
    /// Latency of the whole request in milliseconds.
    pub total_ms: f64,
    /// Which planner decided: its name and checkpoint digest.
    pub policy: String,
    /// The registry's digest at that time.
    pub registry: String,
}
