//! How soon a host with ten thousand tools answers, how fast it lists them, and what each costs it in memory.
//!
//! `cargo build --release && cargo run --release -p tomas-tests --example listing -- [COMPONENTS]`, 1000 by default, each with
//! the ten exports of a fixture. The first start compiles them all; what is measured are the starts after it.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark says where it fails and prints its result")]

use serde_json::{Value, json};
use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

/// Starts that are measured.
const STARTS: usize = 5;

/// Listings in a start.
const LISTINGS: usize = 7;

struct Server {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Server {
    fn start(root: &Path, config: &Path) -> Self {
        let mut command = Command::new(root.join("target/release/tomas-host"));
        command.arg("--root").arg(root).arg("--host-config").arg(config).arg("mcp");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, input, output }
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        serde_json::from_str(&self.line(method, params)).unwrap()
    }

    fn line(&mut self, method: &str, params: &Value) -> String {
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        writeln!(self.input, "{message}").unwrap();
        let mut line = String::new();
        assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "the server went away");
        line
    }

    fn initialize(&mut self) {
        let hello = json!({
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "bench", "version": "1" },
        });
        self.ask("initialize", &hello);
        writeln!(self.input, "{}", json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).unwrap();
    }

    /// All pages: how many tools.
    fn list(&mut self) -> usize {
        let (mut cursor, mut count) = (json!({}), 0);
        loop {
            // Reading what was sent is for the client to pay.
            let page = self.line("tools/list", &cursor);
            count += page.matches("\"inputSchema\"").count();
            match page.split_once("\"nextCursor\":\"") {
                Some((_, next)) => cursor = json!({ "cursor": next.split('"').next() }),
                None => return count,
            }
        }
    }

    /// Resident memory in bytes.
    fn resident(&self) -> f64 {
        let text = std::fs::read_to_string(format!("/proc/{}/statm", self.child.id())).unwrap();
        text.split(' ').nth(1).unwrap().parse::<f64>().unwrap() * 4096.0
    }

    fn stop(mut self) {
        drop(self.input);
        self.child.wait().unwrap();
    }
}

fn main() {
    let components: usize = std::env::args().nth(1).map_or(1000, |text| text.parse().unwrap());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
    let folder = tempfile::tempdir().unwrap();
    let config = |name: &str, tools: &Path| {
        let path = folder.path().join(name);
        let keys = json!([root.join("guest-tools"), tools]).to_string();
        let (cache, store) = (folder.path().join("cache"), folder.path().join("store"));
        let text = format!("[paths]\ntools = {keys}\nstore = {store:?}\n[sandbox]\ncache = {cache:?}\n");
        std::fs::write(&path, text).unwrap();
        path
    };
    let (few, many) = (folder.path().join("few"), folder.path().join("many"));
    std::fs::create_dir(&few).unwrap();
    std::fs::create_dir(&many).unwrap();
    let fixture = std::fs::read(root.join("guest-tools/dist/fixtures/typed.wasm")).unwrap();
    for n in 0..components {
        // A custom section makes each another component.
        let name = format!("n{n:06}");
        let mut bytes = fixture.clone();
        bytes.extend([0, u8::try_from(name.len() + 1).unwrap(), u8::try_from(name.len()).unwrap()]);
        bytes.extend(name.as_bytes());
        std::fs::write(many.join(format!("c{n:04}.wasm")), bytes).unwrap();
    }
    let (few, many) = (config("few.toml", &few), config("many.toml", &many));
    let begun = Instant::now();
    let mut first = Server::start(&root, &many);
    first.initialize();
    let count = first.list();
    println!(
        "{count} tools in {components} components; first start, which compiles them: {:.0} s",
        begun.elapsed().as_secs_f64()
    );
    first.stop();
    let (mut ready, mut listed, mut each) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let mut bare = Server::start(&root, &few);
        bare.initialize();
        let standard = bare.list();
        let before = bare.resident();
        bare.stop();
        let begun = Instant::now();
        let mut server = Server::start(&root, &many);
        server.initialize();
        ready.push(begun.elapsed().as_secs_f64());
        server.list();
        std::thread::sleep(Duration::from_millis(200));
        for _ in 0..LISTINGS {
            let begun = Instant::now();
            assert_eq!(server.list(), count);
            listed.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        #[expect(clippy::cast_precision_loss, reason = "thousands")]
        each.push((server.resident() - before) / (count - standard) as f64 / 1e3);
        server.stop();
    }
    for (what, values) in [
        ("s from start to `initialize`", &mut ready),
        ("ms to list all", &mut listed),
        ("kB of memory a tool", &mut each),
    ] {
        values.sort_by(f64::total_cmp);
        println!(
            "{:.3} {what} ({:.3}–{:.3}, n {})",
            values[values.len() / 2],
            values[0],
            values[values.len() - 1],
            values.len()
        );
    }
}
