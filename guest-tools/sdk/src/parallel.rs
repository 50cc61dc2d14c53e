//! Fork-join: more than one core for a call.

use crate::ToolError;

/// How many shards can really run at once; 1 means that splitting work gains nothing.
#[must_use]
pub fn width() -> usize {
    #[cfg(target_family = "wasm")]
    return usize::try_from(crate::component::tomas::tool::parallel::width()).map_or(1, |width| width.max(1));
    #[cfg(not(target_family = "wasm"))]
    1
}

/// Runs `worker` on each item and returns the results in the order of the items. `worker` must be the
/// function that the component exports as its worker: with a [`width`] above one the host calls that
/// export in other instances, otherwise (and outside a component) it is called here, one by one.
///
/// # Errors
/// [`ToolError::Failed`] with the first error of a worker, or why no worker could run.
pub fn map(worker: fn(&[u8]) -> Result<Vec<u8>, String>, items: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, ToolError> {
    #[cfg(target_family = "wasm")]
    if width() > 1 && items.len() > 1 {
        return crate::component::tomas::tool::parallel::map(items).map_err(ToolError::Failed);
    }
    items.iter().map(|item| worker(item).map_err(ToolError::Failed)).collect()
}
