//! What a call of a trivial tool through MCP over pipes costs the server: CPU of the process above a `ping`, and calls a
//! second with many in flight. A fresh instance, quota, ledger and every limit for each call.
//!
//! `cargo build --release && cargo run --release -p tomas-tests --example mcp`; with `-- SERVER ARGS…` it measures
//! another server's tool: `TOOL=name ARGUMENTS='{…}'` in the environment say which.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark says where it fails and prints its result")]

use serde_json::{Value, json};
use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Instant,
};

/// Rounds, each of pings and then of calls.
const ROUNDS: usize = 31;

/// Requests of one kind in a round.
const REQUESTS: usize = 300;

/// Requests in flight when pipelined.
const FLIGHT: usize = 64;

struct Server {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    last: u64,
}

impl Server {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut this = Self { child, input, output, last: 0 };
        let hello = json!({
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"},
        });
        let hello = this.lines(&request("initialize", &hello), 1).concat();
        this.send(&hello);
        this.receive();
        this.send(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n");
        this
    }

    fn send(&mut self, bytes: &[u8]) {
        self.input.write_all(bytes).unwrap();
    }

    fn receive(&mut self) -> Value {
        let mut line = String::new();
        assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "the server went away");
        serde_json::from_str(&line).unwrap()
    }

    /// CPU time of the server so far, in microseconds, with that of threads that ended.
    fn cpu(&self) -> f64 {
        let (mut clock, mut time) = (0, libc::timespec { tv_sec: 0, tv_nsec: 0 });
        #[expect(unsafe_code, reason = "both write one value that we own")]
        let failed = unsafe {
            libc::clock_getcpuclockid(self.child.id().cast_signed(), &raw mut clock)
                + libc::clock_gettime(clock, &raw mut time)
        };
        assert_eq!(failed, 0, "the server went away");
        time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
    }

    /// So many requests, each with an id of its own.
    fn lines(&mut self, request: &Value, count: usize) -> Vec<Vec<u8>> {
        let mut line = |_| {
            self.last += 1;
            let mut request = request.clone();
            request["id"] = self.last.into();
            format!("{request}\n").into_bytes()
        };
        (0..count).map(&mut line).collect()
    }

    /// CPU and wall time of a request, one at a time, in microseconds.
    fn one_by_one(&mut self, request: &Value) -> (f64, f64) {
        let lines = self.lines(request, REQUESTS);
        let (cpu, begun) = (self.cpu(), Instant::now());
        for line in &lines {
            self.send(line);
            let answer = self.receive();
            assert!(answer["error"].is_null() && answer["result"]["isError"] != true, "{answer}");
        }
        let wall = begun.elapsed().as_secs_f64() * 1e6;
        ((self.cpu() - cpu) / REQUESTS as f64, wall / REQUESTS as f64)
    }

    /// CPU of a request in microseconds and requests a second, many in flight.
    fn pipelined(&mut self, request: &Value) -> (f64, f64) {
        let total = REQUESTS * 4;
        let lines = self.lines(request, total);
        let (cpu, begun) = (self.cpu(), Instant::now());
        let (first, rest) = lines.split_at(FLIGHT);
        first.iter().for_each(|line| self.send(line));
        for line in rest {
            self.receive();
            self.send(line);
        }
        first.iter().for_each(|_| drop(self.receive()));
        ((self.cpu() - cpu) / total as f64, total as f64 / begun.elapsed().as_secs_f64())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn request(method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "method": method, "params": params})
}

/// Median, and the tenth and ninetieth percentile.
fn spread(mut values: Vec<f64>) -> String {
    values.sort_by(f64::total_cmp);
    let at = |q: usize| values[(values.len() - 1) * q / 100];
    format!("{:.1} ({:.1}–{:.1})", at(50), at(10), at(90))
}

/// The host that was built last, with the fixture that does nothing as its tool.
fn ours(folder: &Path) -> Command {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let tools = root.join("guest-tools");
    let fixtures = tools.join("fixtures");
    let place = folder.join("noop");
    std::fs::create_dir_all(&place).unwrap();
    std::fs::copy(fixtures.join("noop/tool.toml"), place.join("tool.toml")).unwrap();
    std::fs::copy(tools.join("dist/fixtures/noop.wasm"), place.join("noop.wasm")).unwrap();
    let config = folder.join("host.toml");
    std::fs::write(&config, format!("[paths]\ntools = [{tools:?}, {folder:?}]\n")).unwrap();
    let mut command = Command::new(root.join("target/release/tomas-host"));
    command.arg("--root").arg(&root).arg("--host-config").arg(config).arg("mcp");
    command
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let mut arguments = std::env::args_os().skip(1);
    let command = match arguments.next() {
        Some(program) => {
            let mut command = Command::new(program);
            command.args(arguments);
            command
        }
        None => ours(folder.path()),
    };
    let tool = std::env::var("TOOL").unwrap_or_else(|_| "noop".to_owned());
    let given: Value = serde_json::from_str(&std::env::var("ARGUMENTS").unwrap_or_else(|_| "{}".to_owned())).unwrap();
    let mut server = Server::start(command);
    let ping = request("ping", &json!({}));
    let call = request("tools/call", &json!({"name": tool, "arguments": given}));
    // The first call compiles.
    let first = server.lines(&call, 1).concat();
    server.send(&first);
    println!("first answer: {}", server.receive());
    server.one_by_one(&call);
    server.pipelined(&call);
    let (mut pings, mut calls, mut above, mut walls) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut piped, mut rates) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (ping, _) = server.one_by_one(&ping);
        let (call_cpu, wall) = server.one_by_one(&call);
        let (cpu, rate) = server.pipelined(&call);
        pings.push(ping);
        calls.push(call_cpu);
        above.push(call_cpu - ping);
        walls.push(wall);
        piped.push(cpu);
        rates.push(rate);
    }
    println!("{ROUNDS} rounds of {REQUESTS} requests; median (10th–90th percentile of rounds)");
    println!("ping, server CPU           {} µs", spread(pings));
    println!("call, server CPU           {} µs", spread(calls));
    println!("call above ping            {} µs", spread(above));
    println!("call, wall                 {} µs", spread(walls));
    println!("{FLIGHT} in flight, server CPU   {} µs", spread(piped));
    println!("{FLIGHT} in flight               {} calls/s", spread(rates));
}
