//! The tool `units`: converts amounts between units of measure, exactly where definitions are exact.
//!
//! An amount ([`quantity`], [`amount`]) has units ([`compound`]) out of a table ([`catalogue`]); a word such as `ounces`
//! keeps all its readings until the target ([`target`]) tells which is meant ([`convert`]). All numbers are
//! rationals; rounding happens once, in the answer ([`answer`]).
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod amount;
mod answer;
mod catalogue;
mod compound;
mod convert;
mod dimension;
mod kitchen;
mod measure;
mod problem;
mod quantity;
mod target;

use serde::Deserialize;
use serde_json::Value;
use tomas_tool_sdk::{Tool, ToolError};

/// The tool.
pub struct Units;

/// The arguments of the tool.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    quantity: String,
    to: String,
}

impl Tool for Units {
    const NAME: &'static str = "units";
    const DESCRIPTION: &'static str = tomas_tool_sdk::description!();
    const PARAMETERS: &'static str = r#"{"type":"object","additionalProperties":false,"required":["quantity","to"],"properties":{
        "quantity":{"type":"string","maxLength":20000,"x-tomas-source":"quote","description":"a number with its unit, e.g. `5 feet 11 inches`, `98.6°F`, `a pound`; `;` separates several"},
        "to":{"type":"string","maxLength":200,"x-tomas-source":"quote","description":"the unit to convert to, e.g. `cm`, `feet and inches`, `celsius`, `metric`"}}}"#;
    const RESULT: &'static str = r#"{"type":"object","required":["text","value"],"properties":{
        "text":{"type":"string"},"value":{"type":"string"},"from":{"type":"string"},"unit":{"type":"string"},
        "number":{"type":"number"},"exact":{"type":"boolean"},"until":{"type":"string"},"results":{"type":"array"}}}"#;
    type Arguments = Arguments;

    fn call(arguments: Arguments) -> Result<Value, ToolError> {
        answer::answer(&arguments.quantity, &arguments.to).map_err(ToolError::invalid)
    }
}

tomas_tool_sdk::export!(Units);

#[cfg(test)]
mod tests;
