//! The models that the operator named, loaded when a tool first asks for them.

use crate::embedder::Embedder;
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, OnceLock},
};
use tomas_core::graph::{Graph, GraphError, Graphs};

/// Models by name. What they hold is the host's and stays until it ends; calls pay for what they compute.
#[derive(Debug, Default)]
pub struct Models(BTreeMap<String, Model>);

#[derive(Debug)]
struct Model {
    folder: PathBuf,
    /// Set by whoever asks first; others wait. A folder that does not load is not tried again, because tools could ask
    /// for it without end.
    loaded: OnceLock<Result<Arc<Embedder>, String>>,
}

/// Most characters of an unknown name shown.
const NAME: usize = 80;

impl Models {
    /// The models of these folders.
    #[must_use]
    pub fn new(folders: impl IntoIterator<Item = (String, PathBuf)>) -> Self {
        let model = |(name, folder)| (name, Model { folder, loaded: OnceLock::new() });
        Self(folders.into_iter().map(model).collect())
    }
}

impl Graphs for Models {
    fn load(&self, name: &str) -> Result<Arc<dyn Graph>, GraphError> {
        let Some(model) = self.0.get(name) else {
            let shown: String = name.chars().take(NAME).collect();
            let known = self.0.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let known = if known.is_empty() { "none".to_owned() } else { known };
            return Err(GraphError::NotFound(format!(
                "the host has no model `{}`; it has {known}\n\
                 hint: name the model's folder under [models] of the host's configuration; docs/tool-authoring.md says \
                 where to get one",
                shown.escape_debug()
            )));
        };
        let loaded = model.loaded.get_or_init(|| Embedder::open(&model.folder).map(Arc::new));
        match loaded {
            Ok(embedder) => Ok(Arc::clone(embedder) as Arc<dyn Graph>),
            Err(why) => Err(GraphError::Failed(format!("the model `{name}` cannot be loaded: {why}"))),
        }
    }
}
