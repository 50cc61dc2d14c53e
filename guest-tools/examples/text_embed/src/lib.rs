//! A tool that computes with a model of the host: how similar are two texts in meaning?

mod model;

use model::Model;
use serde::Deserialize;
use serde_json::{Value, json};
use tomas_tool_sdk::{Tool, ToolError, blobs};

/// What the operator called the model, and `tool.toml` permits.
const MODEL: &str = "minilm";

/// Where the vector of a single text goes.
const BLOB: &str = "embedding.f32";

struct TextEmbed;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    text: String,
    other: Option<String>,
}

impl Tool for TextEmbed {
    const NAME: &'static str = "text_embed";
    const DESCRIPTION: &'static str = tomas_tool_sdk::description!();
    const PARAMETERS: &'static str = r#"{"type":"object","additionalProperties":false,"required":["text"],"properties":{
        "text":{"type":"string","description":"a text","x-tomas-source":"quote"},
        "other":{"type":"string","description":"a text to compare it with","x-tomas-source":"quote"}}}"#;
    type Arguments = Arguments;

    fn call(arguments: Arguments) -> Result<Value, ToolError> {
        let model = Model::load(MODEL).map_err(ToolError::failed)?;
        let embed = |text: &str| model.embed(text).map_err(ToolError::failed);
        let (vector, cut) = embed(&arguments.text)?;
        let Some(other) = arguments.other else {
            let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
            blobs::write(BLOB, &bytes)?;
            let text = format!("{} numbers in `blob:{BLOB}`, little-endian f32{}", vector.len(), said(cut));
            return Ok(json!({ "text": text, "value": format!("blob:{BLOB}") }));
        };
        let (second, second_cut) = embed(&other)?;
        // Both have length 1, so the product is the cosine of the angle between them.
        let cosine: f32 = vector.iter().zip(&second).map(|(a, b)| a * b).sum();
        let text = format!("The texts have a similarity of {cosine:.3}{}", said(cut || second_cut));
        Ok(json!({ "text": text, "value": format!("{cosine:.3}") }))
    }
}

/// A model reads only so much.
fn said(cut: bool) -> &'static str {
    if cut { "; of a text longer than the model reads, only the beginning counted" } else { "" }
}

tomas_tool_sdk::export!(TextEmbed);
