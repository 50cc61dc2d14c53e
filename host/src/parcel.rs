//! Tools on their way to and from registries: what travels, and what is accepted of it.

use crate::{
    files,
    tools::Found,
    trust::{self, Papers},
};
use anyhow::{Context as _, bail};
use std::{collections::BTreeMap, path::Path};
use tomas_core::{
    amount::Bytes,
    manifest::{Manifest, Permissions},
    name::ToolName,
};
use tomas_distribution::{Artifact, PublicKey, Reference, Signature};

/// The annotation that has `tool.toml`.
pub(crate) const MANIFEST: &str = "io.tomas-host.manifest";
/// The annotation that has `tool.sig`.
const SIGNATURE: &str = "io.tomas-host.signature";
/// The annotation that says what it is called, for people who look into a registry.
const TITLE: &str = "org.opencontainers.image.title";

/// A tool that comes from elsewhere. Nothing of it was believed to make this.
#[derive(Debug)]
pub struct Parcel {
    pub(crate) name: ToolName,
    pub(crate) component: Vec<u8>,
    /// `tool.toml` and what it says; a component alone has none.
    pub(crate) manifest: Option<(String, Manifest)>,
    pub(crate) signature: Option<String>,
    pub(crate) signer: Option<PublicKey>,
}

impl Parcel {
    /// Unpacks an artifact. A component without a manifest is called like its repository.
    ///
    /// # Errors
    /// When the manifest is refused, names files that are not its own, or its signature is not of these bytes.
    pub fn open(artifact: Artifact, reference: &Reference) -> anyhow::Result<Self> {
        let Artifact { component, mut annotations } = artifact;
        let (text, signature) = (annotations.remove(MANIFEST), annotations.remove(SIGNATURE));
        if text.is_none() && signature.is_some() {
            bail!("the artifact has a signature and no `tool.toml`, which it would be of\nhint: ask its author");
        }
        let manifest = text.map(|text| Ok::<_, anyhow::Error>((text.clone(), manifest(&text)?))).transpose()?;
        let name = match &manifest {
            Some((_, manifest)) => manifest.name.clone(),
            None => ToolName::spelled(reference.name()).parse().context("the repository names no tool")?,
        };
        let papers = Papers {
            name: name.to_string(),
            manifest: manifest.as_ref().map(|(text, _)| text.clone().into_bytes()),
            signature: signature.as_deref().map(Signature::parse),
            ..Papers::default()
        };
        let signer = papers.signer(&component).with_context(|| format!("tool `{name}` is refused"))?.cloned();
        Ok(Self { name, component, manifest, signature, signer })
    }

    /// What it is called.
    #[must_use]
    pub const fn name(&self) -> &ToolName {
        &self.name
    }

    /// Who signed it.
    #[must_use]
    pub const fn signer(&self) -> Option<&PublicKey> {
        self.signer.as_ref()
    }

    /// Bytes of the component.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.component.len()
    }

    /// What its manifest wants to be permitted, in words; nothing by default.
    #[must_use]
    pub fn wants(&self) -> Vec<String> {
        let value = |permissions: &Permissions| serde_json::to_value(permissions).unwrap_or_default();
        let denied = value(&Permissions::default());
        let Some((_, manifest)) = &self.manifest else { return Vec::new() };
        let wanted = value(&manifest.permissions);
        let differs = |(key, wish): (&String, &serde_json::Value)| {
            (denied.get(key) != Some(wish)).then(|| format!("{key} = {wish}"))
        };
        wanted.as_object().into_iter().flatten().filter_map(differs).collect()
    }
}

/// Packs a tool's folder, or a component alone. What a pull would refuse is refused here.
///
/// # Errors
/// When it cannot be read, carries a signature that is not its own, or cannot be put elsewhere as it is.
pub fn pack(path: &Path, most: Bytes, reference: &Reference) -> anyhow::Result<Artifact> {
    let mut annotations = BTreeMap::new();
    let component = if path.is_dir() {
        let found = Found::read(path)?;
        let text = |name: &str| {
            let bytes = files::read(&path.join(name), Bytes::mib(1))?;
            String::from_utf8(bytes).with_context(|| format!("`{name}` is not text"))
        };
        annotations.insert(MANIFEST.to_owned(), text("tool.toml")?);
        if found.papers().signature.is_some() {
            annotations.insert(SIGNATURE.to_owned(), text(trust::SIGNATURE)?);
        }
        annotations.insert(TITLE.to_owned(), found.manifest.name.to_string());
        files::read(found.component()?, most)?
    } else {
        files::read(path, most)?
    };
    let artifact = Artifact { component, annotations };
    Parcel::open(artifact.clone(), reference)?;
    Ok(artifact)
}

