//! Tools on disk: folders with a `tool.toml` and a component, found at start and loaded when first needed.

use anyhow::{Context as _, bail};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};
use tomas_core::{manifest::Manifest, name::ToolName, tool::Tool};
use tomas_sandbox::{LoadedComponent, Sandbox};

/// A tool's folder, its manifest read.
#[derive(Debug, Clone)]
pub struct Found {
    /// The folder that holds `tool.toml`.
    pub folder: PathBuf,
    /// What `tool.toml` says.
    pub manifest: Manifest,
    /// Where the component is; `None` when none of the usual places has it.
    pub component: Option<PathBuf>,
}

impl Found {
    /// Reads one folder.
    ///
    /// # Errors
    /// When `tool.toml` cannot be read, does not parse or contradicts itself.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join("tool.toml");
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!("manifest `{}` cannot be read\nhint: give a folder that holds a tool.toml", path.display())
        })?;
        let manifest: Manifest =
            toml::from_str(&text).with_context(|| format!("manifest `{}` is refused", path.display()))?;
        manifest.validate().with_context(|| format!("manifest `{}` is refused", path.display()))?;
        let file = format!("{}.wasm", manifest.name);
        let places = [folder.join("../dist").join(&file), folder.join(&file), folder.join("dist").join(&file)];
        let component = places.into_iter().find(|p| p.is_file());
        Ok(Self { folder: folder.to_owned(), manifest, component })
    }

    /// The component's path.
    ///
    /// # Errors
    /// When there is none; says where it was looked for.
    pub fn component(&self) -> anyhow::Result<&Path> {
        let name = &self.manifest.name;
        self.component.as_deref().with_context(|| {
            let folder = self.folder.display();
            format!(
                "tool `{name}` has no component: neither `{folder}/../dist/{name}.wasm` nor `{folder}/{name}.wasm` exists\n\
                 hint: build the tools with `guest-tools/build.sh`, or copy the component there"
            )
        })
    }

    /// Loads the component and joins it with the manifest. Blocks while it compiles.
    ///
    /// # Errors
    /// When the component is refused, or does not belong to the manifest.
    pub fn load(&self, sandbox: &Sandbox) -> anyhow::Result<(Arc<LoadedComponent>, Tool)> {
        let path = self.component()?;
        let name = &self.manifest.name;
        let loaded = sandbox.load_file(path).with_context(|| format!("tool `{name}` does not load"))?;
        let tool = Tool::join(self.manifest.clone(), loaded.exports(), loaded.digest())
            .with_context(|| format!("tool `{name}` is refused"))?;
        Ok((loaded, tool))
    }
}

/// Finds all tools below `folders`: a folder is a tool itself, or holds tools.
///
/// # Errors
/// When a folder cannot be listed, a manifest is refused, or two tools have one name.
pub fn discover(folders: &[PathBuf]) -> anyhow::Result<Vec<Found>> {
    let mut found: BTreeMap<ToolName, Found> = BTreeMap::new();
    for folder in folders {
        for tool in candidates(folder)? {
            let tool = Found::read(&tool)?;
            let (name, here) = (tool.manifest.name.clone(), tool.folder.clone());
            if let Some(other) = found.insert(name.clone(), tool) {
                bail!(
                    "tool `{name}` is in `{}` and in `{}`\nhint: rename one of them, or list only one folder in [paths] tools",
                    other.folder.display(),
                    here.display()
                );
            }
        }
    }
    Ok(found.into_values().collect())
}

fn candidates(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if folder.join("tool.toml").is_file() {
        return Ok(vec![folder.to_owned()]);
    }
    let entries = std::fs::read_dir(folder).with_context(|| {
        format!("tools folder `{}` cannot be read\nhint: correct [paths] tools in configs/host.toml", folder.display())
    })?;
    let mut folders: Vec<PathBuf> =
        entries.filter_map(|e| Some(e.ok()?.path())).filter(|p| p.join("tool.toml").is_file()).collect();
    folders.sort();
    Ok(folders)
}

/// The tool of a name.
///
/// # Errors
/// When there is none; names those there are.
pub fn pick<'a>(found: &'a [Found], name: &str) -> anyhow::Result<&'a Found> {
    found.iter().find(|f| f.manifest.name.as_str() == name).with_context(|| {
        let names = found.iter().map(|f| format!("`{}`", f.manifest.name)).collect::<Vec<_>>().join(", ");
        format!("no tool is named `{name}`\nhint: there are {names}")
    })
}

