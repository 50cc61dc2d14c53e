//! The files of built data: `train.jsonl`, `dev.jsonl`, `test.jsonl`, one sample a line, and `counts.json`.

use super::{overlap::Counts, sample::Sample, split::Split};
use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

/// Why built data cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be written or read.
    #[error("`{path}`: {source}\nhint: `tomas-host data build` writes this folder; is the disk full?")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is not a sample.
    #[error("`{path}` line {line} is not a sample: {source}\nhint: build the data again")]
    Line {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// Why.
        source: serde_json::Error,
    },
}

/// Writes all sides into a folder. A file is complete or absent.
///
/// # Errors
/// When the disk does not take it.
pub fn write(folder: &Path, samples: &[Sample], counts: &Counts) -> Result<(), StoreError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| StoreError::Io { path, source }
    };
    fs::create_dir_all(folder).map_err(io(folder))?;
    for split in Split::ALL {
        let path = folder.join(format!("{}.jsonl", split.name()));
        let partial = path.with_extension("partial");
        let lines = samples.iter().filter(|s| s.split == split);
        let put = || -> io::Result<()> {
            let mut out = BufWriter::new(File::create(&partial)?);
            for sample in lines {
                serde_json::to_writer(&mut out, sample)?;
                out.write_all(b"\n")?;
            }
            out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
            fs::rename(&partial, &path)
        };
        put().map_err(io(&path))?;
    }
    let path = folder.join("counts.json");
    let text = serde_json::to_string_pretty(counts).map_err(|e| io(&path)(io::Error::other(e)))?;
    fs::write(&path, text + "\n").map_err(io(&path))
}

/// Reads one side.
///
/// # Errors
/// When the file is missing or a line is not a sample.
pub fn read(folder: &Path, split: Split) -> Result<Vec<Sample>, StoreError> {
    let path = folder.join(format!("{}.jsonl", split.name()));
    let file = File::open(&path).map_err(|source| StoreError::Io { path: path.clone(), source })?;
    let mut samples = Vec::new();
    for (n, line) in BufReader::new(file).lines().enumerate() {
        let line = line.map_err(|source| StoreError::Io { path: path.clone(), source })?;
        samples.push(serde_json::from_str(&line).map_err(|source| StoreError::Line {
            path: path.clone(),
            line: n + 1,
            source,
        })?);
    }
    Ok(samples)
}

/// At most `most` samples, evenly spread over the list, so that every kind is among them.
#[must_use]
pub fn spread(samples: Vec<Sample>, most: usize) -> Vec<Sample> {
    let (all, taken) = (samples.len(), samples.len().min(most));
    // Of every `all / taken` samples the first: index n is taken when n * taken / all is a new whole number.
    let first = |n: &usize| n * taken % all.max(1) < taken;
    samples.into_iter().enumerate().filter(|(n, _)| first(n)).map(|(_, sample)| sample).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::sample::Target;

    #[test]
    fn samples_are_spread_to_the_end_and_as_many_as_asked_for() {
        let sample = |n: usize| {
            let query = serde_json::from_value(serde_json::json!({
                "text": n.to_string(), "attachments": [], "folder_bytes": 0,
                "budget": {"cpu": "1000m", "memory": "1MiB", "gpu_sms": 0, "gpu_memory": "0"},
            }));
            Sample::new(Split::Dev, n.to_string(), query.unwrap(), Target::Tool(None), Vec::new())
        };
        let names = |all: usize, most: usize| -> Vec<String> {
            spread((0..all).map(sample).collect(), most).into_iter().map(|s| s.source).collect()
        };
        assert_eq!(names(10, 4), ["0", "3", "5", "8"]);
        assert_eq!(names(3, 9).len(), 3);
        assert_eq!(names(2278, 512).len(), 512);
        assert!(names(0, 5).is_empty() && names(5, 0).is_empty());
    }
}
