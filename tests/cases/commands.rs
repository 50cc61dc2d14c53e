//! The command line: what it prints, how it fails, and with which status.

use crate::support::{
    command::{fails, stdout},
    host::{World, root},
};
use serde_json::Value;

const BM25: [&str; 2] = ["--planner", "bm25-fastest"];

#[test]
fn a_tool_runs_by_itself() {
    let world = World::new("");
    let output = world
        .run(&["tool", "run", "calculator", r#"{"expression": "12 * 7"}"#, "--cpu", "250m", "--memory", "16MiB"], b"");
    assert!(stdout(&output).contains("84"), "{output:?}");
    fails(&world.run(&["tool", "run", "calculator", "{"], b""), 1, "not JSON");
    fails(&world.run(&["tool", "run", "calculator", "[]"], b""), 1, "a JSON object is wanted");
    fails(&world.run(&["tool", "run", "calculator", r#"{"expression": 3}"#], b""), 1, "invalid_arguments");
    fails(&world.run(&["tool", "run", "nothing"], b""), 1, "no tool is named `nothing`");
    fails(&world.run(&["tool", "run", "calculator", "{}", "--cpu", "0"], b""), 1, "lets nothing run");
    fails(&world.run(&["tool", "run", "calculator", "{}", "--cpu", "900"], b""), 1, "above the");
    fails(&world.run(&["tool", "run", "calculator", "{}", "--cpu", "-1"], b""), 2, "`-1` is not an amount of CPU");
}

#[test]
fn run_prints_the_promised_object() {
    let world = World::new("");
    let text = "arithmetic: 12 * 7";
    let output = world.run(&[&["run", text, "--json", "--cpu", "500m", "--memory", "32MiB"], &BM25[..]].concat(), b"");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"));
    let keys = |v: &Value| v.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&report), ["answer", "steps", "planning_ms", "tool_ms", "total_ms"]);
    let step = &report["steps"][0];
    assert_eq!(keys(step)[..7], ["tool", "configuration", "arguments", "quota", "outcome", "usage", "result"]);
    assert_eq!(keys(&step["quota"]), ["cpu", "memory", "gpu_sms", "gpu_memory", "deadline"]);
    assert_eq!(keys(&step["usage"]), ["cpu_ms", "wall_ms", "throttled_ms", "peak_memory_bytes"]);
}

#[test]
fn run_refuses_bad_requests() {
    let world = World::new("");
    let run = |arguments: &[&str], input: &[u8]| world.run(&[arguments, &BM25[..]].concat(), input);
    fails(&run(&["run", ""], b""), 1, "the request is empty");
    fails(&run(&["run", "-"], b" \n"), 1, "the request is empty");
    fails(&run(&["run", "-"], &vec![b'x'; 1 << 20]), 1, "more than 65536 bytes");
    fails(&run(&["run", "-"], b"caf\xe9"), 1, "not UTF-8: byte 3");
    fails(&run(&["run", "x", "--attach", "/nowhere/a.txt"], b""), 1, "`/nowhere/a.txt` cannot be read");
    fails(&run(&["run", "x", "--folder", "/nowhere"], b""), 1, "`/nowhere` cannot be opened");
    fails(&run(&["run", "x", "--cpu", "0"], b""), 1, "lets nothing run");
    fails(&run(&["run", "x", "--memory", "8000TiB"], b""), 1, "above the");
    fails(&run(&["run", "x", "--memory", "many"], b""), 2, "`many` is not an amount of memory");
    fails(&run(&["run", "arithmetic: 12 * 7", "--cpu", "10m"], b""), 1, "no configuration of");
    fails(&world.run(&["run"], b""), 2, "Usage");
    fails(&world.run(&["run", "x", "--planner", "oracle"], b""), 2, "bm25-fastest");
}

#[test]
fn adversarial_requests_are_answered_or_refused_but_never_crash() {
    let world = World::new("");
    for text in [
        "{{1}}",
        "blob:../../etc/passwd",
        "\u{0}",
        "<CALCULATOR_SMALL_LOW_LOW_NONE_NONE>",
        "'; DROP TABLE events; --",
        "🤷🏽‍♀️\u{202e}",
        "\\\"}]}",
    ] {
        let output = world.run(&[&["run", "-"], &BM25[..]].concat(), text.as_bytes());
        assert!(matches!(output.status.code(), Some(0 | 1)), "{text}: {output:?}");
        assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"), "{text}: {output:?}");
    }
}

#[test]
fn check_says_what_a_file_is() {
    let world = World::new("");
    let path = world.folder.path().join("x.wasm");
    let check = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        world.run(&["tool", "check", path.to_str().unwrap()], b"")
    };
    fails(&check(b""), 1, "the component is empty");
    fails(&check(b"#!/bin/sh"), 1, "not WebAssembly");
    fails(&check(b"\0asm\x01\0\0\0"), 1, "core WebAssembly module");
    fails(&check(b"\0asm\x0d\0\x01\0\xff"), 1, "hint: ");
    let whole = std::fs::read(crate::support::host::root().join("guest-tools/dist/calculator.wasm")).unwrap();
    fails(&check(&whole[..whole.len() / 2]), 1, "hint: ");
    assert!(stdout(&check(&whole)).contains("\"name\": \"calculator\""));
    fails(&world.run(&["tool", "check", "/nowhere.wasm"], b""), 1, "`/nowhere.wasm` cannot be read");
}

#[test]
fn the_shipped_registry_is_that_of_the_shipped_components() {
    let world = World::shipped();
    assert!(stdout(&world.run(&["registry", "check"], b"")).contains("every component on disk is the registered one"));
}

#[test]
fn a_config_with_an_unknown_key_is_refused() {
    let world = World::new("[server]\nport = 80\n");
    fails(&world.run(&["tool", "list"], b""), 1, "unknown key `server.port`");
}

#[test]
fn training_configs_are_not_mistaken_for_the_hosts() {
    let world = World::new("");
    let absent = |arguments: &[&str]| fails(&world.run(arguments, b""), 1, "absent.toml");
    absent(&["data", "build", "--config", "absent.toml"]);
    absent(&["train", "--config", "absent.toml"]);
}

#[test]
fn a_component_alone_is_a_tool_for_each_of_its_exports() {
    let folder = tempfile::tempdir().unwrap();
    let tools = [root().join("guest-tools"), folder.path().to_owned()];
    let world = World::new(&format!("[paths]\ntools = {tools:?}\n"));
    let fixture = |name: &str| root().join(format!("guest-tools/dist/fixtures/{name}.wasm"));
    for name in ["typed", "program"] {
        std::fs::copy(fixture(name), folder.path().join(format!("{name}.wasm"))).unwrap();
    }
    std::fs::write(folder.path().join("junk.wasm"), "junk").unwrap();
    let listed = stdout(&world.run(&["tool", "list"], b""));
    for name in ["program ", "typed_divide ", "typed_shout ", "calculator "] {
        assert!(listed.lines().any(|line| line.starts_with(name)), "{name}: {listed}");
    }
    let run = |tool: &str, arguments: &str| stdout(&world.run(&["tool", "run", tool, arguments], b""));
    assert_eq!(run("typed_shout", r#"{"text": "abc"}"#), "ABC\n");
    assert_eq!(run("program", r#"{"stdin": "abc"}"#), "ABC\n");
    let path = fixture("typed").display().to_string();
    assert_eq!(run(&format!("{path}#shout"), r#"{"text": "abc"}"#), "ABC\n");
    fails(&world.run(&["tool", "run", &path, "{}"], b""), 1, "typed.wasm#shout`");
    fails(&world.run(&["tool", "run", "junk"], b""), 1, "no tool is named `junk`");
    fails(&world.run(&["tool", "run", &folder.path().join("junk.wasm").display().to_string()], b""), 1, "is refused");
}

#[test]
fn a_policy_beside_a_component_is_its_permissions() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new(&format!("[paths]\ntools = {:?}\n", [folder.path()]));
    std::fs::copy(root().join("guest-tools/dist/fixtures/fetch.wasm"), folder.path().join("fetch.wasm")).unwrap();
    let arguments = r#"{"arguments": ["get", "http://localhost:1/"]}"#;
    fails(&world.run(&["tool", "run", "fetch", arguments], b""), 1, "network = [\"localhost:1\"]");
    let policy = folder.path().join("fetch.policy.yaml");
    let text = "version: \"1.0\"\npermissions:\n  network:\n    allow:\n      - host: \"localhost:1\"\n  resources:\n    limits:\n      memory: 32Mi\n";
    std::fs::write(&policy, text).unwrap();
    fails(&world.run(&["tool", "run", "fetch", arguments], b""), 1, "ConnectionRefused");
    let shown: Value = serde_json::from_str(&stdout(&world.run(&["tool", "show", "fetch"], b""))).unwrap();
    assert_eq!(
        (&shown["permissions"]["network"][0], &shown["ceiling"]["memory"]),
        (&"localhost:1".into(), &"32MiB".into())
    );
    std::fs::write(&policy, "version: \"1.0\"\npermissions: 7\n").unwrap();
    let refused = world.run(&["tool", "run", "fetch", arguments], b"");
    fails(&refused, 1, "no tool is named `fetch`");
    fails(&refused, 1, "fetch.policy.yaml` is refused");
}

#[test]
fn a_manifest_may_name_a_component_and_an_export_and_say_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let tools = [root().join("guest-tools"), folder.path().to_owned()];
    let world = World::new(&format!("[paths]\ntools = {tools:?}\n"));
    std::fs::create_dir(folder.path().join("loud")).unwrap();
    let manifest = folder.path().join("loud/tool.toml");
    std::fs::copy(root().join("guest-tools/dist/fixtures/typed.wasm"), folder.path().join("loud/any.wasm")).unwrap();
    std::fs::write(&manifest, "name = \"loud\"\ncomponent = \"any.wasm\"\nexport = \"shout\"\n").unwrap();
    let shown: Value = serde_json::from_str(&stdout(&world.run(&["tool", "show", "loud"], b""))).unwrap();
    assert_eq!(shown["description"], "Calls `shout(text)`.");
    assert_eq!(shown["ceiling"]["memory"], "64MiB");
    assert_eq!(stdout(&world.run(&["tool", "run", "loud", r#"{"text": "abc"}"#], b"")), "ABC\n");
    std::fs::write(&manifest, "name = \"loud\"\ncomponent = \"any.wasm\"\nexport = \"whisper\"\n").unwrap();
    fails(&world.run(&["tool", "show", "loud"], b""), 1, "manifest names `whisper`, the component exports");
    std::fs::write(&manifest, "name = \"loud\"\ncomponent = \"none.wasm\"\n").unwrap();
    fails(&world.run(&["tool", "show", "loud"], b""), 1, "none.wasm` does not exist");
}

#[test]
fn a_new_tool_has_all_its_files_and_says_what_is_next() {
    let world = World::new("");
    for language in ["rust", "javascript", "python", "c"] {
        let name = format!("my-{language}-tool");
        let told = stdout(&world.run(&["tool", "new", &name, "--lang", language], b""));
        assert!(told.contains("tool build") && told.contains(&name), "{told}");
        assert!(world.folder.path().join(&name).join("wit/world.wit").is_file());
        fails(&world.run(&["tool", "new", &name], b""), 1, "exists and is not empty");
        fails(&world.run(&["tool", "check", &name], b""), 1, "does not exist");
    }
    fails(&world.run(&["tool", "new", "../up"], b""), 1, "cannot be the name of a new tool");
    fails(&world.run(&["tool", "build", "/nowhere"], b""), 1, "has no source that can be built");
}

#[test]
fn a_recorded_call_is_replayed_to_the_same_bits() {
    let world = World::new("");
    let recorded = world.run(&["tool", "run", "units", r#"{"quantity": "26.2 miles", "to": "km"}"#, "--record"], b"");
    let said = String::from_utf8_lossy(&recorded.stderr).into_owned();
    let id =
        said.lines().find_map(|line| line.strip_prefix("recorded as ")).unwrap_or_else(|| panic!("{said}")).to_owned();
    let listed = stdout(&world.run(&["tool", "replay"], b""));
    assert!(listed.starts_with(&id) && listed.contains("26.2 miles"), "{listed}");
    let replayed = stdout(&world.run(&["tool", "replay", &id, "--times", "2"], b""));
    assert_eq!(replayed.matches("identical").count(), 2, "{replayed}");
    for bad in ["0123", "../secrets", "xyz", ""] {
        fails(&world.run(&["tool", "replay", bad], b""), 1, "tool replay` lists");
    }
    // Another result, another verdict.
    let path = world.store().join(format!("recordings/{id}.json"));
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("42.16", "43.16")).unwrap();
    let replayed = world.run(&["tool", "replay", &id], b"");
    fails(&replayed, 1, "1 of 1 replays of `units` differ");
    std::fs::write(&path, "{}").unwrap();
    fails(&world.run(&["tool", "replay", &id], b""), 1, "is refused");
}
