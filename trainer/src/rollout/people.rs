//! Requests in people's own wording (`data/language/heldout_people.jsonl`): never trained on, used for development.

use crate::data::{
    sample::{Sample, Target},
    split::Split,
};
use serde::Deserialize;
use serde_json::Value;
use std::{fs, io, path::Path};
use tomas_core::{
    amount::{Bytes, MilliCpu},
    observation::BlobRef,
    plan::Step,
    query::Query,
    registry::{Registry, Tolerance},
    resource::Resources,
};

#[derive(Deserialize)]
struct Row {
    request: String,
    #[serde(default)]
    attachments: Vec<String>,
    #[serde(default)]
    steps: Vec<RowStep>,
}

#[derive(Deserialize)]
struct RowStep {
    tool: String,
    arguments: Value,
}

/// Reads the rows as development samples with two cores and a gibibyte free. Attachments count as 20,000 bytes.
///
/// # Errors
/// When the file does not read or a row does not parse.
pub fn read(path: &Path, registry: &Registry) -> io::Result<Vec<Sample>> {
    let budget = Resources { cpu: MilliCpu(2000), memory: Bytes::mib(1024), gpu_sms: 0, gpu_memory: Bytes(0) };
    let mut samples = Vec::new();
    for (n, line) in fs::read_to_string(path)?.lines().enumerate() {
        let row: Row = serde_json::from_str(line).map_err(|e| io::Error::other(format!("row {}: {e}", n + 1)))?;
        let attachments: Vec<BlobRef> = row
            .attachments
            .into_iter()
            .map(|name| BlobRef { name, digest: String::new(), bytes: 20_000, pixels: Some(100_000) })
            .collect();
        let query = Query { text: row.request, attachments, folder_bytes: 50_000, budget };
        let steps: Option<Vec<Step>> = row.steps.iter().map(|s| step(s, &query, registry)).collect();
        let target = match steps {
            Some(steps) if steps.is_empty() => Target::Tool(None),
            Some(steps) => Target::Steps(steps),
            None => continue,
        };
        samples.push(Sample::new(Split::Dev, format!("people#{n}"), query, target, Vec::new()));
    }
    Ok(samples)
}

fn step(row: &RowStep, query: &Query, registry: &Registry) -> Option<Step> {
    let tool = registry.tools().iter().find(|t| t.name().as_str() == row.tool)?;
    let size = tool.class(&row.arguments, &query.attachments, query.folder_bytes);
    let best = registry.best(tool.name(), size, &query.budget, Tolerance::MEASURED)?;
    Some(Step { configuration: best.clone(), arguments: row.arguments.clone() })
}
