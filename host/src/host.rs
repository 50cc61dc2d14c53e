//! A host put together: what `run` and `serve` work with.

use crate::{
    agent::Agent, blobs::Blobs, config::PlannerKind, place::Place, planner, session::Sessions, store::Store,
    tools::Toolbox,
};
use std::sync::Arc;
use tomas_core::accountant::Accountant;

/// The parts of a running host. Each knows only what it needs of the others.
pub struct Host {
    /// Answers requests.
    pub agent: Arc<Agent>,
    /// Keeps sessions.
    pub sessions: Arc<Sessions>,
}

impl Host {
    /// Puts a host together: registry, tools, planner, accountant and store.
    ///
    /// # Errors
    /// When a part is missing, refused, or does not belong to the others.
    pub async fn open(place: &Place, kind: Option<PlannerKind>) -> anyhow::Result<Self> {
        let config = &place.config;
        let registry = place.registry()?;
        let kind = kind.unwrap_or(config.planner.kind);
        let model = place.at(&config.paths.model);
        // The store and the model are the slow parts, and neither needs the other.
        let loading = {
            let registry = Arc::clone(&registry);
            let choice = config.planner.clone();
            tokio::task::spawn_blocking(move || planner::open(kind, &choice, &model, &registry))
        };
        let folder = place.store_folder();
        let store = Arc::new(Store::open(&folder).await?);
        let toolbox =
            Arc::new(Toolbox::new(place.sandbox()?, &place.found()?, registry.tools())?.recording(place.recordings()));
        let planner = loading.await??;
        let agent = Agent::new(toolbox, registry, planner, &config.planner, config.quota);
        let accountant = Accountant::new(config.capacity(), config.server.queue);
        let sessions = Sessions::new(config, accountant, store, Blobs::new(&folder.join("blobs")));
        Ok(Self { agent: Arc::new(agent), sessions: Arc::new(sessions) })
    }
}
