//! The place a command works in: the root, the configuration, and what both lead to.

use crate::{
    config::{Config, Or},
    paths::{self, Purpose},
    recording::Recordings,
    tools::{self, Folder, Found},
    trust::Rules,
};
use anyhow::Context as _;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use tomas_accelerator::Models;
use tomas_core::{
    configuration::Configuration, level::LevelTable, quota::Quota, registry::Registry, resource::Resources, tool::Tool,
};
use tomas_sandbox::{Outside, Sandbox, SandboxConfig};

/// See the module.
#[derive(Debug, Clone)]
pub struct Place {
    /// Relative paths of the configuration start here.
    pub root: PathBuf,
    /// What `host.toml` says.
    pub config: Config,
}

impl Place {
    /// Finds the root and reads the configuration.
    ///
    /// # Errors
    /// When the configuration is refused.
    pub fn find(root: Option<&Path>, config: Option<&Path>) -> anyhow::Result<Self> {
        let root = paths::root(root);
        let mut config = Config::read(config, &root)?;
        for folder in &mut config.session.folders {
            *folder = root.join(&folder);
        }
        Ok(Self { root, config })
    }

    /// A path of the configuration.
    #[must_use]
    pub fn at(&self, path: &Path) -> PathBuf {
        self.root.join(path)
    }

    /// What the levels amount to.
    ///
    /// # Errors
    /// When `levels.toml` cannot be read or is refused.
    pub fn levels(&self) -> anyhow::Result<LevelTable> {
        let path = self.at(&self.config.paths.levels);
        let text = fs::read_to_string(&path).with_context(|| {
            format!("levels `{}` cannot be read\nhint: run inside the repository, or give --root", path.display())
        })?;
        let levels: LevelTable =
            toml::from_str(&text).with_context(|| format!("levels `{}` are refused", path.display()))?;
        levels.validate().with_context(|| format!("levels `{}` are refused", path.display()))?;
        Ok(levels)
    }

    /// The folders of tools, with what is demanded in each: a signature by a trusted key, unless that is waived there,
    /// and what its lock says.
    ///
    /// # Errors
    /// When a lock cannot be read or is damaged.
    pub fn folders(&self) -> anyhow::Result<Vec<Folder>> {
        let trust = &self.config.trust;
        let known = |path: &Path| self.at(path).canonicalize().ok();
        let waived: Vec<PathBuf> = trust.unsigned.iter().filter_map(|path| known(path)).collect();
        let folder = |path: &PathBuf| {
            let waives = known(path).is_some_and(|path| waived.contains(&path));
            let (path, keys) = (self.at(path), if waives { Vec::new() } else { trust.keys.clone() });
            Ok(Folder { rules: Arc::new(Rules::of(&path, keys)?), path })
        };
        self.config.paths.tools.iter().map(folder).collect()
    }

    /// The tools on disk that have a manifest.
    ///
    /// # Errors
    /// When a folder or its lock cannot be read, or a manifest is refused.
    pub fn found(&self) -> anyhow::Result<Vec<Found>> {
        tools::discover(&self.folders()?)
    }

    /// All tools on disk: those with manifests, and those of components alone, of which unknown ones are compiled.
    ///
    /// # Errors
    /// As [`found`](Self::found).
    pub fn tools(&self, sandbox: &Sandbox) -> anyhow::Result<Vec<Found>> {
        let folders = self.folders()?;
        Ok(tools::with_components(tools::discover(&folders)?, &folders, sandbox))
    }

    /// The tools on disk that are named, or all.
    ///
    /// # Errors
    /// As [`found`](Self::found), and when a name is not there.
    pub fn chosen(&self, names: &[String]) -> anyhow::Result<Vec<Found>> {
        let found = self.found()?;
        if names.is_empty() {
            return Ok(found);
        }
        names.iter().map(|name| tools::pick(&found, name).cloned()).collect()
    }

    /// Where calls are recorded, if they are.
    #[must_use]
    pub fn recordings(&self) -> Option<Recordings> {
        self.config.session.record.then(|| Recordings::new(&self.store_folder()))
    }

    /// A sandbox.
    ///
    /// # Errors
    /// When the engine cannot start.
    pub fn sandbox(&self) -> anyhow::Result<Sandbox> {
        let cache = match &self.config.sandbox.cache {
            Or::Auto => paths::user(Purpose::Cache, &self.root).join("components"),
            Or::Given(folder) => self.at(folder),
        };
        let workers = self.config.sandbox.workers;
        let certificates = match &self.config.sandbox.certificates {
            Or::Auto => None,
            Or::Given(file) => Some(self.at(file)),
        };
        let models = Models::new(self.config.models.iter().map(|(name, folder)| (name.clone(), self.at(folder))));
        let config = SandboxConfig { workers, cache_dir: Some(cache), certificates, ..SandboxConfig::default() };
        Ok(Sandbox::with_outside(config, Outside { graphs: Arc::new(models), ..Outside::default() })?)
    }

    /// Where the registry lies.
    #[must_use]
    pub fn registry_path(&self) -> PathBuf {
        self.at(&self.config.paths.registry)
    }

    /// Where the profiles lie: beside the registry.
    #[must_use]
    pub fn profiles_path(&self) -> PathBuf {
        self.registry_path().with_file_name("profiling.csv")
    }

    /// The sealed registry.
    ///
    /// # Errors
    /// When it cannot be read, or does not match its digest.
    pub fn registry(&self) -> anyhow::Result<Arc<Registry>> {
        let path = self.registry_path();
        let text = fs::read_to_string(&path).with_context(|| {
            format!(
                "registry `{}` cannot be read\nhint: run `tomas-host registry build`, or give --root",
                path.display()
            )
        })?;
        let registry = Registry::open(&text).with_context(|| format!("registry `{}` is refused", path.display()))?;
        Ok(Arc::new(registry))
    }

    /// Where sessions and blobs are kept.
    #[must_use]
    pub fn store_folder(&self) -> PathBuf {
        match &self.config.paths.store {
            Or::Auto => paths::user(Purpose::Data, &self.root),
            Or::Given(folder) => self.at(folder),
        }
    }

    /// What a call of a configuration is held to: the levels' amounts and the tool's ceiling, and never more time or
    /// output than the host allows.
    #[must_use]
    pub fn quota(&self, tool: &Tool, levels: &LevelTable, configuration: &Configuration) -> Quota {
        quota(&self.config.quota, tool, levels, configuration)
    }
}

/// The most that a call of a tool gets: its ceiling, within `budget` and what the host allows.
#[must_use]
pub fn ceiling(most: &crate::config::QuotaLimits, tool: &Tool, budget: &Resources) -> Quota {
    let ceiling = tool.manifest.quota.ceiling;
    let resources = Resources { cpu: ceiling.cpu, memory: ceiling.memory, ..Resources::default() };
    Quota::new(resources.min(budget), ceiling.deadline.min(most.deadline), ceiling.output.min(most.output))
}

/// See [`Place::quota`].
#[must_use]
pub fn quota(
    most: &crate::config::QuotaLimits,
    tool: &Tool,
    levels: &LevelTable,
    configuration: &Configuration,
) -> Quota {
    let ceiling = tool.manifest.quota.ceiling;
    let level = levels.resources(configuration.levels);
    // A ceiling may lie below the lowest level.
    let resources = Resources { cpu: level.cpu.min(ceiling.cpu), memory: level.memory.min(ceiling.memory), ..level };
    Quota::new(resources, ceiling.deadline.min(most.deadline), ceiling.output.min(most.output))
}
