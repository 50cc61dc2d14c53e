//! A `tool.toml`: what is read can be checked, and is the same when it was written and read again.

use tomas_core::manifest::Manifest;

/// Reads bytes as a manifest.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(manifest) = toml::from_str::<Manifest>(text) else { return };
    if let Err(error) = manifest.validate() {
        assert!(error.to_string().contains("\nhint: "), "{error}");
    }
    let json = serde_json::to_string(&manifest).expect("a manifest is JSON");
    let again: Manifest = serde_json::from_str(&json).expect("what was written can be read");
    assert_eq!(again, manifest);
    // TOML has no null and no dates as JSON has them; what it can say must be the same.
    if let Ok(text) = toml::to_string(&manifest)
        && let Ok(again) = toml::from_str::<Manifest>(&text)
    {
        assert_eq!(again, manifest);
    }
}
