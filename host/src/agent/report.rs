//! What a request came to: the object that `run --json` prints and the server returns.

use serde::Serialize;
use serde_json::Value;
use tomas_core::{
    amount::{Bytes, MilliCpu, Span},
    configuration::Configuration,
    name::ToolName,
    observation::{BlobRef, Observation, Outcome, Usage},
    plan::Step,
    quota::Quota,
};

/// See the module.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// What the user reads.
    pub answer: String,
    /// The steps that ran, in plan order; empty when no tool was needed.
    pub steps: Vec<StepReport>,
    /// From the stored request to the plan.
    pub planning_ms: f64,
    /// Wall time of all steps, summed.
    pub tool_ms: f64,
    /// From request to answer.
    pub total_ms: f64,
}

impl Report {
    /// Whether every step ended `ok`.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.steps.iter().all(|s| s.outcome == Outcome::Ok)
    }
}

/// One step that ran.
#[derive(Debug, Clone, Serialize)]
pub struct StepReport {
    /// Which tool.
    pub tool: ToolName,
    /// As its token is spelled.
    pub configuration: String,
    /// With earlier results filled in.
    pub arguments: Value,
    /// What it was held to.
    pub quota: QuotaReport,
    /// How it ended.
    pub outcome: Outcome,
    /// What it used.
    pub usage: UsageReport,
    /// What the tool returned; null when it did not end `ok`.
    pub result: Option<Value>,
    /// What went wrong, when something did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Files that it wrote.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blobs: Vec<BlobRef>,
    /// Position in the plan, from 0.
    #[serde(skip)]
    pub position: usize,
}

/// A quota, as reports show it.
#[derive(Debug, Clone, Copy, Serialize)]
#[expect(missing_docs, reason = "as in Quota")]
pub struct QuotaReport {
    pub cpu: MilliCpu,
    pub memory: Bytes,
    pub gpu_sms: u32,
    pub gpu_memory: Bytes,
    pub deadline: Span,
}

/// A usage, as reports show it.
#[derive(Debug, Clone, Copy, Serialize)]
#[expect(missing_docs, reason = "as in Usage")]
pub struct UsageReport {
    pub cpu_ms: f64,
    pub wall_ms: f64,
    pub throttled_ms: f64,
    pub peak_memory_bytes: u64,
}

impl From<&Quota> for QuotaReport {
    fn from(q: &Quota) -> Self {
        Self { cpu: q.cpu, memory: q.memory, gpu_sms: q.gpu_sms, gpu_memory: q.gpu_memory, deadline: q.deadline }
    }
}

impl From<&Usage> for UsageReport {
    fn from(u: &Usage) -> Self {
        let Usage { cpu_ms, wall_ms, throttled_ms, peak_memory_bytes, .. } = *u;
        Self { cpu_ms, wall_ms, throttled_ms, peak_memory_bytes }
    }
}

impl StepReport {
    /// What a step did.
    #[must_use]
    pub fn new(position: usize, configuration: &Configuration, arguments: Value, observation: &Observation) -> Self {
        Self {
            tool: configuration.tool.clone(),
            configuration: configuration.to_string(),
            arguments,
            quota: (&observation.quota).into(),
            outcome: observation.outcome,
            usage: (&observation.usage).into(),
            result: observation.result.clone(),
            error: observation.error.clone(),
            blobs: observation.blobs.clone(),
            position,
        }
    }

    /// What the user reads of this step.
    fn text(&self) -> String {
        match (&self.result, self.outcome) {
            (Some(result), Outcome::Ok) => {
                result.get("text").and_then(Value::as_str).map_or_else(|| result.to_string(), str::to_owned)
            }
            _ => self.apology(),
        }
    }

