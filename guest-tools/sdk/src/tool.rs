//! The trait that a tool implements.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::ToolError;

/// The result schema of a tool that promises nothing beyond the common fields.
pub const RESULT: &str =
    r#"{"type":"object","required":["text"],"properties":{"text":{"type":"string"},"value":{"type":"string"}}}"#;

/// One callable function of a component.
pub trait Tool {
    /// Matches `^[a-zA-Z0-9_-]{1,64}$`; the same as the folder and the manifest.
    const NAME: &'static str;

    /// One or two sentences for a model and for people. `tomas_tool_sdk::description!()` takes it
    /// from the manifest beside the crate, so that there is one copy.
    const DESCRIPTION: &'static str;

    /// JSON schema of the arguments: `{"type":"object","additionalProperties":false,...}`.
    const PARAMETERS: &'static str;

    /// JSON schema of the result.
    const RESULT: &'static str = RESULT;

    /// The arguments; derive `Deserialize` with `#[serde(deny_unknown_fields)]`.
    type Arguments: DeserializeOwned;

    /// Does the work. The result is an object with a string `text`, where it makes sense a short
    /// string `value`, and fields of the tool's own.
    ///
    /// # Errors
    /// See the variants of [`ToolError`].
    fn call(arguments: Self::Arguments) -> Result<Value, ToolError>;
}
