//! Plans: a DAG of steps. A step refers to an earlier result by `{{k}}` inside a string argument (k counts from 1).

use crate::configuration::Configuration;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The most steps one plan may have.
pub const MAX_STEPS: usize = 8;

/// What a planner decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Plan {
    /// Run these steps.
    Steps(Vec<Step>),
    /// No tool serves the request; answer with this text.
    Reply(String),
}

/// One call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Which tool, with how much of what.
    pub configuration: Configuration,
    /// Arguments that satisfy the tool's schema; string leaves may hold `{{k}}`.
    pub arguments: Value,
}

impl Step {
    /// The earlier steps (counted from 0) whose results the arguments refer to, ascending. `position` is this step's own.
    #[must_use]
    pub fn dependencies(&self, position: usize) -> Vec<usize> {
        (0..position).filter(|k| any_text(&self.arguments, &|text| text.contains(&reference(*k)))).collect()
    }

    /// The arguments with every `{{k}}` replaced by the value of step k.
    ///
    /// # Errors
    /// The first referred-to step (counted from 0) that has no value.
    pub fn resolve(&self, position: usize, value: impl Fn(usize) -> Option<String>) -> Result<Value, usize> {
        let mut arguments = self.arguments.clone();
        for k in self.dependencies(position) {
            let text = value(k).ok_or(k)?;
            replace(&mut arguments, &reference(k), &text);
        }
        Ok(arguments)
    }
}

/// How arguments spell the result of step `k` (counted from 0).
#[must_use]
pub fn reference(k: usize) -> String {
    format!("{{{{{}}}}}", k + 1)
}

/// Whether a string of the arguments is the name of this blob, spelled `blob:NAME`.
#[must_use]
pub fn names_blob(arguments: &Value, name: &str) -> bool {
    any_text(arguments, &|text| text.strip_prefix("blob:") == Some(name))
}

fn any_text(value: &Value, wanted: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => wanted(text),
        Value::Array(items) => items.iter().any(|v| any_text(v, wanted)),
        Value::Object(fields) => fields.values().any(|v| any_text(v, wanted)),
        _ => false,
    }
}

fn replace(value: &mut Value, needle: &str, with: &str) {
    match value {
        Value::String(text) if text.contains(needle) => *text = text.replace(needle, with),
        Value::Array(items) => items.iter_mut().for_each(|v| replace(v, needle, with)),
        Value::Object(fields) => fields.values_mut().for_each(|v| replace(v, needle, with)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn step(arguments: Value) -> Step {
        let tools = ["t".parse().unwrap()];
        Step { configuration: Configuration::parse("T_SMALL_LOW_LOW_NONE_NONE", tools.iter()).unwrap(), arguments }
    }

    #[test]
    fn references_become_values() {
        let step = step(json!({"quantity": "{{1}} miles", "list": [{"x": "{{2}}"}], "n": 3}));
        assert_eq!(step.dependencies(2), [0, 1]);
        let resolved = step.resolve(2, |k| Some(format!("v{k}"))).unwrap();
        assert_eq!(resolved, json!({"quantity": "v0 miles", "list": [{"x": "v1"}], "n": 3}));
        assert_eq!(step.resolve(2, |k| (k == 0).then(|| "v".to_owned())), Err(1));
    }

    #[test]
    fn a_step_cannot_refer_to_itself_or_later_ones() {
        assert_eq!(step(json!({"a": "{{1}} {{2}}"})).dependencies(0), [] as [usize; 0]);
    }
}
