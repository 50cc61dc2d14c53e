//! Who vouches for a tool: keys, signatures and locks, on the command line and in a running host.

use crate::support::{
    command::{fails, stdout},
    host::{World, root},
    mcp::Mcp,
};
use serde_json::json;
use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};
use tempfile::TempDir;

/// A folder with one tool that shouts, beside the standard ones, and a cache of its own.
fn shouting(config: &str) -> (World, TempDir, PathBuf) {
    let tools = tempfile::tempdir().unwrap();
    let loud = tools.path().join("loud");
    fs::create_dir(&loud).unwrap();
    fs::copy(root().join("guest-tools/dist/fixtures/typed.wasm"), loud.join("loud.wasm")).unwrap();
    fs::write(loud.join("tool.toml"), "name = \"loud\"\nexport = \"shout\"\ndescription = \"Shouts.\"\n").unwrap();
    let world = World::new(&format!(
        "[paths]\ntools = [{:?}, {:?}]\n[sandbox]\ncache = {:?}\n{config}",
        root().join("guest-tools"),
        tools.path(),
        tools.path().join(".cache"),
    ));
    (world, tools, loud)
}

const RUN: [&str; 4] = ["tool", "run", "loud", r#"{"text": "abc"}"#];

#[test]
fn a_key_is_private_and_never_overwritten() {
    let world = World::new("");
    let made = world.run(&["tool", "key", "ada"], b"");
    let public = stdout(&made);
    assert!(public.starts_with("ada ed25519:") && public.lines().count() == 1, "{public}");
    let path = world.folder.path().join("ada.key");
    let private = fs::read_to_string(&path).unwrap();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!format!("{made:?}").contains(private.split(':').nth(1).unwrap().trim()));
    fails(&world.run(&["tool", "key", "ada"], b""), 1, "never overwritten");
    assert_eq!(fs::read_to_string(&path).unwrap(), private);
    fails(&world.run(&["tool", "key", "../ada"], b""), 1, "cannot be the name of a key");
}

