//! Tools on disk, found at start and loaded when first needed: folders with a `tool.toml` and a component, and components
//! alone, whose every export is a tool.

use crate::{policy::Policy, recording::Recordings};
use anyhow::{Context as _, bail};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};
use tomas_core::{accountant::Grant, manifest::Manifest, name::ToolName, tool::Tool};
use tomas_sandbox::{Call, Described, Finished, LoadedComponent, Sandbox, SandboxError};

/// A tool on disk, its manifest read.
#[derive(Debug, Clone)]
pub struct Found {
    /// The folder that holds `tool.toml`, or the component that has none.
    pub folder: PathBuf,
    /// What `tool.toml` says; of a component without one, little.
    pub manifest: Manifest,
    /// Where the component is; `None` when none of the usual places has it.
    pub component: Option<PathBuf>,
    /// What the component says of itself, where finding the tool took asking it.
    described: Option<Arc<Described>>,
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
        let places = match &manifest.component {
            Some(file) => vec![folder.join(file)],
            None => vec![folder.join("../dist").join(&file), folder.join(&file), folder.join("dist").join(&file)],
        };
        let component = places.into_iter().find(|p| p.is_file());
        Ok(Self { folder: folder.to_owned(), manifest, component, described: None })
    }

    /// The tools of a component that has no manifest: each export under the file's name and its own, or under the file's
    /// alone where it is the only one. Their ceilings are the default, and they may reach nothing, unless a policy of wassette
    /// lies beside the component.
    ///
    /// # Errors
    /// When the component does not load, or no tool can be called like its file.
    pub fn alone(path: &Path, sandbox: &Sandbox) -> anyhow::Result<Vec<Self>> {
        let refused = || format!("component `{}` is refused", path.display());
        let described = Arc::new(sandbox.describe(&read(path, sandbox)?).with_context(refused)?);
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let policy = Policy::of(path).with_context(refused)?;
        let only = described.exports.len() == 1;
        let name = |export: &ToolName| match only || export.as_str() == stem {
            true => ToolName::spelled(&stem),
            false => ToolName::spelled(&format!("{stem}_{export}")),
        };
        let found = described.exports.iter().map(|export| {
            let name: ToolName = name(&export.name).parse().with_context(refused)?;
            let mut manifest = Manifest::of_export(name, export.name.clone());
            if let Some(policy) = &policy {
                manifest.permissions.clone_from(&policy.permissions);
                manifest.quota.ceiling = policy.ceiling;
                manifest.validate().with_context(refused)?;
            }
            let (folder, component) = (path.to_owned(), Some(path.to_owned()));
            Ok(Self { folder, manifest, component, described: Some(Arc::clone(&described)) })
        });
        found.collect()
    }

    /// The component's path.
    ///
    /// # Errors
    /// When there is none; says where it was looked for.
    pub fn component(&self) -> anyhow::Result<&Path> {
        let name = &self.manifest.name;
        self.component.as_deref().with_context(|| {
            let folder = self.folder.display();
            let looked = match &self.manifest.component {
                Some(file) => format!("`{folder}/{file}` does not exist"),
                None => format!("neither `{folder}/../dist/{name}.wasm` nor `{folder}/{name}.wasm` exists"),
            };
            format!(
                "tool `{name}` has no component: {looked}\n\
                 hint: build it with `tomas-host tool build {folder}`, or copy the component there"
            )
        })
    }

    /// Whether its component is the one of this digest.
    #[must_use]
    pub fn is(&self, digest: &str, sandbox: &Sandbox) -> bool {
        let bytes = self.component().and_then(|path| read(path, sandbox));
        bytes.is_ok_and(|bytes| blake3::hash(&bytes).to_hex().as_str() == digest)
    }

    /// What the tool is, without loading its component when it is known.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn describe(&self, sandbox: &Sandbox) -> anyhow::Result<Tool> {
        let name = &self.manifest.name;
        let described = match &self.described {
            Some(described) => Arc::clone(described),
            None => {
                let bytes = read(self.component()?, sandbox)?;
                Arc::new(sandbox.describe(&bytes).with_context(|| format!("tool `{name}` does not load"))?)
            }
        };
        Tool::join(self.manifest.clone(), &described.exports, described.digest.clone())
            .with_context(|| format!("tool `{name}` is refused"))
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

