//! What a client reads of a call.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rmcp::model::{CallToolResult, ContentBlock, MetaObject, ResourceContents};
use serde_json::json;
use tomas_core::observation::{Observation, Outcome};

/// Files up to this many bytes are part of the answer; larger ones stay with the host under their name.
pub const EMBEDDED: usize = 1 << 20;

/// An observation, with the files that the call wrote; those of more than `most` bytes by name only.
#[must_use]
pub fn result(observation: &Observation, written: &[(String, Vec<u8>)], most: usize) -> CallToolResult {
    let mut content = vec![ContentBlock::text(text(observation))];
    content.extend(written.iter().map(|(name, bytes)| file(name, bytes, most)));
    let mut result = if observation.outcome == Outcome::Ok {
        let mut result = CallToolResult::success(content);
        result.structured_content.clone_from(&observation.result);
        result
    } else {
        CallToolResult::error(content)
    };
    result.meta = Some(meta(observation));
    result
}

fn text(observation: &Observation) -> String {
    match observation.outcome {
        Outcome::Ok => observation.text(),
        outcome => format!("{}: {}", outcome.name(), observation.text()),
    }
}

/// Quota, usage and outcome, for clients that plan with what a tool costs.
fn meta(observation: &Observation) -> MetaObject {
    let fields = json!({
        "tomas/outcome": observation.outcome,
        "tomas/quota": observation.quota,
        "tomas/usage": observation.usage,
    });
    MetaObject(fields.as_object().cloned().unwrap_or_default())
}

fn file(name: &str, bytes: &[u8], most: usize) -> ContentBlock {
    let mime = mime(name);
    let uri = format!("blob:{name}");
    if bytes.len() > most {
        return ContentBlock::text(format!("{uri} has {} bytes; later calls can use it by this name", bytes.len()));
    }
    let data = STANDARD.encode(bytes);
    if mime.starts_with("image/") {
        return ContentBlock::image(data, mime);
    }
    ContentBlock::resource(ResourceContents::blob(data, uri).with_mime_type(mime))
}

fn mime(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, end)| end) {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "bmp" => "image/bmp",
        "txt" | "md" => "text/plain",
        "json" => "application/json",
        _ => "application/octet-stream",
    }
}

/// A call that did not come to be: what a model can read and act on.
#[must_use]
pub fn refused(why: &str) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(why)])
}
