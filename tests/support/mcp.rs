//! An MCP client over pipes of a few lines, which can also send what no client should.

use super::host::{World, root};
use serde_json::{Value, json};
use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Stdio},
};

/// A running `tomas-host mcp`.
pub struct Mcp {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Mcp {
    /// Starts a server, without a word to it.
    pub fn start(world: &World, arguments: &[&str]) -> Self {
        let mut command = world.command(&[&["mcp"], arguments].concat());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, input, output }
    }

    /// Starts a server and greets it as clients did until 2025.
    pub fn greeted(world: &World, arguments: &[&str]) -> Self {
        let mut this = Self::start(world, arguments);
        let hello = json!({
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"},
        });
        this.request(0, "initialize", hello);
        assert_eq!(this.answer()["result"]["serverInfo"]["name"], "tomas-host");
        this.line(json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string());
        this
    }

    /// Sends a line as it is.
    pub fn line(&mut self, line: impl AsRef<[u8]>) {
        let input = self.input.as_mut().unwrap();
        input.write_all(line.as_ref()).unwrap();
        input.write_all(b"\n").unwrap();
        input.flush().unwrap();
    }

    /// Sends a request.
    pub fn request(&mut self, id: u64, method: &str, params: Value) {
        self.line(json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string());
    }

    /// Calls a tool.
    pub fn call(&mut self, id: u64, tool: &str, arguments: Value) {
        self.request(id, "tools/call", json!({"name": tool, "arguments": arguments}));
    }

    /// The next message from the server.
    pub fn answer(&mut self) -> Value {
        let mut line = String::new();
        assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "the server closed its output");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// Closes the input and waits for the end.
    pub fn end(mut self) -> bool {
        drop(self.input.take());
        self.child.wait().unwrap().success()
    }
}

impl Drop for Mcp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder of tools made of fixtures: each a fixture's name, the tool's, and what it measures its input by.
pub fn tools(folder: &Path, tools: &[(&str, &str, &str)]) {
    for (fixture, tool, argument) in tools {
        let place = folder.join(tool);
        std::fs::create_dir_all(&place).unwrap();
        let component = root().join(format!("guest-tools/dist/fixtures/{fixture}.wasm"));
        std::fs::copy(component, place.join(format!("{tool}.wasm"))).unwrap();
        let manifest = format!(
            "name = \"{tool}\"\ndescription = \"A fixture.\"\n[size]\nargument = \"{argument}\"\nmeasure = \"chars\"\n\
             small = 100\nmedium = 1000\n[quota.ceiling]\ncpu = \"1000m\"\nmemory = \"32MiB\"\ndeadline = \"60s\"\n\
             [permissions]\nclock = true\n"
        );
        std::fs::write(place.join("tool.toml"), manifest).unwrap();
    }
}
