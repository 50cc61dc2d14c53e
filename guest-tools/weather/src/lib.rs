//! The tool `weather`: climate normals of many cities, which it never calls a forecast.
//!
//! A city ([`place`]) of the table ([`table`]) and some months ([`period`]) make the answer ([`answer`]).
//! The clock of the host only tells which month it is.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod answer;
mod period;
mod place;
mod problem;
mod table;

use std::time::SystemTime;

use serde::Deserialize;
use serde_json::Value;
use tomas_tool_sdk::{Tool, ToolError};

/// The tool.
pub struct Weather;

/// The arguments of the tool.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    city: String,
    month: Option<String>,
}

impl Arguments {
    fn answer(&self, now: SystemTime) -> Result<Value, ToolError> {
        answer::answer(&self.city, self.month.as_deref(), now).map_err(|problem| match problem.missing {
            true => ToolError::not_found(problem),
            false => ToolError::invalid(problem),
        })
    }
}

impl Tool for Weather {
    const NAME: &'static str = "weather";
    const DESCRIPTION: &'static str = tomas_tool_sdk::description!();
    const PARAMETERS: &'static str = r#"{"type":"object","additionalProperties":false,"required":["city"],"properties":{
        "city":{"type":"string","maxLength":20000,"x-tomas-source":"quote","description":"a city, with or without its country, e.g. `Oslo`, `Paris, France`, `NYC`; `;` separates several"},
        "month":{"type":"string","maxLength":200,"x-tomas-source":"quote","description":"a month, season or time such as `next week`; the current month if left out"}}}"#;
    const RESULT: &'static str = r#"{"type":"object","required":["text","value"],"properties":{
        "text":{"type":"string"},"value":{"type":"string"},"city":{"type":"string"},"country":{"type":"string"},"period":{"type":"string"},
        "high_c":{"type":"integer"},"low_c":{"type":"integer"},"precipitation_mm":{"type":"integer"},"forecast":{"type":"boolean"},
        "months":{"type":"array"},"results":{"type":"array"}}}"#;
    type Arguments = Arguments;

    fn call(arguments: Arguments) -> Result<Value, ToolError> {
        arguments.answer(SystemTime::now())
    }
}

tomas_tool_sdk::export!(Weather);

#[cfg(test)]
mod tests;
