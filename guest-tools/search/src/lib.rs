//! Searches the text files of the granted folder with BM25.
//!
//! [`walk`] finds the files, [`passage`] cuts them into passages and counts the words of the query in
//! each, [`score`] ranks. Nothing but the passages with a hit is kept, so memory follows the hits and
//! not the folder.

mod passage;
mod query;
mod score;
mod walk;

use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};
use tomas_tool_sdk::{Tool, ToolError, progress};

use passage::Corpus;
use query::Query;

/// Where the host shows the granted folder.
const ROOT: &str = "/workspace";
/// Passages returned when the caller does not say.
const DEFAULT_LIMIT: usize = 5;
/// The most passages that a caller may ask for.
const MOST: usize = 20;
/// Files between two reports of progress.
const REPORT_EVERY: usize = 64;

struct Search;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    query: String,
    limit: Option<i64>,
}

impl Tool for Search {
    const NAME: &'static str = "search";
    const DESCRIPTION: &'static str = tomas_tool_sdk::description!();
    const PARAMETERS: &'static str = r#"{"type":"object","additionalProperties":false,"required":["query"],"properties":{
"query":{"type":"string","x-tomas-source":"quote","description":"words to look for; \"quoted words\" must occur together"},
"limit":{"type":"integer","minimum":1,"maximum":20,"description":"how many passages to return, 5 when absent"}}}"#;
    const RESULT: &'static str = r#"{"type":"object","required":["text","results","files"],"properties":{
"text":{"type":"string","description":"the passages found, for reading"},
"value":{"type":"string","description":"the snippet of the best passage"},
"results":{"type":"array","items":{"type":"object","properties":{
"file":{"type":"string"},"line":{"type":"integer"},"score":{"type":"number"},"snippet":{"type":"string"}}}},
"files":{"type":"integer","description":"text files that were read"}}}"#;
    type Arguments = Arguments;

    fn call(arguments: Arguments) -> Result<Value, ToolError> {
        let limit = match arguments.limit {
            None => DEFAULT_LIMIT,
            Some(limit) => usize::try_from(limit)
                .ok()
                .filter(|limit| (1..=MOST).contains(limit))
                .ok_or_else(|| ToolError::invalid(format!("`limit` is `{limit}`, allowed are 1 to {MOST}")))?,
        };
        search(Path::new(ROOT), &arguments.query, limit)
    }
}

fn search(root: &Path, query: &str, limit: usize) -> Result<Value, ToolError> {
    let query = Query::new(query)?;
    let files = walk::files(root)?;
    let mut corpus = Corpus::new(query.len());
    for (index, file) in files.iter().enumerate() {
        if index % REPORT_EVERY == 0 {
            progress::report(index as u64, files.len() as u64, "reading files");
        }
        if let Some(text) = walk::text(root, file) {
            corpus.add(index, file, &text, &query);
        }
    }
    let mut results: Vec<Value> = Vec::new();
    // Copies of one passage say nothing new, so a few more are looked at than are shown.
    for (score, hit) in score::best(&corpus, &query, limit * 4) {
        let Some(file) = files.get(hit.file) else { continue };
        let Some(text) = walk::text(root, file) else { continue };
        let (line, snippet) = passage::snippet(&text, hit, &query);
        if results.len() < limit && results.iter().all(|other| other["snippet"] != snippet.as_str()) {
            results.push(
                json!({ "file": file, "line": line, "score": (score * 1000.0).round() / 1000.0, "snippet": snippet }),
            );
        }
    }
    Ok(answer(&query, results, corpus.files))
}

fn answer(query: &Query, results: Vec<Value>, files: usize) -> Value {
    let searched = if files == 1 { "1 text file".to_owned() } else { format!("{files} text files") };
    if results.is_empty() {
        let text = format!("Nothing about “{}” in {searched}.", query.text);
        return json!({ "text": text, "results": [], "files": files });
    }
    let plural = if results.len() == 1 { "passage" } else { "passages" };
    let mut text = format!("{} {plural} about “{}” in {searched}:", results.len(), query.text);
    for (index, result) in results.iter().enumerate() {
        let field = |name: &str| result[name].as_str().unwrap_or_default().to_owned();
        text += &format!("\n{}. {}:{}: {}", index + 1, field("file"), result["line"], field("snippet"));
    }
    let value = results[0]["snippet"].clone();
    json!({ "text": text, "value": value, "results": results, "files": files })
}

tomas_tool_sdk::export!(Search);

#[cfg(test)]
mod tests;
