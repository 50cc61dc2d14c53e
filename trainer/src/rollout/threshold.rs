//! The threshold of "no tool": a bias on its logit, chosen on development data.

use crate::data::sample::Sample;
use tomas_planner::{PlanError, local::LocalPlanner};

/// Chooses the bias that loses the fewest requests, where a tool called for a request that no tool serves counts
/// `false_call_weight` times a request whose tool is missed.
///
/// # Errors
/// When the network fails.
pub fn choose(planner: &LocalPlanner, samples: &[Sample], false_call_weight: f64) -> Result<f32, PlanError> {
    let mut margins: Vec<(f32, bool)> = Vec::with_capacity(samples.len());
    for sample in samples {
        let routes = planner.routes(&sample.query)?;
        let none = routes.iter().find(|(tool, _)| tool.is_none()).map_or(f32::NEG_INFINITY, |r| r.1);
        let best = routes.iter().filter(|(tool, _)| tool.is_some()).map(|r| r.1).fold(f32::NEG_INFINITY, f32::max);
        // With a bias above the margin the request is answered without a tool.
        margins.push((best - none, sample.target.tool().is_none()));
    }
    let cost = |bias: f32| {
        margins.iter().fold(0.0, |sum, &(margin, none)| match (margin > bias, none) {
            (true, true) => sum + false_call_weight,
            (false, false) => sum + 1.0,
            _ => sum,
        })
    };
    let candidates = (-60i16..=60).map(|b| f32::from(b) * 0.1);
    Ok(candidates.min_by(|a, b| cost(*a).total_cmp(&cost(*b)).then(a.abs().total_cmp(&b.abs()))).unwrap_or(0.0))
}
