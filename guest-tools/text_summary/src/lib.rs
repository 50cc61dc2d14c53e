//! Summarises a text by its most central sentences (TextRank: Mihalcea and Tarau, EMNLP 2004).
//!
//! [`sentence`] splits, [`similarity`] compares every sentence with every other, [`rank`] finds the
//! central ones. The matrix of similarities is quadratic, so a text of more than
//! [`rank::BLOCK`] sentences is condensed block by block first.

mod rank;
mod sentence;
mod similarity;

use serde::Deserialize;
use serde_json::{Value, json};
use tomas_tool_sdk::{Tool, ToolError, blobs};

/// Sentences of a summary when the caller does not say.
const DEFAULT_SENTENCES: usize = 3;
/// The most characters of a sentence in a summary.
const MOST_CHARS: usize = 600;
/// The most sentences that a caller may ask for.
const MOST_SENTENCES: usize = 50;

struct TextSummary;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    text: String,
    sentences: Option<i64>,
}

impl Tool for TextSummary {
    const NAME: &'static str = "text_summary";
    const DESCRIPTION: &'static str = tomas_tool_sdk::description!();
    const PARAMETERS: &'static str = r#"{"type":"object","additionalProperties":false,"required":["text"],"properties":{
"text":{"type":"string","x-tomas-source":"quote-or-blob","description":"the text itself, or blob:NAME of an attached text file"},
"sentences":{"type":"integer","minimum":1,"maximum":50,"description":"length of the summary in sentences, 3 when absent"}}}"#;
    const RESULT: &'static str = r#"{"type":"object","required":["text","value","sentences","of"],"properties":{
"text":{"type":"string","description":"the summary"},
"value":{"type":"string","description":"the most central sentence"},
"sentences":{"type":"array","items":{"type":"string"}},
"of":{"type":"integer","description":"sentences of the whole text"}}}"#;
    type Arguments = Arguments;

    fn call(arguments: Arguments) -> Result<Value, ToolError> {
        let wanted = match arguments.sentences {
            None => DEFAULT_SENTENCES,
            Some(wanted) => {
                usize::try_from(wanted).ok().filter(|wanted| (1..=MOST_SENTENCES).contains(wanted)).ok_or_else(
                    || ToolError::invalid(format!("`sentences` is `{wanted}`, allowed are 1 to {MOST_SENTENCES}")),
                )?
            }
        };
        let text = match blobs::name(&arguments.text) {
            Some(name) => blobs::read_text(name)?,
            None => arguments.text,
        };
        summarise(&text, wanted)
    }
}

fn summarise(text: &str, wanted: usize) -> Result<Value, ToolError> {
    let sentences = sentence::split(text);
    if sentences.is_empty() {
        return Err(ToolError::invalid(
            "`text` has no sentence in it\nhint: give the text itself, or `blob:NAME` of an attached text file",
        ));
    }
    let central = rank::central(&sentences, wanted);
    // The order of rank gives the value, the order of the text gives the summary.
    let value = central.first().and_then(|&index| sentences.get(index)).copied().unwrap_or_default();
    let mut order = central.clone();
    order.sort_unstable();
    let chosen: Vec<String> = order.iter().filter_map(|&index| sentences.get(index)).map(|raw| tidy(raw)).collect();
    Ok(json!({ "text": chosen.join(" "), "value": tidy(value), "sentences": chosen, "of": sentences.len() }))
}

/// One line, single spaces; what is too long for a sentence (a table, a log) is cut.
fn tidy(sentence: &str) -> String {
    let line = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MOST_CHARS) {
        None => line,
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or(&line).trim_end()),
    }
}

tomas_tool_sdk::export!(TextSummary);

#[cfg(test)]
mod tests;
