//! Tools through a real registry: pushed, pulled into a clean folder, signed, tampered with, locked. Registries that are
//! hostile have their tests in `host/distribution/src/tests.rs`.

use crate::support::{
    command::{fails, stdout},
    host::{World, root},
    registry::{LOGIN, Registry},
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const MANIFEST: &str = "name = \"loud\"\ncomponent = \"any.wasm\"\nexport = \"shout\"\ndescription = \"Shouts.\"\n";

fn fixture(name: &str) -> PathBuf {
    root().join(format!("guest-tools/dist/fixtures/{name}.wasm"))
}

/// A world with a folder of tools of its own, a tool to share beside it, and nobody's logins.
struct Author {
    world: World,
    tools: PathBuf,
    tool: PathBuf,
}

impl Author {
    fn new(manifest: &str, config: &str) -> Self {
        let tools = tempfile::tempdir().unwrap().keep();
        let world = World::new(&format!("[paths]\ntools = [{:?}, {tools:?}]\n{config}", root().join("guest-tools")));
        let tool = world.folder.path().join("draft");
        fs::create_dir_all(&tool).unwrap();
        fs::copy(fixture("typed"), tool.join("any.wasm")).unwrap();
        fs::write(tool.join("tool.toml"), manifest).unwrap();
        Self { world, tools, tool }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.world.command(arguments);
        command.env("DOCKER_CONFIG", self.world.folder.path()).env_remove("TOMAS_REGISTRY_PASSWORD");
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn push(&self, reference: &str) -> Output {
        self.run(&["tool", "push", self.tool.to_str().unwrap(), reference])
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(&self.tools).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Author {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.tools);
    }
}

fn shouts(author: &Author) {
    assert_eq!(stdout(&author.run(&["tool", "run", "loud", r#"{"text": "abc"}"#])), "ABC\n");
}

#[test]
fn a_tool_goes_through_a_registry_and_comes_back_the_same() {
    let Some(registry) = Registry::start(false) else { return };
    let author = Author::new(MANIFEST, "");
    let reference = format!("{}/tests/loud:1.0", registry.address);
    let pushed = stdout(&author.push(&reference));
    let pinned = pushed.lines().last().unwrap().strip_prefix("as ").unwrap().to_owned();
    // The same tool has the same digest, whenever it is pushed.
    assert!(stdout(&author.push(&reference)).ends_with(&format!("as {pinned}\n")));

    fails(&author.run(&["tool", "run", "loud", "{}"]), 1, "no tool is named `loud`");
    let pulled = stdout(&author.run(&["tool", "pull", &reference]));
    assert!(pulled.contains(": pulled, ") && pulled.contains(&pinned) && pulled.contains("not signed"), "{pulled}");
    assert_eq!(author.names(), ["loud"]);
    assert_eq!(fs::read_to_string(author.tools.join("loud/tool.toml")).unwrap(), MANIFEST);
    shouts(&author);
    assert!(stdout(&author.run(&["tool", "pull", &pinned])).contains("there already"));

    // Another tool of the same name is not taken for it.
    fs::copy(fixture("program"), author.tool.join("any.wasm")).unwrap();
    stdout(&author.push(&reference));
    fails(&author.run(&["tool", "pull", &reference]), 1, "exists and differs");
    shouts(&author);
    assert!(stdout(&author.run(&["tool", "pull", &pinned])).contains("there already"));
    assert!(stdout(&author.run(&["tool", "pull", &reference, "--force"])).contains(": pulled, "));
    assert_eq!(fs::read(author.tools.join("loud/any.wasm")).unwrap(), fs::read(fixture("program")).unwrap());
    assert_eq!(author.names(), ["loud"]);

    let absent = format!("{}/tests/loud:2.0", registry.address);
    fails(&author.run(&["tool", "pull", &absent]), 1, "is not in the registry");
    let other = format!("{}/tests/loud@sha256:{}", registry.address, "0".repeat(64));
    fails(&author.run(&["tool", "pull", &other]), 1, "is not in the registry");
}

#[test]
fn a_component_alone_goes_through_a_registry() {
    let Some(registry) = Registry::start(false) else { return };
    let author = Author::new(MANIFEST, "");
    let reference = format!("{}/tests/my.tool", registry.address);
    let component = author.tool.join("any.wasm");
    assert!(stdout(&author.run(&["tool", "push", component.to_str().unwrap(), &reference])).contains("my.tool:latest"));
    stdout(&author.run(&["tool", "pull", &reference]));
    assert_eq!(author.names(), ["my_tool.wasm"]);
    assert_eq!(stdout(&author.run(&["tool", "run", "my_tool_shout", r#"{"text": "abc"}"#])), "ABC\n");
    let text = author.world.folder.path().join("host.toml");
    fails(&author.run(&["tool", "push", text.to_str().unwrap(), &reference]), 1, "the beginning of the component");
}

#[test]
fn a_pull_grants_nothing_that_nobody_agreed_to_and_leaves_nothing_behind() {
    let Some(registry) = Registry::start(false) else { return };
    let author = Author::new(&format!("{MANIFEST}[permissions]\nenvironment = [\"HOME\"]\n"), "");
    let reference = format!("{}/loud", registry.address);
    stdout(&author.push(&reference));
    fails(&author.run(&["tool", "pull", &reference]), 1, "wants environment = [\"HOME\"]");
    assert!(author.names().is_empty());
    let pulled = stdout(&author.run(&["tool", "pull", &reference, "--permit"]));
    assert!(pulled.contains("it may: environment = [\"HOME\"]"), "{pulled}");

    // One of the standard tools is called so.
    fs::write(author.tool.join("tool.toml"), MANIFEST.replace("loud", "calculator")).unwrap();
    stdout(&author.push(&reference));
    fails(&author.run(&["tool", "pull", &reference]), 1, "tool `calculator` is in");
    assert_eq!(author.names(), ["loud"]);

    fs::write(author.tool.join("tool.toml"), MANIFEST.replace("any.wasm", "../any.wasm")).unwrap();
    fs::copy(fixture("typed"), author.world.folder.path().join("any.wasm")).unwrap();
    fails(&author.push(&reference), 1, "`../any.wasm`, a file name such as");
}

#[test]
fn a_closed_registry_wants_a_login_that_is_never_shown() {
    let Some(registry) = Registry::start(true) else { return };
    let author = Author::new(MANIFEST, "");
    let reference = format!("{}/loud", registry.address);
    let quiet = |output: &Output| {
        let told = format!("{output:?}");
        assert!(!told.contains(LOGIN.1) && !told.contains("YWRhOnBhc3M6d29yZA"), "{told}");
    };
    let refused = author.push(&reference);
    fails(&refused, 1, "it wants a login");
    let tool = author.tool.to_str().unwrap();
    let named = ["tool", "push", tool, &reference, "--username", LOGIN.0];
    fails(&author.run(&named), 1, "TOMAS_REGISTRY_PASSWORD");
    let wrong = author.command(&named).env("TOMAS_REGISTRY_PASSWORD", "wrong").output().unwrap();
    fails(&wrong, 1, "refuses access to `loud`");
    let right = author.command(&named).env("TOMAS_REGISTRY_PASSWORD", LOGIN.1).output().unwrap();
    stdout(&right);
    quiet(&right);

    let logins = author.world.folder.path().join("config.json");
    let entry = |auth: &str| format!(r#"{{"auths": {{"{}": {{"auth": "{auth}"}}}}}}"#, registry.address);
    fs::write(&logins, entry("YWRhOnBhc3M6d29yZA==")).unwrap();
    let pulled = author.command(&["-vv", "tool", "pull", &reference]).env("RUST_LOG", "trace").output().unwrap();
    stdout(&pulled);
    quiet(&pulled);
    fs::write(&logins, entry("pass:word")).unwrap();
    let damaged = author.run(&["tool", "pull", &reference]);
    fails(&damaged, 1, "is not base64");
    quiet(&damaged);
}

#[test]
fn a_signed_tool_is_pulled_by_those_who_trust_its_key() {
    let Some(registry) = Registry::start(false) else { return };
    let author = Author::new(MANIFEST, "");
    let (folder, reference) = (author.world.folder.path(), format!("{}/loud", registry.address));
    let ada = stdout(&author.run(&["tool", "key", "ada"]));
    let tool = author.tool.to_str().unwrap();
    stdout(&author.run(&["tool", "sign", tool, "--key", folder.join("ada.key").to_str().unwrap()]));
    stdout(&author.push(&reference));
    let pulled = stdout(&author.run(&["tool", "pull", &reference]));
    assert!(pulled.contains(&format!("signed by `{}`; whether", ada.trim())), "{pulled}");

    let friend = Author::new(MANIFEST, &format!("[trust]\nkeys = [{:?}]\n", ada.trim()));
    assert!(stdout(&friend.run(&["tool", "pull", &reference])).contains("whom `[trust] keys` names"));
    shouts(&friend);
    let eve = stdout(&author.run(&["tool", "key", "eve"]));
    let stranger = Author::new(MANIFEST, &format!("[trust]\nkeys = [{:?}]\n", eve.trim()));
    fails(&stranger.run(&["tool", "pull", &reference]), 1, "it is signed by `ada ");
    assert!(stranger.names().is_empty());

    // What was changed after it was signed is neither pushed nor loaded.
    fs::copy(fixture("program"), author.tool.join("any.wasm")).unwrap();
    fails(&author.push(&reference), 1, "the component has digest");
    fs::remove_file(author.tool.join("tool.sig")).unwrap();
    stdout(&author.push(&reference));
    fails(&friend.run(&["tool", "pull", &reference, "--force"]), 1, "it is not signed");
    shouts(&friend);
}

#[test]
fn a_pull_keeps_the_lock() {
    let Some(registry) = Registry::start(false) else { return };
    let author = Author::new(MANIFEST, "");
    let (tools, reference) = (author.tools.to_str().unwrap(), format!("{}/loud:1", registry.address));
    stdout(&author.push(&reference));
    stdout(&author.run(&["tool", "lock", tools]));
    stdout(&author.run(&["tool", "pull", &reference]));
    let lock = fs::read_to_string(author.tools.join("tools.lock")).unwrap();
    assert!(lock.contains(&format!("from = \"{reference}\"")) && lock.contains("image = \"sha256:"), "{lock}");
    shouts(&author);
    stdout(&author.run(&["tool", "lock", "--check", tools]));
    // Where it came from is still known after the lock is written anew.
    stdout(&author.run(&["tool", "lock", tools]));
    assert_eq!(fs::read_to_string(author.tools.join("tools.lock")).unwrap(), lock);
}

#[test]
fn references_and_registries_that_are_none_are_refused() {
    let author = Author::new(MANIFEST, "");
    fails(&author.run(&["tool", "pull", "loud"]), 2, "it names no registry");
    fails(&author.run(&["tool", "pull", "../loud"]), 2, "is not a reference");
    fails(&author.run(&["tool", "pull", "localhost:1/loud"]), 1, "registry `localhost:1` cannot be reached");
    fails(&author.run(&["tool", "push", "/nowhere", "localhost:1/loud"]), 1, "`/nowhere` cannot be read");
    assert!(Path::new(&author.tools).is_dir() && author.names().is_empty());
}
