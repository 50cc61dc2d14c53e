//! What a client can list and call: the registered tools, and those that only lie on disk.

use crate::tools::{Found, Toolbox};
use rmcp::model::{Tool as Listed, ToolAnnotations};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, sync::Arc};
use tomas_core::{name::ToolName, registry::Registry, tool::Tool};
use tomas_sandbox::{LoadedComponent, Sandbox};

/// The tools of a host as a client sees them.
pub struct Catalogue {
    /// What was measured of the registered ones.
    pub registry: Arc<Registry>,
    /// The components of the registered ones.
    toolbox: Arc<Toolbox>,
    /// The components of the others.
    others: BTreeMap<ToolName, Arc<LoadedComponent>>,
    /// All of them, by name.
    tools: Vec<Tool>,
    listed: Vec<Listed>,
}

impl Catalogue {
    /// The registered tools among those found, and those found that are not registered, which are loaded for it. What
    /// does not load is left out with a warning: one broken tool must not take the others away.
    /// Blocks while they compile.
    #[must_use]
    pub fn open(toolbox: Arc<Toolbox>, found: &[Found], registry: Arc<Registry>) -> Self {
        let mut tools: Vec<Tool> = registry.tools().to_vec();
        let mut others = BTreeMap::new();
        for other in found.iter().filter(|f| registry.tool(&f.manifest.name).is_none()) {
            match other.load(toolbox.sandbox()) {
                Ok((component, tool)) => {
                    others.insert(tool.name().clone(), component);
                    tools.push(tool);
                }
                Err(error) => tracing::warn!("tool `{}` is left out: {error:#}", other.manifest.name),
            }
        }
        tools.sort_by(|a, b| a.name().cmp(b.name()));
        let listed = tools.iter().map(listed).collect();
        Self { registry, toolbox, others, tools, listed }
    }

    /// The sandbox that runs them.
    #[must_use]
    pub fn sandbox(&self) -> &Sandbox {
        self.toolbox.sandbox()
    }

    /// The component of a tool, loaded when it is first wanted.
    ///
    /// # Errors
    /// When it does not load.
    pub async fn component(&self, name: &ToolName) -> anyhow::Result<Arc<LoadedComponent>> {
        match self.others.get(name) {
            Some(component) => Ok(Arc::clone(component)),
            None => self.toolbox.get(name).await,
        }
    }

    /// The tool of a name.
    #[must_use]
    pub fn tool(&self, name: &ToolName) -> Option<&Tool> {
        self.tools.binary_search_by(|tool| tool.name().cmp(name)).ok().and_then(|at| self.tools.get(at))
    }

    /// All tools as clients list them.
    #[must_use]
    pub fn listed(&self) -> &[Listed] {
        &self.listed
    }
}

fn listed(tool: &Tool) -> Listed {
    let permissions = tool.manifest.permissions;
    // Nothing that a tool does outlives its call but the blobs that it returns, and none reaches the network.
    let annotations = ToolAnnotations::new()
        .read_only(true)
        .destructive(false)
        .idempotent(!permissions.random && !permissions.clock)
        .open_world(false);
    let description = tool.description().to_owned();
    let mut listed = Listed::new(tool.name().to_string(), description, Arc::new(object(&tool.export.parameters)));
    let result = object(&tool.export.result);
    if result.get("type").and_then(Value::as_str) == Some("object") {
        listed.output_schema = Some(Arc::new(result));
    }
    listed.annotations = Some(annotations);
    listed
}

fn object(schema: &Value) -> Map<String, Value> {
    schema.as_object().cloned().unwrap_or_default()
}
