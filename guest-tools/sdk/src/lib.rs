//! What the author of a tool needs: one trait, one macro, and the host's services.
//!
//! ```
//! use serde::Deserialize;
//! use serde_json::{Value, json};
//! use tomas_tool_sdk::{Tool, ToolError};
//!
//! struct Shout;
//!
//! #[derive(Deserialize)]
//! #[serde(deny_unknown_fields)]
//! struct Arguments {
//!     text: String,
//! }
//!
//! impl Tool for Shout {
//!     const NAME: &'static str = "shout";
//!     const DESCRIPTION: &'static str = "Writes a text in capital letters.";
//!     const PARAMETERS: &'static str = r#"{"type":"object","additionalProperties":false,"required":["text"],
//!         "properties":{"text":{"type":"string","x-tomas-source":"quote"}}}"#;
//!     type Arguments = Arguments;
//!
//!     fn call(arguments: Arguments) -> Result<Value, ToolError> {
//!         Ok(json!({ "text": arguments.text.to_uppercase() }))
//!     }
//! }
//!
//! tomas_tool_sdk::export!(Shout);
//!
//! let result = tomas_tool_sdk::testing::call::<Shout>(json!({ "text": "hello" }));
//! assert_eq!(result, Ok(json!({ "text": "HELLO" })));
//! ```
//!
//! In a component the services ([`blobs`], [`parallel`], [`progress`], [`log`]) are the host's. Built
//! for any other target they are small stand-ins in memory, so that a tool has ordinary unit tests.

pub mod blobs;
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod component;
mod error;
mod export;
pub mod log;
pub mod parallel;
pub mod progress;
mod shown;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
mod tool;

pub use error::ToolError;
pub use export::manifest_description;
pub use serde_json;
pub use shown::shown;
pub use tool::{RESULT, Tool};

#[doc(hidden)]
pub use export::{describe, invoke};
