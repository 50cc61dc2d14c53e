//! Sessions: an append-only log of events; state is a fold over it.

use crate::{
    observation::{BlobRef, Observation},
    plan::Plan,
    query::Query,
    quota::Quota,
    resource::Resources,
    trajectory::Trajectory,
};
use serde::{Deserialize, Serialize};

/// Something that happened in a session. The log of these is all there is to know about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The session was opened with this budget.
    Opened {
        /// What the session may hold at once.
        budget: Resources,
    },
    /// A file became available to requests.
    Attached {
        /// Name and digest.
        blob: BlobRef,
    },
    /// A request arrived.
    Request {
        /// Number of the request within the session, from 1.
        request: u64,
        /// The request with what was free for it.
        query: Query,
    },
    /// The planner decided.
    Planned {
        /// Which request.
        request: u64,
        /// What was decided.
        plan: Plan,
        /// Which planner: its name and checkpoint digest.
        policy: String,
        /// The registry's digest.
        registry: String,
        /// How long planning took, in milliseconds.
        planning_ms: f64,
    },
    /// Resources were reserved for a step.
    Granted {
        /// Which request.
        request: u64,
        /// Which step, from 0.
        step: usize,
        /// What was reserved.
        quota: Quota,
        /// How long the reservation waited, in milliseconds.
        waited_ms: f64,
    },
    /// A step ended.
    Observed {
        /// Which request.
        request: u64,
        /// Which step, from 0.
        step: usize,
        /// What it did.
        observation: Observation,
    },
    /// The request was answered.
    Answered {
        /// Which request.
        request: u64,
        /// The answer.
        answer: String,
        /// From request to answer, in milliseconds.
        total_ms: f64,
    },
    /// The request ended without an answer: the host was at fault, was stopped, or the client went away.
    Failed {
        /// Which request.
        request: u64,
        /// What the client was told.
        error: String,
    },
}

/// An event as stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Position in the log, from 1, without gaps.
    pub sequence: u64,
    /// When it was appended, in milliseconds since the Unix epoch.
    pub time_ms: u64,
    /// What happened.
    pub event: Event,
}

/// What a log amounts to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct State {
    /// What the session may hold at once.
    pub budget: Resources,
    /// Files by the order in which they came; a later one replaces an earlier one of the same name.
    pub attachments: Vec<BlobRef>,
    /// Requests so far.
    pub requests: u64,
    /// Requests that were neither answered nor failed: what a restart has to close.
    pub open: Vec<u64>,
    /// One for each request that was planned and ended.
    pub trajectories: Vec<Trajectory>,
    pending: Vec<(u64, Trajectory)>,
    queries: Vec<(u64, Query)>,
}

impl State {
    /// Folds a log.
    pub fn fold<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        events.into_iter().fold(Self::default(), |mut state, event| {
            state.apply(event);
            state
        })
    }

    /// Takes in one more event.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Opened { budget } => self.budget = *budget,
            Event::Attached { blob } => {
                self.attachments.retain(|b| b.name != blob.name);
                self.attachments.push(blob.clone());
            }
            Event::Request { request, query } => {
                self.requests = self.requests.max(*request);
                self.open.push(*request);
                self.queries.push((*request, query.clone()));
            }
            Event::Planned { request, plan, policy, registry, .. } => self.planned(*request, plan, policy, registry),
            Event::Granted { .. } => {}
            Event::Observed { request, observation, .. } => {
                if let Some((_, t)) = self.pending.iter_mut().find(|(r, _)| r == request) {
                    t.outcomes.push(observation.outcome);
                }
            }
            Event::Answered { request, total_ms, .. } => self.close(*request, *total_ms),
            Event::Failed { request, .. } => {
                self.pending.retain(|(r, _)| r != request);
                self.close(*request, 0.0);
            }
        }
    }

    fn planned(&mut self, request: u64, plan: &Plan, policy: &str, registry: &str) {
        let Some((_, query)) = self.queries.iter().find(|(r, _)| *r == request) else { return };
        let trajectory = Trajectory {
            query: query.clone(),
            plan: plan.clone(),
            outcomes: Vec::new(),
            total_ms: 0.0,
            policy: policy.to_owned(),
            registry: registry.to_owned(),
        };
        self.pending.push((request, trajectory));
    }

    fn close(&mut self, request: u64, total_ms: f64) {
        self.open.retain(|r| *r != request);
        self.queries.retain(|(r, _)| *r != request);
        if let Some(at) = self.pending.iter().position(|(r, _)| *r == request) {
            let (_, mut trajectory) = self.pending.swap_remove(at);
            trajectory.total_ms = total_ms;
            self.trajectories.push(trajectory);
        }
    }
}
