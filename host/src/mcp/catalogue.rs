//! What a client can list and call: the tools on disk, registered or not.

use crate::tools::{Found, Lazy, Toolbox};
use rmcp::model::{Tool as Listed, ToolAnnotations};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, sync::Arc};
use tomas_core::{
    accountant::Grant,
    manifest::{FileAccess, Manifest},
    name::ToolName,
    registry::Registry,
    tool::Tool,
};
use tomas_sandbox::{Call, Finished, LoadedComponent, SandboxError};

/// The tools of a host as a client sees them.
pub struct Catalogue {
    /// What was measured of the registered ones.
    registry: Arc<Registry>,
    /// The components of the registered ones.
    toolbox: Arc<Toolbox>,
    /// The components of the others.
    others: BTreeMap<ToolName, Arc<Lazy>>,
    /// All of them, by name. Their schemas are in `listed`, because a copy of each would be half of what a tool costs.
    tools: Vec<Tool>,
    listed: Vec<Listed>,
}

impl Catalogue {
    /// The tools found: those that are registered, with what was measured of them, and the others; a registered tool whose
    /// component or manifest changed is one of the others. What does not load is left out with a warning: one broken tool
    /// must not take the others away. Blocks while unknown ones compile.
    #[must_use]
    pub fn open(toolbox: Arc<Toolbox>, found: &[Found], registry: Arc<Registry>) -> Self {
        let mut tools: Vec<Tool> = Vec::new();
        let (mut others, mut components) = (BTreeMap::new(), BTreeMap::new());
        for found in found {
            let registered = registry.tool(&found.manifest.name);
            if let Some(tool) = registered
                && same(&found.manifest, &tool.manifest)
                && found.is(&tool.component, toolbox.sandbox())
            {
                tools.push(tool.clone());
                continue;
            }
            match found.describe(toolbox.sandbox()) {
                Ok(tool) => {
                    // Tools of one component share it.
                    let new = || Arc::new(Lazy::new(found.clone().forgetting(), tool.component.clone()));
                    let lazy = Arc::clone(components.entry(tool.component.clone()).or_insert_with(new));
                    others.insert(tool.name().clone(), lazy);
                    tools.push(tool);
                }
                Err(error) => tracing::warn!("tool `{}` is left out: {error:#}", found.manifest.name),
            }
        }
        tools.sort_by(|a, b| a.name().cmp(b.name()));
        let listed = tools.iter_mut().map(listed).collect();
        Self { registry, toolbox, others, tools, listed }
    }

    /// What was measured of a tool, if it was.
    #[must_use]
    pub fn measured(&self, tool: &Tool) -> Option<&Registry> {
        (!self.others.contains_key(tool.name())).then_some(&*self.registry)
    }

    /// Runs a call.
    ///
    /// # Errors
    /// As [`Toolbox::call`].
    pub async fn run(&self, tool: &Tool, grant: Grant, call: Call) -> Result<Finished, SandboxError> {
        self.toolbox.call(tool, grant, call).await
    }

    /// The component of a tool, loaded when it is first wanted.
    ///
    /// # Errors
    /// When it does not load.
    pub async fn component(&self, name: &ToolName) -> anyhow::Result<Arc<LoadedComponent>> {
        match self.others.get(name) {
            Some(lazy) => lazy.get(self.toolbox.sandbox()).await,
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

/// Whether what was sealed into the registry still stands on disk, as far as calls depend on it.
fn same(on_disk: &Manifest, sealed: &Manifest) -> bool {
    (&on_disk.permissions, &on_disk.config, &on_disk.quota, &on_disk.size, &on_disk.export)
        == (&sealed.permissions, &sealed.config, &sealed.quota, &sealed.size, &sealed.export)
}

/// The tool as a client sees it. Its schemas move there.
fn listed(tool: &mut Tool) -> Listed {
    let (parameters, result) = (tool.export.parameters.take(), tool.export.result.take());
    let permissions = &tool.manifest.permissions;
    // What a tool sends may change something somewhere; all else that outlives its call is what it writes and keeps.
    let sends = !permissions.network.is_empty();
    let writes = permissions.files == FileAccess::ReadWrite || permissions.keyvalue || sends;
    let annotations = ToolAnnotations::new()
        .read_only(!writes)
        .destructive(writes)
        .idempotent(!permissions.random && !permissions.clock && !writes)
        .open_world(sends);
    let description = tool.description().to_owned();
    let mut listed = Listed::new(tool.name().to_string(), description, Arc::new(object(&parameters)));
    let result = object(&result);
    if result.get("type").and_then(Value::as_str) == Some("object") {
        listed.output_schema = Some(Arc::new(result));
    }
    listed.annotations = Some(annotations);
    listed
}

/// A copy has no room to grow, which what was parsed has.
fn object(schema: &Value) -> Map<String, Value> {
    schema.as_object().cloned().unwrap_or_default()
}
