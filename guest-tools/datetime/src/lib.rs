//! The tool `datetime`: the clock, the calendar and time zones.
//!
//! Texts are cut into tokens ([`token`]) and read as moments ([`reader`], [`relative`], [`named`], [`span`], [`numeric`],
//! [`clock`], [`holiday`], [`zone`]) or durations ([`duration`]); each operation ([`convert`], [`add`], [`difference`],
//! [`info`]) makes a sentence of them. Today comes from the clock of the host, once ([`answer`]).
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod add;
mod answer;
mod clock;
mod convert;
mod difference;
mod duration;
mod holiday;
mod info;
mod moment;
mod named;
mod numeric;
mod problem;
mod reader;
mod relative;
mod show;
mod span;
mod token;
mod zone;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use tomas_tool_sdk::{Tool, ToolError};

/// The tool.
pub struct Datetime;

/// What to do.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// The date and time somewhere.
    Now,
    /// A time in another zone.
    Convert,
    /// A date or time and a duration later.
    Add,
    /// From one date or time to another.
    Difference,
    /// About a day, month or year.
    Info,
}

/// The arguments of the tool.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    operation: Operation,
    date: Option<String>,
    other: Option<String>,
    duration: Option<String>,
    zone: Option<String>,
    to_zone: Option<String>,
}

impl Tool for Datetime {
    const NAME: &'static str = "datetime";
    const DESCRIPTION: &'static str = tomas_tool_sdk::description!();
    const PARAMETERS: &'static str = r#"{"type":"object","additionalProperties":false,"required":["operation"],"properties":{
        "operation":{"type":"string","enum":["now","convert","add","difference","info"]},
        "date":{"type":"string","maxLength":20000,"x-tomas-source":"quote","description":"a date or time in English or ISO form, e.g. `next friday`, `March 3rd`, `3pm`; today if left out; `;` separates several"},
        "other":{"type":"string","maxLength":200,"x-tomas-source":"quote","description":"difference: the other date, e.g. `christmas`"},
        "duration":{"type":"string","maxLength":200,"x-tomas-source":"quote","description":"add: e.g. `45 days`, `3 weeks ago`, `-2 months`"},
        "zone":{"type":"string","maxLength":200,"x-tomas-source":"quote","description":"the zone of the date or of now: a city, `PST`, `Europe/Paris`, `UTC+5:30`"},
        "to_zone":{"type":"string","maxLength":200,"x-tomas-source":"quote","description":"convert: the zone wanted"}}}"#;
    const RESULT: &'static str = r#"{"type":"object","required":["text","value"],"properties":{
        "text":{"type":"string"},"value":{"type":"string"},"date":{"type":"string"},"time":{"type":"string"},"weekday":{"type":"string"},
        "days":{"type":"integer"},"from":{"type":"string"},"to":{"type":"string"},"leap_year":{"type":"boolean"},"results":{"type":"array"}}}"#;
    type Arguments = Arguments;

    fn call(arguments: Arguments) -> Result<Value, ToolError> {
        let now =
            clock_of_host().ok_or_else(|| ToolError::failed("the clock of the host is before 1970 or after 9999"))?;
        answer::answer(&arguments, now).map_err(ToolError::invalid)
    }
}

/// The moment by the clock of the host.
fn clock_of_host() -> Option<Timestamp> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok()?;
    Timestamp::from_second(i64::try_from(since.as_secs()).ok()?).ok()
}

tomas_tool_sdk::export!(Datetime);

#[cfg(test)]
mod tests;
