//! What the tools of a session keep between its calls (`wasi:keyvalue`): in memory, each tool for itself.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};
use tomas_core::{amount::Bytes, name::ToolName, tool::Tool};
use tomas_sandbox::KeyValue;

/// The stores of a session's tools.
#[derive(Debug)]
pub struct Kept {
    most: Bytes,
    stores: Mutex<BTreeMap<ToolName, KeyValue>>,
}

impl Kept {
    /// Nothing yet; each tool may keep `most`.
    #[must_use]
    pub const fn new(most: Bytes) -> Self {
        Self { most, stores: Mutex::new(BTreeMap::new()) }
    }

    /// The store of a tool, if its manifest lets it have one.
    #[must_use]
    pub fn of(&self, tool: &Tool) -> Option<KeyValue> {
        if !tool.manifest.permissions.keyvalue {
            return None;
        }
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        Some(stores.entry(tool.name().clone()).or_insert_with(|| KeyValue::new(self.most)).clone())
    }
}
