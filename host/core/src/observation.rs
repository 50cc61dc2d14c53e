//! Observations: what one step did. A tool going wrong is an observation; an `Err` means the host is at fault.

use crate::{manifest::Measure, quota::Quota};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The tool returned a result.
    Ok,
    /// The tool returned an error of its own.
    ToolError,
    /// The arguments do not satisfy the tool's schema.
    InvalidArguments,
    /// More memory was asked for than granted.
    MemoryExceeded,
    /// The wall-clock deadline passed.
    DeadlineExceeded,
    /// More bytes were produced than granted.
    OutputExceeded,
    /// Something was reached for that no grant allows.
    PermissionDenied,
    /// The component trapped.
    Trapped,
    /// The caller went away or asked to stop.
    Cancelled,
}

impl Outcome {
    /// All outcomes, in the order of the profile table.
    pub const ALL: [Self; 9] = [
        Self::Ok,
        Self::ToolError,
        Self::InvalidArguments,
        Self::MemoryExceeded,
        Self::DeadlineExceeded,
        Self::OutputExceeded,
        Self::PermissionDenied,
        Self::Trapped,
        Self::Cancelled,
    ];

    /// The name in JSON, CSV and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::ToolError => "tool_error",
            Self::InvalidArguments => "invalid_arguments",
            Self::MemoryExceeded => "memory_exceeded",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::OutputExceeded => "output_exceeded",
            Self::PermissionDenied => "permission_denied",
            Self::Trapped => "trapped",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What a call used.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// CPU time of the call and its fork-join workers, in milliseconds.
    pub cpu_ms: f64,
    /// Wall time from start to answer, in milliseconds.
    pub wall_ms: f64,
    /// Wall time held back because the CPU quota was used up, in milliseconds.
    pub throttled_ms: f64,
    /// Wall time neither running, throttled nor waiting for the host: runnable but not scheduled, in milliseconds.
    pub unscheduled_ms: f64,
    /// Most guest memory held at once, in bytes.
    pub peak_memory_bytes: u64,
    /// Bytes that went in: arguments and blobs read.
    pub input_bytes: u64,
    /// Bytes that came out: result, standard streams, blobs written.
    pub output_bytes: u64,
}

/// What one step did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// How it ended.
    pub outcome: Outcome,
    /// What it used.
    pub usage: Usage,
    /// The quota it ran under.
    pub quota: Quota,
    /// The tool's result where the outcome is `ok`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// What went wrong, for people: the tool's message, or the trap with its backtrace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Standard output and error of the tool, as far as the output cap allowed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub log: String,
    /// Blobs that the tool wrote: name and digest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blobs: Vec<BlobRef>,
}

/// A named blob.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlobRef {
    /// Name that people and arguments use, such as `notes.txt`.
    pub name: String,
    /// BLAKE3 of the bytes, in hex.
    pub digest: String,
    /// Length in bytes.
    pub bytes: u64,
    /// Width times height, where the blob is an image whose header was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pixels: Option<u64>,
}

impl BlobRef {
    /// The blob's size by a manifest's measure. An image whose header is unknown counts four pixels a byte, a table
    /// one element for every four bytes: rough, and only used to choose a size class.
    #[must_use]
    pub fn measure(&self, measure: Measure) -> u64 {
        match measure {
            Measure::Chars | Measure::Bytes | Measure::Folder => self.bytes,
            Measure::Pixels => self.pixels.unwrap_or(self.bytes.saturating_mul(4)),
            Measure::Elements => self.bytes / 4,
        }
    }
}

impl Observation {
    /// Of a call that did nothing yet.
    #[must_use]
    pub fn none(quota: Quota) -> Self {
        let (usage, log, blobs) = (Usage::default(), String::new(), Vec::new());
        Self { outcome: Outcome::Cancelled, usage, quota, result: None, error: None, log, blobs }
    }

    /// The text a person would read: the result's `text`, the result itself, or the error.
    #[must_use]
    pub fn text(&self) -> String {
        match (&self.result, &self.error) {
            (Some(result), _) => {
                result.get("text").and_then(Value::as_str).map_or_else(|| result.to_string(), str::to_owned)
            }
            (None, Some(error)) => error.clone(),
            (None, None) => self.outcome.name().to_owned(),
        }
    }

    /// What a later step's `{{k}}` stands for: the result's `value`, else its `text`.
    #[must_use]
    pub fn value(&self) -> Option<String> {
        let result = self.result.as_ref()?;
        match result.get("value").or_else(|| result.get("text")) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(other) => Some(other.to_string()),
            None => Some(result.to_string()),
        }
    }
}
