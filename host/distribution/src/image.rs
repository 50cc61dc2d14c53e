//! Image manifests: what a registry keeps of an artifact. A component is one layer, as all WebAssembly clients have it.

use crate::{
    digest::Digest,
    error::{RegistryError, printable},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The type of an image manifest.
pub(crate) const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
/// The type of a component's layer.
pub(crate) const LAYER: &str = "application/wasm";
/// The type of the description beside it.
const CONFIG: &str = "application/vnd.wasm.config.v0+json";
/// What every component begins with.
const MAGIC: [u8; 8] = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];

/// Most bytes of an image manifest, and with it of all annotations.
pub const MOST_IMAGE: u64 = 1 << 20;

/// A component and the texts that travel with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// The component.
    pub component: Vec<u8>,
    /// The texts by name; names are in reverse-domain notation.
    pub annotations: BTreeMap<String, String>,
}

/// A manifest, as far as it matters here.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    schema_version: u32,
    #[serde(default)]
    media_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Vec<Descriptor>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: Digest,
    size: u64,
}

/// The description that the ecosystem wants beside a component. Nothing of it depends on when it was made, so that the
/// same tool has the same digest.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Config<'a> {
    created: &'a str,
    architecture: &'a str,
    os: &'a str,
    layer_digests: [Digest; 1],
}

/// What a manifest says of a component.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    pub(crate) annotations: BTreeMap<String, String>,
}

/// The bytes of an artifact's description and of its manifest.
pub(crate) fn encode(artifact: &Artifact) -> (Vec<u8>, Vec<u8>) {
    let layer = describe(&artifact.component, LAYER);
    let config =
        Config { created: "1970-01-01T00:00:00Z", architecture: "wasm", os: "wasip2", layer_digests: [layer.digest] };
    let config = json(&config);
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(IMAGE.to_owned()),
        config: Some(describe(&config, CONFIG)),
        layers: vec![layer],
        annotations: Some(artifact.annotations.clone()),
    };
    let manifest = json(&manifest);
    (config, manifest)
}

fn describe(bytes: &[u8], media_type: &str) -> Descriptor {
    Descriptor { media_type: media_type.to_owned(), digest: Digest::of(bytes), size: bytes.len() as u64 }
}

/// Texts and numbers always are JSON.
fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// Reads a manifest, of which nothing is known yet. `kind` is the type that its transport claims.
pub(crate) fn decode(bytes: &[u8], kind: Option<&str>, url: &str) -> Result<Image, RegistryError> {
    let answer = |why: String| RegistryError::Answer { what: "manifest", why, url: url.to_owned() };
    let manifest: Manifest = serde_json::from_slice(bytes).map_err(|e| answer(printable(&e.to_string(), 200)))?;
    let found = manifest.media_type.as_deref().or(kind).unwrap_or(IMAGE);
    let kind = |what, found: &str, allowed| RegistryError::Kind { what, found: printable(found, 100), allowed };
    if manifest.schema_version != 2 || found.split(';').next() != Some(IMAGE) {
        return Err(kind("the artifact", found, IMAGE));
    }
    let [layer] = manifest.layers.as_slice() else { return Err(RegistryError::Layers(manifest.layers.len())) };
    if layer.media_type != LAYER {
        return Err(kind("the artifact's layer", &layer.media_type, LAYER));
    }
    Ok(Image { digest: layer.digest, size: layer.size, annotations: manifest.annotations.unwrap_or_default() })
}

/// Refuses bytes that do not begin as components do.
pub(crate) fn check_component(bytes: &[u8]) -> Result<(), RegistryError> {
    if bytes.starts_with(&MAGIC) {
        return Ok(());
    }
    let found = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
    Err(RegistryError::Kind { what: "the beginning of the component", found, allowed: "00 61 73 6d 0d 00 01 00" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_artifact_has_the_same_manifest_and_reads_back() {
        let annotations = BTreeMap::from([("a.b".to_owned(), "c\nd".to_owned())]);
        let artifact = Artifact { component: MAGIC.to_vec(), annotations: annotations.clone() };
        let (config, manifest) = encode(&artifact);
        assert_eq!(encode(&artifact), (config.clone(), manifest.clone()));
        let image = decode(&manifest, None, "").unwrap();
        assert_eq!((image.digest, image.size), (Digest::of(&MAGIC), 8));
        assert_eq!(image.annotations, annotations);
        assert!(String::from_utf8(config).unwrap().contains(r#""layerDigests":["sha256:"#));
    }

    #[test]
    fn only_components_begin_like_components() {
        assert!(check_component(&MAGIC).is_ok());
        for bytes in [&b""[..], b"\0asm\x01\0\0\0", b"\0asm", b"#!/bin/sh"] {
            assert!(check_component(bytes).is_err());
        }
    }
}
