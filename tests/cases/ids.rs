//! Names that lead out of a folder, through every way in: each is refused in words, and nothing appears anywhere.

use crate::support::{
    host::{World, root},
    mcp::Mcp,
};
use serde_json::json;
use std::{collections::BTreeSet, path::Path};

/// Names that nothing may have. The first is long; no argument of a program can hold a zero byte.
fn names() -> Vec<String> {
    let plain = ["../x", "..", "../../../../etc/passwd", "/etc/passwd", "/tmp/x", "a/../../x", "..\\x", "..%2f..%2fx"];
    let odd =
        ["%2e%2e%2fx", "x\n../y", "x\u{202e}y", "\u{ff0e}\u{ff0e}/x", " ../x", "~/x", "file:///etc/passwd", "x\0/../y"];
    [vec!["x".repeat(5000)], plain.map(str::to_owned).to_vec(), odd.map(str::to_owned).to_vec()].concat()
}

/// Every file and folder below one.
fn below(folder: &Path) -> BTreeSet<String> {
    let (mut found, mut open) = (BTreeSet::new(), vec![folder.to_owned()]);
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap().flatten() {
            found.insert(entry.path().display().to_string());
            if entry.file_type().unwrap().is_dir() {
                open.push(entry.path());
            }
        }
    }
    found
}

/// A world whose working folder lies deep in one that is its own, so that what climbs out of it is seen.
struct Pit {
    world: World,
    outer: tempfile::TempDir,
}

impl Pit {
    fn new() -> Self {
        let outer = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(outer.path().join("a/b/c")).unwrap();
        Self { world: World::new(""), outer }
    }

    /// Runs a command, which must fail with words and leave nothing behind.
    fn refuses(&self, arguments: &[&str]) {
        let before = below(self.outer.path());
        let mut command = self.world.command(arguments);
        let output = command.current_dir(self.outer.path().join("a/b/c")).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let shown = arguments.join(" ");
        let shown = shown.chars().take(120).collect::<String>();
        assert!(matches!(output.status.code(), Some(1 | 2)), "{shown}: {output:?}");
        assert!(told.contains("error: ") && told.contains("hint: "), "{shown}: {told}");
        assert!(!told.contains("panicked") && !told.contains("unexpected argument"), "{shown}: {told}");
        assert!(told.len() < 12_000, "{shown}: {} bytes", told.len());
        assert_eq!(below(self.outer.path()), before, "{shown}");
    }
}

#[test]
fn the_command_line_refuses_names_that_lead_outside() {
    let pit = Pit::new();
    for name in names().iter().filter(|name| !name.contains('\0')) {
        pit.refuses(&["tool", "run", "--", name, "{}"]);
        pit.refuses(&["tool", "show", "--", name]);
        pit.refuses(&["tool", "replay", "--", name]);
        pit.refuses(&["tool", "pull", "--", name]);
        pit.refuses(&["tool", "pull", "--", &format!("127.0.0.1:9/{name}")]);
        pit.refuses(&["tool", "new", "--lang", "rust", "--", name]);
        pit.refuses(&["tool", "key", "--", name]);
        pit.refuses(&["tool", "run", "text_summary", &json!({"text": format!("blob:{name}")}).to_string()]);
    }
    assert!(!Path::new("/tmp/x").exists());
}

#[test]
fn http_refuses_names_that_lead_outside() {
    let world = World::new("");
    let server = world.serve();
    let own = server.session(&json!({}));
    let before = below(world.folder.path());
    let refused = |answer: crate::support::client::Response, what: &str| {
        assert!(matches!(answer.status, 400 | 404), "{what}: {} {}", answer.status, answer.text());
        assert!(answer.value()["error"]["message"].is_string(), "{what}: {}", answer.text());
    };
    for name in names() {
        let encoded: String = name.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let session = format!("/v1/sessions/{encoded}");
        refused(server.client.get(&session), &session);
        refused(server.client.get(&format!("{session}/events")), &session);
        refused(server.client.get(&format!("{session}/blobs/a")), &session);
        refused(server.client.get(&format!("{own}/blobs/{encoded}")), &encoded);
        refused(server.client.send("DELETE", &session, &[], b""), &session);
        refused(server.client.post(&format!("{session}/messages"), r#"{"content":"1 + 1"}"#), &session);
        let attachment = server.client.send("POST", &format!("{own}/attachments?name={encoded}"), &[], b"x");
        // A name that only looks odd is a name; bytes are kept under their digest.
        if !["x\u{202e}y", "%2e%2e%2fx"].contains(&name.as_str()) {
            refused(attachment, &encoded);
        }
        let chat = json!({"model": "tomas", "session_id": name, "messages": [{"role": "user", "content": "x"}]});
        refused(server.client.json("POST", "/v1/chat/completions", &chat), &name);
        let chat = json!({"model": name, "messages": [{"role": "user", "content": "x"}]});
        refused(server.client.json("POST", "/v1/chat/completions", &chat), &name);
        let asked = server.client.json("POST", "/v1/sessions", &json!({"folder": name}));
        assert!(matches!(asked.status, 400 | 403), "{name}: {}", asked.text());
    }
    let store = world.store().display().to_string();
    let after = below(world.folder.path());
    let new: Vec<_> = after.difference(&before).filter(|path| !path.starts_with(&store)).collect();
    assert!(new.is_empty(), "{new:?}");
    assert!(after.iter().all(|path| !path.contains("..") && !path.ends_with("/x")), "{after:?}");
    server.settles();
}

#[test]
fn mcp_refuses_names_that_lead_outside() {
    let world = World::new("");
    let before = below(world.folder.path());
    let mut mcp = Mcp::greeted(&world, &[]);
    for (id, name) in (1..).zip(names()) {
        mcp.call(id, &name, json!({}));
        let answer = mcp.answer();
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
        assert!(answer.to_string().len() < 12_000, "{name:.80}");
        mcp.call(id, "image_transform", json!({"image": format!("blob:{name}"), "resize": "width 16"}));
        let answer = mcp.answer();
        assert_eq!(answer["result"]["isError"], true, "{answer}");
    }
    assert!(mcp.end());
    let store = world.store().display().to_string();
    let after = below(world.folder.path());
    assert!(after.difference(&before).all(|path| path.starts_with(&store)), "{after:?}");
    assert!(root().join("tests/main.rs").is_file());
}