/// The components of registered tools, loaded when first called.
pub struct Toolbox {
    sandbox: Sandbox,
    slots: BTreeMap<ToolName, Slot>,
}

struct Slot {
    found: Found,
    digest: String,
    loaded: OnceLock<Arc<LoadedComponent>>,
    /// Held while the component compiles, so that callers that come meanwhile wait for it instead of compiling again.
    compiling: Mutex<()>,
}

impl Toolbox {
    /// A toolbox of the registered tools among those found.
    ///
    /// # Errors
    /// When a registered tool is not there, or its component is not the registered one.
    pub fn new(sandbox: Sandbox, found: &[Found], registered: &[Tool]) -> anyhow::Result<Self> {
        let mut slots = BTreeMap::new();
        for tool in registered {
            let found = pick(found, tool.name().as_str()).context("the registry has a tool that is not on disk")?;
            let digest = tool.component.clone();
            let slot = Slot { found: found.clone(), digest, loaded: OnceLock::new(), compiling: Mutex::new(()) };
            slots.insert(tool.name().clone(), slot);
        }
        Ok(Self { sandbox, slots })
    }

    /// The sandbox that runs them.
    #[must_use]
    pub const fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// The component of a tool, loaded on a thread of its own when it is first wanted.
    ///
    /// # Errors
    /// As [`component`](Self::component).
    pub async fn get(self: &Arc<Self>, name: &ToolName) -> anyhow::Result<Arc<LoadedComponent>> {
        if let Some(component) = self.slots.get(name).and_then(|slot| slot.loaded.get()) {
            return Ok(Arc::clone(component));
        }
        let (this, name) = (Arc::clone(self), name.clone());
        tokio::task::spawn_blocking(move || this.component(&name)).await.context("loading panicked")?
    }

    /// The component of a tool. Blocks while it compiles, which happens once.
    ///
    /// # Errors
    /// When the component is refused or is not the registered one.
    pub fn component(&self, name: &ToolName) -> anyhow::Result<Arc<LoadedComponent>> {
        let slot = self.slots.get(name).with_context(|| format!("tool `{name}` is not registered"))?;
        let _compiling = slot.compiling.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(component) = slot.loaded.get() {
            return Ok(Arc::clone(component));
        }
        let path = slot.found.component()?;
        let bytes = crate::files::read(path, self.sandbox.max_component())
            .with_context(|| format!("component `{}` cannot be read", path.display()))?;
        let digest = blake3::hash(&bytes).to_hex();
        if digest.as_str() != slot.digest {
            bail!(
                "component `{}` has digest `{digest}`, the registry has `{}`\n\
                 hint: it changed since the registry was built; run `tomas-host registry build`, or restore it",
                path.display(),
                slot.digest
            );
        }
        let component = self.sandbox.load(&bytes).with_context(|| format!("tool `{name}` does not load"))?;
        Ok(Arc::clone(slot.loaded.get_or_init(|| component)))
    }

    /// The names of all tools.
    pub fn names(&self) -> impl Iterator<Item = &ToolName> {
        self.slots.keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "name = \"t\"\ndescription = \"d\"\n[size]\nargument = \"a\"\nmeasure = \"chars\"\nsmall = 1\n\
        medium = 2\n[quota.ceiling]\ncpu = \"1000m\"\nmemory = \"16MiB\"\ndeadline = \"1s\"\n";

    #[test]
    fn tools_are_found_in_a_folder_of_folders() {
        let root = tempfile::tempdir().unwrap();
        let tool = root.path().join("t");
        std::fs::create_dir_all(&tool).unwrap();
        std::fs::write(tool.join("tool.toml"), MANIFEST).unwrap();
        let found = discover(&[root.path().to_owned()]).unwrap();
        assert_eq!(found.len(), 1);
        let error = found[0].component().unwrap_err().to_string();
        assert!(error.contains("dist/t.wasm"), "{error}");
        let error = discover(&[root.path().to_owned(), tool]).unwrap_err().to_string();
        assert!(error.starts_with("tool `t` is in"), "{error}");
    }

    #[test]
    fn an_unknown_key_of_a_manifest_is_named() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("tool.toml"), format!("surprise = 1\n{MANIFEST}")).unwrap();
        let error = format!("{:#}", Found::read(root.path()).unwrap_err());
        assert!(error.contains("surprise"), "{error}");
    }
}
