//! The generated bindings of the world `tool`.

wit_bindgen::generate!({
    path: "../../wit",
    world: "tool",
    pub_export_macro: true,
    export_macro_name: "export_world",
});

impl From<crate::ToolError> for ToolError {
    fn from(error: crate::ToolError) -> Self {
        match error {
            crate::ToolError::InvalidArguments(message) => Self::InvalidArguments(message),
            crate::ToolError::NotFound(message) => Self::NotFound(message),
            crate::ToolError::Failed(message) => Self::Failed(message),
        }
    }
}
