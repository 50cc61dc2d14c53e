//! Models that the operator named, through the whole host: configuration, permission, `wasi:nn`, the accelerator.

use crate::{
    support::host::{World, root},
    tiny,
};
use serde_json::Value;
use std::fs;

/// A folder with a tool that computes with the model `tiny`.
fn tool(world: &World, permissions: &str) -> String {
    let folder = world.folder.path().join("nn_compute");
    fs::create_dir_all(&folder).unwrap();
    fs::copy(root().join("guest-tools/dist/fixtures/hostile.wasm"), folder.join("hostile.wasm")).unwrap();
    let manifest = format!("name = \"nn_compute\"\ncomponent = \"hostile.wasm\"\n[permissions]\n{permissions}\n");
    fs::write(folder.join("tool.toml"), manifest).unwrap();
    folder.display().to_string()
}

#[test]
fn a_tool_computes_with_a_model_that_is_named_and_permitted() {
    let folder = tempfile::tempdir().unwrap();
    tiny::model(folder.path());
    let models = format!("[models]\ntiny = {:?}\n", folder.path());
    let run = |config: &str, permissions: &str| {
        let world = World::new(config);
        let tool = tool(&world, permissions);
        let output = world.run(&["tool", "run", &tool, r#"{"path": "tiny", "n": 1}"#, "--json"], b"");
        serde_json::from_slice::<Value>(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
    };
    let denied = run(&models, "");
    assert_eq!(denied["outcome"], "permission_denied");
    assert!(denied["error"].as_str().unwrap().contains("`models = [\"tiny\"]`"), "{denied}");
    let missing = run("", "models = [\"tiny\"]");
    assert_eq!(missing["outcome"], "tool_error");
    assert!(missing["error"].as_str().unwrap().contains("under [models]"), "{missing}");
    let embedded = run(&models, "models = [\"tiny\"]");
    let wanted = "embedding [1, 32] TensorType::Fp32 128, truncated [1] TensorType::U8 1";
    assert_eq!(embedded["result"]["text"], wanted, "{embedded}");
    assert!(embedded["usage"]["peak_memory_bytes"].as_u64().unwrap() > 1_500_000, "{embedded}");
}
