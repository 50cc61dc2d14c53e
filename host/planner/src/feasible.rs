//! The budget mask: which configurations a plan may name at this moment.

use crate::PlanError;
use tomas_core::{
    configuration::{Configuration, SizeClass},
    query::Query,
    registry::Registry,
    tool::Tool,
};

/// The configurations of a tool that this query may use: they fit in what is free, their size class is possible for the
/// query's inputs, and they were not measured to fail.
pub fn configurations<'a>(registry: &'a Registry, tool: &Tool, query: &Query) -> Vec<&'a Configuration> {
    query.sizes(tool).into_iter().flat_map(|size| registry.feasible(tool.name(), size, &query.budget)).collect()
}

/// Whether a tool can be called for this query at all: a tool whose required argument names a blob needs an attachment.
#[must_use]
pub fn callable(tool: &Tool, query: &Query) -> bool {
    let schema = &tool.export.parameters;
    let required = schema.get("required").and_then(|r| r.as_array()).into_iter().flatten().filter_map(|r| r.as_str());
    let needs_blob = |name: &str| {
        let source = schema.pointer(&format!("/properties/{name}/x-tomas-source"));
        source.and_then(|s| s.as_str()) == Some("blob")
    };
    !query.attachments.is_empty() || !required.into_iter().any(needs_blob)
}

/// Says that nothing fits, and what would.
#[must_use]
pub fn nothing_fits(registry: &Registry, tool: &Tool, size: SizeClass, query: &Query) -> PlanError {
    let whole = tomas_core::resource::Resources::from_fn(|_| u64::MAX);
    let hint = registry.cheapest(tool.name(), size, &whole).map_or_else(
        || "every configuration of it was measured to fail; profile again or use a smaller input".to_owned(),
        |c| format!("`{c}` needs {}; raise the budget with --cpu and --memory", registry.levels().resources(c.levels)),
    );
    PlanError::NothingFits { tool: tool.name().clone(), size, free: query.budget, hint }
}
