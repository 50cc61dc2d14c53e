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
