//! The tool `calculator`: arithmetic in symbols and in English, exact where numbers are.
//!
//! A request is repeated without the words of asking ([`said`]), cut into items whichever words they were
//! written in ([`reading`], [`phrase`], [`item`]), read as a sentence about numbers ([`statement`]) or an
//! expression ([`parse`], [`clause`]), worked out with exact rationals ([`value`], [`function`],
//! [`constant`], [`discrete`]) or to 57 digits ([`precise`]), and answered ([`answer`], [`wish`]).
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod answer;
mod clause;
mod constant;
mod discrete;
mod function;
mod item;
mod parse;
mod phrase;
mod precise;
mod problem;
mod reading;
mod roman;
mod said;
mod statement;
mod value;
mod wish;

use serde::Deserialize;
use serde_json::Value;
use tomas_tool_sdk::{Tool, ToolError};

/// The tool.
pub struct Calculator;

/// The arguments of the tool.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    expression: String,
}

impl Tool for Calculator {
    const NAME: &'static str = "calculator";
    const DESCRIPTION: &'static str = tomas_tool_sdk::description!();
    const PARAMETERS: &'static str = r#"{"type":"object","additionalProperties":false,"required":["expression"],"properties":{
        "expression":{"type":"string","maxLength":20000,"x-tomas-source":"quote","description":"arithmetic in symbols or in English, e.g. `12*(3+4)`, `17.5% of 2,340`, `square root of 144`; `;` separates several"}}}"#;
    const RESULT: &'static str = r#"{"type":"object","required":["text","value"],"properties":{
        "text":{"type":"string"},"value":{"type":"string"},"expression":{"type":"string"},"exact":{"type":"boolean"},
        "fraction":{"type":"string"},"decimal":{"type":"string"},"digits":{"type":"string"},"results":{"type":"array"}}}"#;
    type Arguments = Arguments;

    fn call(arguments: Arguments) -> Result<Value, ToolError> {
        answer::answer(&arguments.expression).map_err(|problem| match problem.unclear {
            true => ToolError::invalid(problem),
            false => ToolError::failed(problem),
        })
    }
}

tomas_tool_sdk::export!(Calculator);

#[cfg(test)]
mod tests;
