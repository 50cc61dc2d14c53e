//! Public sets: people's own wording, with the tool but no arguments (`data/public`; origins in `data/README.md`).

use super::{
    sample::{Sample, Target},
    split::Split,
};
use fastrand::Rng;
use flate2::read::GzDecoder;
use serde::Deserialize;
use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
};
use tomas_core::{query::Query, registry::Registry};

/// Why a public set is refused.
#[derive(Debug, thiserror::Error)]
pub enum PublicError {
    /// The file cannot be read.
    #[error("`{path}` cannot be read: {source}\nhint: public_sets is the folder data/public")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A row does not parse.
    #[error("`{path}` row {row}: {source}")]
    Row {
        /// Which file.
        path: PathBuf,
        /// Which row, from 1.
        row: usize,
        /// Why.
        source: serde_json::Error,
    },
}

/// A row of a set: a request and the registered tool that serves it, if any.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    query: String,
    tool: Option<String>,
}

/// Up to `limit` rows on one side of the split, in a drawn order. Rows of tools that are not registered are left out.
///
/// # Errors
/// When a set does not read.
pub fn samples(
    folder: &Path,
    registry: &Registry,
    split: Split,
    limit: usize,
    rng: &mut Rng,
) -> Result<Vec<Sample>, PublicError> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let read = |source| PublicError::Read { path: folder.to_owned(), source };
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(read)?
        .filter_map(|e| e.ok().map(|e| e.path()))
        .filter(|p| p.to_string_lossy().ends_with(".jsonl.gz"))
        .collect();
    files.sort();
    let mut samples = Vec::new();
    for path in files {
        let set =
            path.file_name().and_then(|n| n.to_str()).unwrap_or_default().trim_end_matches(".jsonl.gz").to_owned();
        for row in rows(&path)? {
            let known = row.tool.as_ref().is_none_or(|t| registry.tools().iter().any(|r| r.name().as_str() == t));
            if known && Split::of(&row.query) == split {
                let budget = super::budget::structured(registry.levels(), rng);
                let query = Query { text: row.query, attachments: Vec::new(), folder_bytes: 0, budget };
                samples.push(Sample::new(split, set.clone(), query, Target::Tool(row.tool), Vec::new()));
            }
        }
    }
    // Rows that name a tool are few: all of them stay, and the rest is filled up with requests that no tool serves.
    rng.shuffle(&mut samples);
    samples.sort_by_key(|s| s.target.tool().is_none());
    samples.truncate(limit);
    rng.shuffle(&mut samples);
    Ok(samples)
}

fn rows(path: &Path) -> Result<Vec<Row>, PublicError> {
    let read = |source| PublicError::Read { path: path.to_owned(), source };
    let lines = BufReader::new(GzDecoder::new(File::open(path).map_err(read)?)).lines();
    lines
        .enumerate()
        .map(|(n, line)| {
            let line = line.map_err(read)?;
            serde_json::from_str(&line).map_err(|source| PublicError::Row { path: path.to_owned(), row: n + 1, source })
        })
        .collect()
}