/// A call of a tool, with what its manifest permits and nothing else.
#[must_use]
pub fn call(component: Arc<LoadedComponent>, tool: &Tool, arguments: String) -> Call {
    let mut call = Call::new(component, tool.entry().clone(), arguments);
    call.permissions.clone_from(&tool.manifest.permissions);
    let value = |name: &String| Some((name.clone(), std::env::var(name).ok()?));
    call.environment = tool.manifest.permissions.environment.iter().filter_map(value).collect();
    call.config = tool.manifest.config.clone().into_iter().collect();
    // What a tool is granted of the environment it may also read as configuration, as other hosts have it.
    call.config.extend_from_slice(&call.environment);
    call
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

/// Those found, and the tools of all components in `folders` that no manifest speaks of. A component that does not load
/// is left out with a warning, because it must not take the others away.
#[must_use]
pub fn with_components(mut found: Vec<Found>, folders: &[PathBuf], sandbox: &Sandbox) -> Vec<Found> {
    let spoken: BTreeSet<PathBuf> = found.iter().filter_map(|f| f.component.as_ref()?.canonicalize().ok()).collect();
    let mut names: BTreeSet<ToolName> = found.iter().map(|f| f.manifest.name.clone()).collect();
    for path in folders.iter().flat_map(|folder| components(folder)) {
        if path.canonicalize().is_ok_and(|path| spoken.contains(&path)) {
            continue;
        }
        match Found::alone(&path, sandbox) {
            Err(error) => tracing::warn!("{error:#}"),
            Ok(tools) => {
                for tool in tools {
                    let name = tool.manifest.name.clone();
                    if names.insert(name.clone()) {
                        found.push(tool);
                    } else {
                        tracing::warn!("`{}` is left out: another tool is called `{name}`", path.display());
                    }
                }
            }
        }
    }
    found.sort_by(|a, b| a.manifest.name.cmp(&b.manifest.name));
    found
}

/// The components that lie in a folder itself.
fn components(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let is_component = |path: &PathBuf| path.extension().is_some_and(|e| e == "wasm") && path.is_file();
    let mut paths: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).filter(is_component).collect();
    paths.sort();
    paths
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

/// A component on disk, loaded when it is first called.
pub struct Lazy {
    found: Found,
    digest: String,
    loaded: OnceLock<Arc<LoadedComponent>>,
    /// Held while the component compiles, so that callers that come meanwhile wait for it instead of compiling again.
    compiling: Mutex<()>,
}

impl Lazy {
    /// The component of a tool found on disk, which must have this digest when it is wanted.
    #[must_use]
    pub const fn new(found: Found, digest: String) -> Self {
        Self { found, digest, loaded: OnceLock::new(), compiling: Mutex::new(()) }
    }

    /// The component, loaded on a thread of its own when it is first wanted.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub async fn get(self: &Arc<Self>, sandbox: &Sandbox) -> anyhow::Result<Arc<LoadedComponent>> {
        if let Some(component) = self.loaded.get() {
            return Ok(Arc::clone(component));
        }
        let (this, sandbox) = (Arc::clone(self), sandbox.clone());
        tokio::task::spawn_blocking(move || this.load(&sandbox)).await.context("loading panicked")?
    }

    /// The component. Blocks while it compiles, which happens once.
    ///
    /// # Errors
    /// When the component is refused, or is not the one that was described.
    pub fn load(&self, sandbox: &Sandbox) -> anyhow::Result<Arc<LoadedComponent>> {
        let _compiling = self.compiling.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(component) = self.loaded.get() {
            return Ok(Arc::clone(component));
        }
        let path = self.found.component()?;
        let bytes = read(path, sandbox)?;
        let digest = blake3::hash(&bytes).to_hex();
        if digest.as_str() != self.digest {
            bail!(
                "component `{}` has digest `{digest}`, `{}` is wanted\n\
                 hint: it changed since the registry was built or the host started; run `tomas-host registry build`, \
                 start again, or restore it",
                path.display(),
                self.digest
            );
        }
        let name = &self.found.manifest.name;
        let component = sandbox.load(&bytes).with_context(|| format!("tool `{name}` does not load"))?;
        Ok(Arc::clone(self.loaded.get_or_init(|| component)))
    }
}

fn read(path: &Path, sandbox: &Sandbox) -> anyhow::Result<Vec<u8>> {
    crate::files::read(path, sandbox.max_component())
        .with_context(|| format!("component `{}` cannot be read", path.display()))
}

/// The components of registered tools.
pub struct Toolbox {
    sandbox: Sandbox,
    slots: BTreeMap<ToolName, Arc<Lazy>>,
    recordings: Option<Recordings>,
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
            let lazy = Lazy::new(found.clone(), tool.component.clone());
            slots.insert(tool.name().clone(), Arc::new(lazy));
        }
        Ok(Self { sandbox, slots, recordings: None })
    }

    /// The same, recording every call where `recordings` are given.
    #[must_use]
    pub fn recording(self, recordings: Option<Recordings>) -> Self {
        Self { recordings, ..self }
    }

    /// Runs a call.
    ///
    /// # Errors
    /// When the host is at fault. A call that cannot be recorded is not: that is in the log.
    pub async fn call(&self, tool: &Tool, grant: Grant, mut call: Call) -> Result<Finished, SandboxError> {
        let Some(recordings) = self.recordings.clone() else { return self.sandbox.call(grant, call).await };
        let pending = Recordings::begin(&mut call, tool, *grant.quota());
        let finished = self.sandbox.call(grant, call).await?;
        let (name, recorded) = (tool.name().clone(), finished.clone());
        tokio::task::spawn_blocking(move || match recordings.end(pending, &recorded) {
            Ok(id) => tracing::info!(tool = %name, id, "recorded"),
            Err(error) => tracing::warn!(tool = %name, "a call is not recorded: {error:#}"),
        });
        Ok(finished)
    }

    /// The sandbox that runs them.
    #[must_use]
    pub const fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// The component of a registered tool, loaded when it is first wanted.
    ///
    /// # Errors
    /// As [`Lazy::load`], and when the tool is not registered.
    pub async fn get(&self, name: &ToolName) -> anyhow::Result<Arc<LoadedComponent>> {
        self.slots.get(name).with_context(|| format!("tool `{name}` is not registered"))?.get(&self.sandbox).await
    }

    /// Loads all components. Blocks while they compile; what does not load is a warning, and an error when it is called.
    pub fn warm(&self) {
        for lazy in self.slots.values() {
            if let Err(error) = lazy.load(&self.sandbox) {
                tracing::warn!("{error:#}");
            }
        }
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
