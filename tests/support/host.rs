//! The host as a process, with a store of its own.

use super::client::{Client, Response};
use serde_json::{Value, json};
use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// A folder with a configuration and a store.
pub struct World {
    pub folder: TempDir,
}

/// A registry of the components as they are, with the shipped profiles: built once for all tests, so that they can run
/// while tools are being worked on. That the shipped registry is the right one is a case of its own.
fn registry() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let folder = root().join("target/tmp/registry");
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("registry.json");
        let _ = std::fs::copy(root().join("data/profiling.csv"), folder.join("profiling.csv"));
        let world = World::with_registry("", &path);
        let built = world.run(&["registry", "build"], b"");
        assert!(built.status.success(), "{built:?}");
        path
    })
}

impl World {
    /// The tools as they are, a registry of them, a store of its own, and the keys of `config` over these and the shipped ones.
    pub fn new(config: &str) -> Self {
        Self::with_registry(config, registry())
    }

    /// The shipped registry and tools, and a store of its own.
    pub fn shipped() -> Self {
        Self::with_registry("", &root().join("data/registry.json"))
    }

    fn with_registry(config: &str, registry: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut keys: toml::Table = config.parse().unwrap();
        let mut set = |section: &str, key: &str, value: String| {
            let section = keys.entry(section).or_insert_with(|| toml::Table::new().into());
            section.as_table_mut().unwrap().entry(key).or_insert(value.into());
        };
        set("paths", "store", folder.path().join("store").display().to_string());
        set("paths", "registry", registry.display().to_string());
        // Compiled once for all tests.
        set("sandbox", "cache", root().join("target/tmp/components").display().to_string());
        std::fs::create_dir_all(root().join("target/tmp")).unwrap();
        std::fs::write(folder.path().join("host.toml"), keys.to_string()).unwrap();
        Self { folder }
    }

    /// Where its sessions, blobs and recordings are.
    pub fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// The host with arguments.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tomas-host-under-test"));
        command.arg("--root").arg(root()).arg("--host-config").arg(self.folder.path().join("host.toml"));
        command.args(arguments).current_dir(self.folder.path()).env_remove("RUST_LOG").env_remove("TOMAS_ROOT");
        command
    }

    /// Runs a command to its end, with `input` as standard input.
    pub fn run(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // The host may refuse before it has read everything.
        let _ = child.stdin.take().unwrap().write_all(input);
        child.wait_with_output().unwrap()
    }

    /// Starts a server on a free port.
    pub fn serve(&self) -> Server {
        Server::start(self.command(&["serve", "--address", "127.0.0.1:0", "--planner", "bm25-fastest"]))
    }
}

/// A running server. Dropping it kills it.
pub struct Server {
    pub child: Child,
    pub client: Client,
}

impl Server {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.strip_prefix("http://").and_then(|l| l.split_whitespace().next());
        let address = address.unwrap_or_else(|| panic!("no address in `{line}`")).to_owned();
        Self { child, client: Client { address } }
    }

    /// Opens a session and returns its path.
    pub fn session(&self, budget: &Value) -> String {
        let opened = self.client.json("POST", "/v1/sessions", &json!({ "budget": budget }));
        assert_eq!(opened.status, 201, "{}", opened.text());
        format!("/v1/sessions/{}", opened.value()["id"].as_str().unwrap())
    }

    /// Sends a message and returns the answer.
    pub fn say(&self, session: &str, content: &str) -> Response {
        self.client.json("POST", &format!("{session}/messages"), &json!({ "content": content }))
    }

    /// The types of a session's events, in order.
    pub fn log(&self, session: &str) -> Vec<String> {
        let events = self.client.get(&format!("{session}/events")).value();
        let kind = |e: &Value| e["event"]["type"].as_str().unwrap().to_owned();
        events["events"].as_array().unwrap().iter().map(kind).collect()
    }

    /// Waits until nothing is held, and checks that the ledger balances.
    pub fn settles(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let ledger = self.client.get("/v1/ledger").value();
            assert_eq!(ledger["balanced"], true, "{ledger}");
            if ledger["ledger"]["grants"] == 0 && ledger["ledger"]["cpu"]["held"] == 0 {
                return;
            }
            assert!(Instant::now() < deadline, "{ledger}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Kills the process as the system would when memory is short: nothing of it runs any more.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
