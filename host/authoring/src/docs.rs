//! What `wit/` says of a tool: its world, and the documentation that goes into the component.

use crate::error::AuthoringError;
use std::path::{Path, PathBuf};
use wasm_encoder::{ComponentSection as _, CustomSection};
use wit_parser::{PackageId, PackageMetadata, Resolve, WorldId};

/// The WIT of a tool.
pub(crate) struct Wit {
    pub(crate) resolve: Resolve,
    pub(crate) package: PackageId,
    pub(crate) world: WorldId,
    folder: PathBuf,
}

impl Wit {
    /// Reads `wit/` of a tool's folder.
    ///
    /// # Errors
    /// When it does not parse, or has not exactly one world and none called `tool`.
    pub(crate) fn read(tool: &Path) -> Result<Self, AuthoringError> {
        let folder = tool.join("wit");
        let wrong = |why: String| AuthoringError::Wit { path: folder.clone(), why };
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_dir(&folder).map_err(|error| wrong(resolve.render_error(&error)))?;
        let worlds = resolve.packages.get(package).map(|package| &package.worlds);
        let named: Vec<(&String, WorldId)> = worlds.into_iter().flatten().map(|(name, id)| (name, *id)).collect();
        let world = match named.as_slice() {
            [(_, only)] => *only,
            _ => {
                let tool = named.iter().find(|(name, _)| *name == "tool");
                let names = named.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                let none = || wrong(format!("it has the worlds {names}; one of them must be called `tool`"));
                tool.ok_or_else(none)?.1
            }
        };
        Ok(Self { resolve, package, world, folder })
    }

    /// The world's name.
    pub(crate) fn world_name(&self) -> &str {
        self.resolve.worlds.get(self.world).map_or("", |world| world.name.as_str())
    }

    /// The component with the documentation of the package in a custom section.
    ///
    /// # Errors
    /// When the documentation cannot be encoded.
    pub(crate) fn documented(&self, mut component: Vec<u8>) -> Result<Vec<u8>, AuthoringError> {
        let metadata = PackageMetadata::extract(&self.resolve, self.package);
        let content = metadata
            .encode()
            .map_err(|error| AuthoringError::Wit { path: self.folder.clone(), why: format!("{error:#}") })?;
        let section = CustomSection { name: PackageMetadata::SECTION_NAME.into(), data: content.into() };
        section.append_to_component(&mut component);
        Ok(component)
    }
}