/// A manifest from elsewhere: it may name its own files and no others.
fn manifest(text: &str) -> anyhow::Result<Manifest> {
    let refused = || "the artifact's `tool.toml` is refused";
    let manifest: Manifest = toml::from_str(text).with_context(refused)?;
    manifest.validate().with_context(refused)?;
    if let Some(file) = manifest.component.as_deref().filter(|file| !is_component(file)) {
        let shown: String = file.chars().take(80).collect();
        bail!(
            "the component of `{}` is `{}`, a file name such as `{}.wasm` is wanted\n\
             hint: a tool that is shared has its component beside its tool.toml",
            manifest.name,
            shown.escape_debug(),
            manifest.name
        );
    }
    let blobs = manifest.samples.iter().flat_map(|sample| sample.blobs.values().map(|blob| &blob.path));
    let folders = manifest.samples.iter().filter_map(|sample| sample.files.as_ref());
    if let Some(path) = blobs.chain(folders).find(|path| !is_inside(path)) {
        let shown: String = path.chars().take(80).collect();
        bail!(
            "a sample of `{}` reads `{}`, which is not in its folder\nhint: a tool that is shared reads only its own files",
            manifest.name,
            shown.escape_debug()
        );
    }
    Ok(manifest)
}

fn is_component(file: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    file.len() <= 128 && file.ends_with(".wasm") && !file.starts_with('.') && file.chars().all(plain)
}

/// A relative path that does not climb.
fn is_inside(path: &str) -> bool {
    use std::path::Component::{CurDir, Normal};
    !path.contains('\0') && Path::new(path).components().all(|part| matches!(part, Normal(_) | CurDir))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(manifest: &str) -> anyhow::Result<Parcel> {
        let annotations = BTreeMap::from([(MANIFEST.to_owned(), manifest.to_owned())]);
        Parcel::open(Artifact { component: Vec::new(), annotations }, &"localhost/a".parse().unwrap())
    }

    #[test]
    fn hostile_names_and_files_are_refused() {
        let long = "a".repeat(65);
        for name in ["../up", "/etc/x", "a/b", "", ".", "..", "a\\u0000b", "a\\nb", "é", &long] {
            let text = format!("name = \"{name}\"\n");
            assert!(opened(&text).is_err(), "{name}");
        }
        let long = format!("{long}{long}.wasm");
        for file in ["../x.wasm", "/tmp/x.wasm", "a/x.wasm", ".x.wasm", "tool.toml", "x", "x.wasm\\u0000", &long] {
            let text = format!("name = \"a\"\ncomponent = \"{file}\"\n");
            assert!(opened(&text).unwrap_err().to_string().contains("is wanted"), "{file}");
        }
        for path in ["../secret", "/etc/passwd", "a/../../b"] {
            for field in [format!("files = \"{path}\""), format!("blobs = {{ a = {{ path = \"{path}\" }} }}")] {
                let text = format!("name = \"a\"\n[[samples]]\nsize = \"small\"\narguments = {{}}\n{field}\n");
                let told = opened(&text).unwrap_err().to_string();
                assert!(told.contains("not in its folder"), "{told}");
            }
        }
        assert!(opened("[").is_err());
    }

    #[test]
    fn what_a_manifest_wants_is_said() {
        assert!(opened("name = \"a\"\n").unwrap().wants().is_empty());
        let wants =
            opened("name = \"a\"\n[permissions]\nfiles = \"read\"\nenvironment = [\"HOME\"]\n").unwrap().wants();
        assert_eq!(wants, ["files = \"read\"", "environment = [\"HOME\"]"]);
    }

    #[test]
    fn a_signature_alone_is_refused() {
        let annotations = BTreeMap::from([(SIGNATURE.to_owned(), String::new())]);
        let artifact = Artifact { component: Vec::new(), annotations };
        assert!(
            Parcel::open(artifact, &"localhost/a".parse().unwrap()).unwrap_err().to_string().contains("no `tool.toml`")
        );
    }
}
