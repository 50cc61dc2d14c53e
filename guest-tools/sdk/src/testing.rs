//! Calls a tool as the host would, natively. Blobs live in the current thread.

use serde_json::Value;

use crate::{Tool, ToolError, blobs};

/// Makes `data` the blob `name` of this thread.
pub fn put(name: &str, data: &[u8]) {
    // The stand-in cannot refuse.
    let _ = blobs::service::write(name, data);
}

/// Calls `T` with `arguments`, through JSON text in both directions.
///
/// # Errors
/// Those of the call.
pub fn call<T: Tool>(arguments: Value) -> Result<Value, ToolError> {
    let result = crate::invoke::<T>(&arguments.to_string())?;
    serde_json::from_str(&result).map_err(|error| ToolError::Failed(format!("the result is not JSON: {error}")))
}

/// How long a call takes natively: milliseconds of wall time, the median of `times` after one to warm up.
///
/// # Errors
/// Those of the call.
pub fn speed<T: Tool>(arguments: &Value, times: usize) -> Result<f64, ToolError> {
    call::<T>(arguments.clone())?;
    let mut spent = Vec::with_capacity(times);
    for _ in 0..times {
        let begun = std::time::Instant::now();
        call::<T>(arguments.clone())?;
        spent.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    spent.sort_by(f64::total_cmp);
    Ok(spent.get(times / 2).copied().unwrap_or(f64::NAN))
}

/// What is wrong with the self-description of `T`: not JSON, a name no client accepts, parameters that
/// are not a closed object. Empty when all is well; every tool asserts that.
#[must_use]
pub fn faults<T: Tool>() -> Vec<String> {
    let mut faults = Vec::new();
    let named = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if T::NAME.is_empty() || T::NAME.len() > 64 || !T::NAME.chars().all(named) {
        faults.push(format!("`{}` is not a tool name", T::NAME));
    }
    match serde_json::from_str::<Value>(&crate::describe::<T>()) {
        Err(error) => faults.push(format!("the description is not JSON: {error}")),
        Ok(tool) => {
            let parameters = &tool["parameters"];
            if parameters["type"] != "object" || parameters["additionalProperties"] != false {
                faults.push("`parameters` must be a closed object".to_owned());
            }
            if !parameters["properties"].is_object() {
                faults.push("`parameters` has no `properties`".to_owned());
            }
            if tool["result"]["properties"]["text"]["type"] != "string" {
                faults.push("`result` has no string `text`".to_owned());
            }
        }
    }
    faults
}
