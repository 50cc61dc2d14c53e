//! From tools to the exports of the world: description, dispatch, arguments.

use serde_json::Value;

use crate::{Tool, ToolError, shown};

/// The most characters of what serde says, which repeats what it found.
const MOST_ERROR: usize = 300;

/// Makes the listed tools the exports of the component, e.g. `export!(Matrix)`, or
/// `export!(First, Second; worker = shard)` when the component does work in [`crate::parallel`]
/// (`shard` is a `fn(&[u8]) -> Result<Vec<u8>, String>`).
#[macro_export]
macro_rules! export {
    ($($tool:ty),+ $(,)?) => {
        $crate::export!($($tool),+; worker = |_: &[u8]| Err("this component has no worker".to_owned()));
    };
    ($($tool:ty),+; worker = $worker:expr) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            struct Component;

            impl $crate::component::Guest for Component {
                fn describe() -> String {
                    format!("[{}]", [$($crate::describe::<$tool>()),+].join(","))
                }

                fn invoke(tool: String, arguments: String) -> Result<String, $crate::component::ToolError> {
                    $(if tool == <$tool as $crate::Tool>::NAME {
                        return Ok($crate::invoke::<$tool>(&arguments)?);
                    })+
                    let names = [$(<$tool as $crate::Tool>::NAME),+].join("`, `");
                    Err($crate::ToolError::NotFound(format!("no tool `{tool}` in this component, which has `{names}`")).into())
                }

                fn worker(item: Vec<u8>) -> Result<Vec<u8>, String> {
                    let worker: fn(&[u8]) -> Result<Vec<u8>, String> = $worker;
                    worker(&item)
                }
            }

            $crate::component::export_world!(Component with_types_in $crate::component);
        };

        // Nothing calls the tools of a native build but its tests; this keeps them from being unused.
        #[cfg(not(target_family = "wasm"))]
        const _: (&[fn() -> String], fn(&[u8]) -> Result<Vec<u8>, String>) = (&[$($crate::describe::<$tool>),+], $worker);
    };
}

/// The `description` of the `tool.toml` beside the crate's `Cargo.toml`, at compile time.
#[macro_export]
macro_rules! description {
    () => {
        $crate::manifest_description(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tool.toml")))
    };
}

/// The value of the first line `description = "..."`, a basic string without escapes.
///
/// # Panics
/// When there is none, which is a compile error where the value is a constant.
#[must_use]
pub const fn manifest_description(manifest: &'static str) -> &'static str {
    let (bytes, key) = (manifest.as_bytes(), b"\ndescription = \"");
    let mut start = 0;
    while start + key.len() < bytes.len() {
        let mut same = 0;
        while same < key.len() && bytes[start + same] == key[same] {
            same += 1;
        }
        if same == key.len() {
            break;
        }
        start += 1;
    }
    let (_, value) = bytes.split_at(start + key.len());
    let mut length = 0;
    while value[length] != b'"' {
        assert!(value[length] != b'\\' && value[length] != b'\n', "the description must be one line without escapes");
        length += 1;
    }
    match std::str::from_utf8(value.split_at(length).0) {
        Ok(text) => text,
        Err(_) => panic!("the description must be UTF-8"),
    }
}

/// One element of the array that `describe` returns.
#[must_use]
pub fn describe<T: Tool>() -> String {
    format!(
        r#"{{"name":{},"description":{},"parameters":{},"result":{}}}"#,
        Value::from(T::NAME),
        Value::from(T::DESCRIPTION),
        T::PARAMETERS,
        T::RESULT
    )
}

/// Reads the arguments, calls the tool and writes the result.
///
/// # Errors
/// [`ToolError::InvalidArguments`] when `arguments` is not JSON of the right shape; those of the tool.
pub fn invoke<T: Tool>(arguments: &str) -> Result<String, ToolError> {
    let arguments = serde_json::from_str(arguments).map_err(|error| {
        let error = error.to_string();
        ToolError::InvalidArguments(format!("`arguments` of `{}`: {}", T::NAME, shown::cut(&error, MOST_ERROR)))
    })?;
    T::call(arguments).map(|result| result.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_is_taken_from_a_manifest() {
        const FOUND: &str = manifest_description("name = \"x\"\ndescription = \"Does it.\"\n[size]\n");
        assert_eq!(FOUND, "Does it.");
    }
}
