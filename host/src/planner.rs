//! Which planner decides.

use crate::config::{PlannerChoice, PlannerKind};
use anyhow::Context as _;
use std::{path::Path, sync::Arc};
use tomas_core::registry::Registry;
use tomas_planner::{
    Planner,
    baseline::{Bm25Planner, Choice},
    local::LocalPlanner,
};

/// Opens a planner for a registry.
///
/// # Errors
/// When the model's folder is missing or damaged, or belongs to another registry.
pub fn open(
    kind: PlannerKind,
    choice: &PlannerChoice,
    model: &Path,
    registry: &Arc<Registry>,
) -> anyhow::Result<Arc<dyn Planner>> {
    let bm25 = |choice| -> Arc<dyn Planner> { Arc::new(Bm25Planner::new(Arc::clone(registry), choice)) };
    Ok(match kind {
        PlannerKind::Local => Arc::new(local(choice, model, registry)?),
        PlannerKind::Bm25Fastest => bm25(Choice::Fastest),
        PlannerKind::Bm25Cheapest => bm25(Choice::Cheapest),
    })
}

/// Opens the trained model.
///
/// # Errors
/// When its folder is missing or damaged, or belongs to another registry.
pub fn local(choice: &PlannerChoice, model: &Path, registry: &Arc<Registry>) -> anyhow::Result<LocalPlanner> {
    let mut planner = LocalPlanner::open(model, Arc::clone(registry)).with_context(|| {
        format!("the model `{}` cannot be used\nhint: `--planner bm25-fastest` needs no model", model.display())
    })?;
    planner.set_quoted(choice.quoted.clone());
    Ok(planner)
}