    /// Says how a step failed, what it was allowed, and what to do.
    fn apology(&self) -> String {
        let Self { tool, quota, .. } = self;
        let error = self.error.as_deref().unwrap_or_default().trim();
        match self.outcome {
            Outcome::Ok | Outcome::ToolError | Outcome::InvalidArguments => {
                format!("`{tool}` could not answer: {error}")
            }
            Outcome::MemoryExceeded => format!(
                "`{tool}` needed more than the {} of memory it was granted. Allow more memory, or give it a smaller input.",
                quota.memory
            ),
            Outcome::DeadlineExceeded => format!(
                "`{tool}` did not finish within {} on {} of CPU. Allow more CPU, or give it a smaller input.",
                quota.deadline, quota.cpu
            ),
            Outcome::OutputExceeded => {
                format!("`{tool}` produced more output than it was granted. Ask for less at once.")
            }
            Outcome::PermissionDenied => format!("`{tool}` reached for something that it may not have: {error}"),
            Outcome::Trapped => format!("`{tool}` crashed. This is a fault of the tool: {error}"),
            Outcome::Cancelled => format!("`{tool}` was stopped before it was done."),
        }
    }
}

/// The answer of a plan whose steps came to `done`: the texts of those that no other step built upon, a line each. What
/// was not run because of a failure is told.
#[must_use]
pub fn answer(steps: &[Step], done: &[StepReport]) -> String {
    let failed = |s: &&StepReport| s.outcome != Outcome::Ok;
    let needed: Vec<usize> = steps.iter().enumerate().flat_map(|(k, s)| s.dependencies(k)).collect();
    let told = done.iter().filter(|s| failed(s) || !needed.contains(&s.position));
    let mut lines: Vec<String> = told.map(StepReport::text).collect();
    let left_out = steps.iter().enumerate().filter(|(k, _)| !done.iter().any(|s| s.position == *k));
    lines.extend(
        left_out.map(|(_, s)| format!("`{}` was not run, because it needs that result.", s.configuration.tool)),
    );
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tomas_core::resource::Resources;

    fn step(arguments: Value) -> Step {
        let tools = ["t".parse().unwrap()];
        Step { configuration: Configuration::parse("T_SMALL_LOW_LOW_NONE_NONE", tools.iter()).unwrap(), arguments }
    }

    fn done(position: usize, step: &Step, outcome: Outcome, text: &str) -> StepReport {
        let resources = Resources { cpu: MilliCpu(250), memory: Bytes::mib(16), ..Resources::default() };
        let quota = Quota::new(resources, "5s".parse().unwrap(), Bytes(1));
        let (result, error) = match outcome {
            Outcome::Ok => (Some(json!({"text": text})), None),
            _ => (None, Some(text.to_owned())),
        };
        let observation =
            Observation { outcome, usage: Usage::default(), quota, result, error, log: String::new(), blobs: vec![] };
        StepReport::new(position, &step.configuration, step.arguments.clone(), &observation)
    }

    #[test]
    fn a_chain_answers_with_its_end_and_independent_steps_with_all() {
        let (a, b, free) = (step(json!({})), step(json!({"x": "{{1}}"})), step(json!({})));
        let ok = |k, s: &Step, text: &str| done(k, s, Outcome::Ok, text);
        assert_eq!(answer(&[a.clone(), b.clone()], &[ok(0, &a, "one"), ok(1, &b, "two")]), "two");
        assert_eq!(answer(&[a.clone(), free.clone()], &[ok(0, &a, "one"), ok(1, &free, "two")]), "one\ntwo");
    }

    #[test]
    fn failures_say_what_was_allowed_and_what_was_left_out() {
        let (a, b) = (step(json!({})), step(json!({"x": "{{1}}"})));
        let told = answer(&[a.clone(), b], &[done(0, &a, Outcome::MemoryExceeded, "")]);
        assert!(told.contains("more than the 16MiB of memory") && told.contains("was not run"), "{told}");
    }

    #[test]
    fn the_json_has_the_promised_keys() {
        let report = serde_json::to_value(done(0, &step(json!({})), Outcome::Ok, "x")).unwrap();
        let keys: Vec<&String> = report.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["tool", "configuration", "arguments", "quota", "outcome", "usage", "result"]);
        assert_eq!(
            report["quota"],
            json!({"cpu": "250m", "memory": "16MiB", "gpu_sms": 0, "gpu_memory": "0", "deadline": "5s"})
        );
    }
}
