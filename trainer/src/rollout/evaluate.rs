//! Evaluation: a planner over samples, with the project's metrics.
//!
//! - *right tool*: all steps name the gold tools in order (no step for a request that no tool serves).
//! - *arguments exact*: all steps name the gold tools and their arguments equal the gold ones as JSON; over samples with
//!   gold arguments, whether or not the tool was right (unconditional, unlike ToolFormerMicro's PF1).
//! - *false call*: a step was planned for a request that no tool serves.
//! - *infeasible*: a step's configuration does not fit in the session's free resources, or was measured to fail for the
//!   input's true size class; over planned steps. *Over the stated budget*: it fits there, but not in what the request itself
//!   allowed.
//! - *latency ratio*: expected latency (`Profile::latency_ms`) of the chosen levels for the input's true size class over that of the best
//!   feasible configuration (the registry's profiles), over samples with the right tools; the mean of the steps' sums.

use crate::{
    data::sample::{Sample, Target},
    metrics::{Rate, quantile},
};
use serde::Serialize;
use std::{collections::BTreeMap, time::Instant};
use tomas_core::{
    configuration::Configuration,
    plan::{Plan, Step},
    registry::{Registry, Tolerance},
};
use tomas_planner::{PlanError, Planner};

/// What an evaluation found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// The planner.
    pub policy: String,
    /// All steps name the gold tools.
    pub right_tool: Rate,
    /// Tools and arguments equal the gold ones.
    pub arguments_exact: Rate,
    /// A step for a request that no tool serves.
    pub false_call: Rate,
    /// A configuration that does not fit.
    pub infeasible: Rate,
    /// A configuration that does not fit in the budget that the request states, over requests that state one.
    pub over_stated: Rate,
    /// The planner failed or refused although something fits.
    pub failed: Rate,
    /// Mean latency ratio.
    pub latency_ratio: f64,
    /// Samples behind the mean.
    pub latency_n: usize,
    /// Right tool by gold tool (`none` for no tool).
    pub by_tool: BTreeMap<String, Rate>,
    /// Arguments exact by gold tool.
    pub arguments_by_tool: BTreeMap<String, Rate>,
    /// Median planning time in milliseconds.
    pub planning_p50_ms: f64,
    /// 95th percentile of the planning time in milliseconds.
    pub planning_p95_ms: f64,
    /// What went wrong, one line a sample, at most 200.
    pub mistakes: Vec<String>,
}

/// Runs a planner over samples. `progress` is told after each.
pub fn evaluate(planner: &dyn Planner, registry: &Registry, samples: &[Sample], mut progress: impl FnMut()) -> Report {
    let mut report = Report { policy: planner.policy().to_owned(), ..Report::default() };
    let mut times = Vec::with_capacity(samples.len());
    let mut ratios = Vec::new();
    for sample in samples {
        let begun = Instant::now();
        let planned = planner.plan(&sample.query);
        times.push(begun.elapsed().as_secs_f64() * 1e3);
        judge(&mut report, &mut ratios, registry, sample, planned);
        progress();
    }
    report.planning_p50_ms = quantile(&mut times, 0.5);
    report.planning_p95_ms = quantile(&mut times, 0.95);
    report.latency_n = ratios.len();
    #[expect(clippy::cast_precision_loss, reason = "a count of samples")]
    let count = ratios.len().max(1) as f64;
    report.latency_ratio = ratios.iter().sum::<f64>() / count;
    report
}

fn judge(
    report: &mut Report,
    ratios: &mut Vec<f64>,
    registry: &Registry,
    sample: &Sample,
    planned: Result<Plan, PlanError>,
) {
    report.failed.add(planned.is_err());
    let (steps, said) = match &planned {
        Ok(Plan::Steps(steps)) => (
            steps.as_slice(),
            steps.iter().map(|s| format!("{} {}", s.configuration, s.arguments)).collect::<Vec<_>>().join(" ; "),
        ),
        Ok(Plan::Reply(text)) => (&[][..], format!("no tool: {text}")),
        Err(error) => (&[][..], format!("failed: {error}")),
    };
    let gold = sample.target.tool();
    let tools_right = match &sample.target {
        Target::Steps(gold) => {
            steps.len() == gold.len()
                && steps.iter().zip(gold).all(|(s, g)| s.configuration.tool == g.configuration.tool)
        }
        Target::Reply(_) | Target::Tool(None) => steps.is_empty(),
        Target::Tool(Some(tool)) => steps.first().is_some_and(|s| s.configuration.tool.as_str() == tool),
    };
    let name = gold.unwrap_or("none").to_owned();
    report.right_tool.add(tools_right);
    report.by_tool.entry(name.clone()).or_default().add(tools_right);
    if gold.is_none() {
        report.false_call.add(!steps.is_empty());
    }
    let mut right = tools_right;
    if let Target::Steps(gold) = &sample.target {
        right = tools_right && steps.iter().zip(gold).all(|(s, g)| s.arguments == g.arguments);
        report.arguments_exact.add(right);
        report.arguments_by_tool.entry(name).or_default().add(right);
        if tools_right {
            ratios.extend(ratio(registry, sample, steps, gold));
        }
    }
    let gold = sample.target.configurations();
    for (n, step) in steps.iter().enumerate() {
        let same = gold.get(n).filter(|g| g.tool == step.configuration.tool);
        let taken =
            Configuration { size: same.map_or(step.configuration.size, |g| g.size), ..step.configuration.clone() };
        let fails = registry.profile(&taken).is_some_and(|p| !p.feasible());
        report.infeasible.add(fails || !registry.fits(&step.configuration, &sample.query.budget));
        if let Some(limit) = sample.stated {
            report.over_stated.add(!registry.fits(&step.configuration, &limit));
        }
    }
    if !right && report.mistakes.len() < 200 {
        let wanted = sample.conversations.last().map(|t| t.content.as_str()).unwrap_or_default();
        report.mistakes.push(format!("{:?} wanted {wanted} got {said}", sample.query.prompt()));
    }
}

/// Expected latency of the chosen levels over that of the best feasible ones. `None` where the chosen ones were measured
/// to fail, which [`Report::infeasible`] and the outcome of real runs show, or nothing was measured.
fn ratio(registry: &Registry, sample: &Sample, steps: &[Step], gold: &[Step]) -> Option<f64> {
    let free = sample.stated.unwrap_or(sample.query.budget).min(&sample.query.budget);
    let (mut chosen, mut best) = (0.0, 0.0);
    for (step, gold) in steps.iter().zip(gold) {
        let size = gold.configuration.size;
        let tool = &gold.configuration.tool;
        let taken = Configuration { tool: tool.clone(), size, levels: step.configuration.levels };
        let profile = registry.profile(&taken).filter(|p| p.feasible())?;
        let fastest = registry.best(tool, size, &free, Tolerance::EXACT)?;
        chosen += profile.latency_ms;
        best += registry.profile(fastest)?.latency_ms;
    }
    (best > 0.0).then(|| chosen / best)
}