#[test]
fn a_tool_is_signed_and_verified_and_tampering_is_noticed() {
    let (world, tools, loud) = shouting("");
    let folder = loud.to_str().unwrap();
    let run = |arguments: &[&str]| world.run(arguments, b"");
    fails(&run(&["tool", "verify", folder]), 1, "is not signed");
    let ada = stdout(&run(&["tool", "key", "ada"]));
    fails(&run(&["tool", "sign", folder, "--key", "tool.sig"]), 1, "cannot be read");
    let key = world.folder.path().join("ada.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    fails(&run(&["tool", "sign", folder, "--key", "ada.key"]), 1, "has mode 644");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    stdout(&run(&["tool", "sign", folder, "--key", "ada.key"]));
    assert!(stdout(&run(&["tool", "verify", folder])).contains(&format!("is what `{}` signed", ada.trim())));

    // Another component, which would run as well.
    let cached = || fs::read_dir(tools.path().join(".cache")).unwrap().count();
    let before = cached();
    let component = loud.join("loud.wasm");
    fs::copy(root().join("guest-tools/dist/fixtures/program.wasm"), &component).unwrap();
    for arguments in [&RUN[..], &["tool", "verify", folder], &["tool", "check", folder], &["tool", "show", "loud"]] {
        fails(&run(arguments), 1, "the component has digest");
    }
    assert!(stdout(&run(&["tool", "list"])).contains("loud             (tool `loud` is refused"));
    assert_eq!(cached(), before, "nothing was compiled");
    fs::copy(root().join("guest-tools/dist/fixtures/typed.wasm"), &component).unwrap();
    assert_eq!(stdout(&run(&RUN)), "ABC\n");
    fs::write(loud.join("tool.sig"), "damaged").unwrap();
    fails(&run(&RUN), 1, "it is no signature");
    // Nobody else is taken away.
    stdout(&run(&["tool", "run", "calculator", r#"{"expression": "1+1"}"#]));
}

#[test]
fn with_trusted_keys_nothing_else_loads_but_the_standard_tools() {
    let maker = World::new("");
    let ada = stdout(&maker.run(&["tool", "key", "ada"], b""));
    let key = maker.folder.path().join("ada.key");
    let standard = root().join("guest-tools");
    let config = format!("[trust]\nkeys = [{:?}]\nunsigned = [{standard:?}]\n", ada.trim());
    let (world, _tools, loud) = shouting(&config);
    fails(&world.run(&RUN, b""), 1, "it is not signed, allowed are tools signed by `ada`");
    stdout(&world.run(&["tool", "run", "calculator", r#"{"expression": "1+1"}"#], b""));

    // A running host follows.
    let mut mcp = Mcp::greeted(&world, &[]);
    mcp.call(1, "loud", json!({"text": "abc"}));
    assert!(mcp.answer()["error"].is_object(), "an unsigned tool is not there");
    stdout(&world.run(&["tool", "sign", loud.to_str().unwrap(), "--key", key.to_str().unwrap()], b""));
    assert_eq!(mcp.answer()["method"], "notifications/tools/list_changed");
    mcp.call(2, "loud", json!({"text": "abc"}));
    assert_eq!(mcp.answer()["result"]["content"][0]["text"], "ABC");
    assert!(mcp.end());

    let (strict, _tools, _) = shouting(&format!("[trust]\nkeys = [{:?}]\nunsigned = []\n", ada.trim()));
    fails(&strict.run(&["tool", "run", "calculator", r#"{"expression": "1+1"}"#], b""), 1, "it is not signed");
    let (wrong, _tools, _) = shouting("[trust]\nkeys = [\"ada\"]\n");
    fails(&wrong.run(&["tool", "list"], b""), 1, "`ada` is not a public key");
}

#[test]
fn a_lock_holds_a_folder_to_its_bytes() {
    let (world, tools, loud) = shouting("");
    let folder = tools.path().to_str().unwrap();
    let run = |arguments: &[&str]| world.run(arguments, b"");
    fails(&run(&["tool", "lock", "--check", folder]), 1, "does not exist");
    let written = stdout(&run(&["tool", "lock", folder]));
    assert!(written.contains("1 tools written") && written.contains("tool `loud` is new"), "{written}");
    stdout(&run(&["tool", "lock", "--check", folder]));
    assert_eq!(stdout(&run(&RUN)), "ABC\n");

    let manifest = fs::read_to_string(loud.join("tool.toml")).unwrap();
    fs::write(loud.join("tool.toml"), format!("{manifest}[permissions]\nclock = true\n")).unwrap();
    fails(&run(&RUN), 1, "the manifest of `loud` has digest");
    fails(&run(&RUN), 1, "hint: restore it, or run `tomas-host tool lock`");
    let differing = run(&["tool", "lock", "--check", folder]);
    fails(&differing, 1, "1 of the tools differ");
    assert!(String::from_utf8_lossy(&differing.stdout).contains("tool `loud` changed"));
    fs::write(loud.join("tool.toml"), manifest).unwrap();
    assert_eq!(stdout(&run(&RUN)), "ABC\n");

    // What is not listed does not load: neither a folder nor a component alone.
    fs::copy(root().join("guest-tools/dist/fixtures/program.wasm"), tools.path().join("new.wasm")).unwrap();
    let told = run(&["tool", "run", "new", "{}"]);
    fails(&told, 1, "no tool is named `new`");
    assert!(String::from_utf8_lossy(&told.stderr).contains("`new` is not in it"), "{told:?}");
    stdout(&run(&["tool", "lock", folder]));
    assert_eq!(stdout(&run(&["tool", "run", "new", r#"{"stdin": "abc"}"#])), "ABC\n");

    fs::write(tools.path().join("tools.lock"), "damaged").unwrap();
    fails(&run(&RUN), 1, "tools.lock` is refused");
    fails(&run(&["tool", "run", "calculator", "{}"]), 1, "tools.lock` is refused");
}
