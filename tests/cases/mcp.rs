//! The tools over MCP: both eras of the protocol, over pipes and HTTP, with clients that behave and clients that do not.

use crate::support::{
    host::{World, root},
    mcp::{Mcp, tools},
};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
    time::{Duration, Instant},
};

/// The standard tools, and fixtures that spin, sleep, report progress, and know nothing of this host.
fn world() -> World {
    // Once: a running server notices when they are written again.
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = root().join("target/tmp/mcp-tools");
        let fixtures = [
            ("hostile", "spin", "n"),
            ("hostile", "sleep", "n"),
            ("hostile", "flood_progress", "n"),
            ("typed", "divide", "dividend"),
        ];
        tools(&folder, &fixtures);
        folder
    });
    let folder: &Path = &FOLDER;
    let standard = root().join("guest-tools");
    World::new(&format!("[paths]\ntools = [{:?}, {:?}]\n[quota]\ndeadline = \"60s\"\n", standard, folder))
}

#[test]
fn tools_are_listed_with_schemas_of_both_sides() {
    let world = world();
    let mut mcp = Mcp::greeted(&world, &[]);
    mcp.request(1, "tools/list", json!({}));
    let answer = mcp.answer();
    let listed = answer["result"]["tools"].as_array().unwrap();
    let tool = |name: &str| listed.iter().find(|t| t["name"] == name).unwrap_or_else(|| panic!("{name}: {answer}"));
    let calculator = tool("calculator");
    assert_eq!(calculator["inputSchema"]["type"], "object");
    assert_eq!(calculator["outputSchema"]["type"], "object");
    assert_eq!(calculator["annotations"]["readOnlyHint"], true);
    assert!(calculator["description"].as_str().is_some_and(|d| d.len() > 20));
    // A component that never heard of this host.
    assert_eq!(tool("divide")["inputSchema"]["required"], json!(["dividend", "divisor"]));
    assert_eq!(listed.len(), 12, "{answer}");
    mcp.request(2, "tools/list", json!({"cursor": "nonsense"}));
    assert_eq!(mcp.answer()["error"]["code"], -32602);
    assert!(mcp.end());
}

#[test]
fn a_call_answers_with_text_structure_and_what_it_cost() {
    let world = world();
    let mut mcp = Mcp::greeted(&world, &["--cpu", "1000m", "--memory", "64MiB"]);
    mcp.call(1, "calculator", json!({"expression": "17.5% of 2,340"}));
    let answer = mcp.answer();
    let result = &answer["result"];
    assert_eq!(result["isError"].as_bool(), Some(false), "{answer}");
    assert!(result["content"][0]["text"].as_str().unwrap().contains("409.5"), "{answer}");
    assert_eq!(result["structuredContent"]["text"], result["content"][0]["text"]);
    let meta = &result["_meta"];
    assert_eq!(meta["tomas/outcome"], "ok");
    assert!(meta["tomas/usage"]["cpu_ms"].as_f64().unwrap() > 0.0);
    // The registry knows what is enough for an input of this size.
    assert_eq!(meta["tomas/quota"]["cpu"], "250m", "{answer}");

    mcp.call(2, "divide", json!({"dividend": 1, "divisor": 0}));
    let answer = mcp.answer();
    assert_eq!(answer["result"]["isError"], true);
    assert_eq!(answer["result"]["content"][0]["text"], "tool_error: 1 cannot be divided by 0");
    let tight = json!({"name": "divide", "arguments": {"dividend": 6, "divisor": 2}, "_meta": {"tomas/quota": {"cpu": "100m", "memory": "8MiB"}}});
    mcp.request(3, "tools/call", tight);
    let answer = mcp.answer();
    assert_eq!(answer["result"]["structuredContent"]["returned"], 3);
    assert_eq!(answer["result"]["_meta"]["tomas/quota"]["cpu"], "100m");
    for (id, quota, says) in [(4, json!({"cpu": "64"}), "above"), (5, json!({"cpu": "0"}), "lets nothing run")] {
        mcp.request(
            id,
            "tools/call",
            json!({"name": "divide", "arguments": {"dividend": 6, "divisor": 2}, "_meta": {"tomas/quota": quota}}),
        );
        let answer = mcp.answer();
        assert_eq!(answer["result"]["isError"], true, "{answer}");
        assert!(answer["result"]["content"][0]["text"].as_str().unwrap().contains(says), "{answer}");
    }
    mcp.request(6, "tools/call", json!({"name": "divide", "arguments": {}, "_meta": {"tomas/quota": {"cores": 1}}}));
    let answer = mcp.answer();
    assert!(answer["error"]["message"].as_str().unwrap().contains("unknown field `cores`"), "{answer}");
    mcp.call(7, "../calculator", json!({}));
    assert_eq!(mcp.answer()["error"]["code"], -32602);
    assert!(mcp.end());
}

#[test]
fn files_are_named_in_arguments_and_come_back_as_content() {
    let world = world();
    let picture = root().join("guest-tools/image_transform/samples");
    let picture = std::fs::read_dir(picture)
        .unwrap()
        .map(|e| e.unwrap().path())
        .find(|p| p.extension().is_some_and(|e| e == "png" || e == "jpg"))
        .unwrap();
    let name = picture.file_name().unwrap().to_str().unwrap().to_owned();
    let mut mcp = Mcp::greeted(&world, &["--attach", picture.to_str().unwrap()]);
    mcp.call(1, "image_transform", json!({"image": format!("blob:{name}"), "resize": "width 16", "format": "png"}));
    let answer = mcp.answer();
    let image = &answer["result"]["content"][1];
    assert_eq!((&image["type"], &image["mimeType"]), (&json!("image"), &json!("image/png")), "{answer}");
    assert!(image["data"].as_str().unwrap().starts_with("iVBORw0KGgo"));
    mcp.call(2, "image_transform", json!({"image": "blob:no-such.png", "resize": "width 16"}));
    assert_eq!(mcp.answer()["result"]["isError"], true);
    assert!(mcp.end());
}

#[test]
fn malformed_lines_are_answered_and_leave_the_server_hearing() {
    let world = world();
    let mut mcp = Mcp::greeted(&world, &[]);
    let nested = "[".repeat(100_000);
    let long = format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{{\"x\":\"{}\"}}}}",
        "y".repeat(17 << 20)
    );
    let cases: [(&[u8], Value, i64, &str); 11] = [
        (b"{", Value::Null, -32700, "not JSON"),
        (b"\xff\xfe not UTF-8", Value::Null, -32700, "not JSON"),
        (nested.as_bytes(), Value::Null, -32700, "not JSON"),
        (b"[]", Value::Null, -32600, "batches are not part of MCP"),
        (b"7", Value::Null, -32600, "not a JSON object"),
        (b"{\"jsonrpc\":\"2.0\",\"id\":true,\"method\":\"ping\"}", Value::Null, -32600, "a string or number"),
        (b"{\"jsonrpc\":\"2.0\",\"id\":8}", Value::Null, -32600, "`method`"),
        (b"{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"tools/call\",\"params\":{\"name\":\"spin\",\"arguments\":[1]}}", json!(9), -32602, "an array; an object is wanted"),
        (b"{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"tools/call\",\"params\":{\"name\":7}}", json!("x"), -32602, "the name of a tool"),
        (b"{\"jsonrpc\":\"2.0\",\"id\":11,\"method\":\"tools/call\"}", json!(11), -32602, "the name of a tool"),
        (long.as_bytes(), Value::Null, -32600, "which is the most allowed"),
    ];
    for (line, id, code, says) in cases {
        mcp.line(line);
        let answer = mcp.answer();
        let head = String::from_utf8_lossy(&line[..line.len().min(60)]).into_owned();
        assert_eq!((&answer["id"], answer["error"]["code"].as_i64()), (&id, Some(code)), "{head}: {answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains(says), "{head}: {answer}");
    }
    // Nothing to answer: an empty line, and a notification that nobody knows.
    mcp.line("");
    mcp.line("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/unheard-of\",\"params\":[]}");
    mcp.request(20, "no/such/method", json!({}));
    assert_eq!(mcp.answer()["error"]["code"], -32601);
    mcp.request(21, "ping", json!({}));
    assert_eq!(mcp.answer()["id"], 21);
    assert!(mcp.end());
}

#[test]
fn cancelling_stops_the_guest_and_frees_what_it_held() {
    let world = world();
    // Two runaway tools hold the whole budget, so that a third call has to wait for them.
    let mut mcp = Mcp::greeted(&world, &["--cpu", "2000m", "--memory", "64MiB"]);
    mcp.call(1, "spin", json!({}));
    mcp.call(2, "spin", json!({}));
    std::thread::sleep(Duration::from_millis(300));
    let begun = Instant::now();
    mcp.call(3, "divide", json!({"dividend": 8, "divisor": 2}));
    for id in [1, 2] {
        let params = json!({"requestId": id, "reason": "enough"});
        mcp.line(json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}).to_string());
    }
    let answer = mcp.answer();
    assert_eq!((&answer["id"], &answer["result"]["structuredContent"]["returned"]), (&json!(3), &json!(4)), "{answer}");
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert!(mcp.end());
}

#[test]
fn an_id_that_is_taken_is_refused_until_it_is_answered() {
    let world = world();
    let mut mcp = Mcp::greeted(&world, &[]);
    mcp.call(1, "spin", json!({}));
    mcp.call(1, "divide", json!({"dividend": 8, "divisor": 2}));
    let answer = mcp.answer();
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(1), &json!(-32600)), "{answer}");
    assert!(answer["error"]["message"].as_str().unwrap().contains("another request has this id"), "{answer}");
    // A string is another id, and an answer frees one.
    for id in [json!("1"), json!(2), json!(2)] {
        mcp.line(json!({"jsonrpc": "2.0", "id": id, "method": "ping"}).to_string());
        assert_eq!(mcp.answer()["id"], id);
    }
    // A cancelled request is not answered; who asks again under its id must not be told how it ended.
    let params = json!({"requestId": 1});
    mcp.line(json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}).to_string());
    mcp.call(1, "divide", json!({"dividend": 8, "divisor": 2}));
    let answer = mcp.answer();
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(1), &json!(-32600)), "{answer}");
    mcp.call(3, "divide", json!({"dividend": 8, "divisor": 2}));
    let answer = mcp.answer();
    assert_eq!((&answer["id"], &answer["result"]["structuredContent"]["returned"]), (&json!(3), &json!(4)), "{answer}");
    assert!(mcp.end());
}

#[test]
fn a_client_that_goes_away_stops_its_calls() {
    let world = world();
    let mut mcp = Mcp::greeted(&world, &[]);
    mcp.call(1, "spin", json!({}));
    mcp.call(2, "sleep", json!({}));
    std::thread::sleep(Duration::from_millis(200));
    let begun = Instant::now();
    assert!(mcp.end());
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn progress_is_told_to_whoever_asked() {
    let world = world();
    let mut mcp = Mcp::greeted(&world, &[]);
    let call = json!({"name": "flood_progress", "arguments": {"n": 1000}, "_meta": {"progressToken": "p"}});
    mcp.request(1, "tools/call", call);
    let mut reports = 0;
    loop {
        let message = mcp.answer();
        if message["method"] == "notifications/progress" {
            assert_eq!(message["params"]["progressToken"], "p");
            reports += 1;
        } else {
            assert_eq!(message["id"], 1);
            break;
        }
    }
    assert!((1..=1000).contains(&reports), "{reports}");
    assert!(mcp.end());
}

/// What every request of the era without `initialize` carries.
fn inline(mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    params
}

#[test]
fn the_era_without_initialize_is_spoken() {
    let world = world();
    let mut mcp = Mcp::start(&world, &[]);
    mcp.request(1, "server/discover", inline(json!({})));
    let answer = mcp.answer();
    assert!(answer["result"]["capabilities"]["tools"].is_object(), "{answer}");
    mcp.request(2, "tools/call", inline(json!({"name": "calculator", "arguments": {"expression": "6*7"}})));
    let answer = mcp.answer();
    assert!(answer["result"]["content"][0]["text"].as_str().unwrap().contains("42"), "{answer}");
    assert_eq!(answer["result"]["resultType"], "complete");
    assert!(mcp.end());
}

#[test]
fn tools_come_and_go_while_a_client_listens() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new(&format!("[paths]\ntools = [{:?}, {:?}]\n", root().join("guest-tools"), folder.path()));
    let add = |fixture: &str, name: &str| {
        // In one go, as a build does it: a host must not see half of it.
        let draft = folder.path().join("draft");
        fs::copy(root().join(format!("guest-tools/dist/fixtures/{fixture}.wasm")), &draft).unwrap();
        fs::rename(draft, folder.path().join(name)).unwrap();
    };
    let names = |mcp: &mut Mcp| {
        mcp.request(7, "tools/list", inline(json!({})));
        let answer = mcp.answer();
        let listed = answer["result"]["tools"].as_array().unwrap_or_else(|| panic!("{answer}"));
        listed.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let changed = |mcp: &mut Mcp| assert_eq!(mcp.answer()["method"], "notifications/tools/list_changed");
    let mut greeted = Mcp::greeted(&world, &[]);
    let mut inlined = Mcp::start(&world, &[]);
    inlined.request(1, "subscriptions/listen", inline(json!({"notifications": {"toolsListChanged": true}})));
    assert_eq!(inlined.answer()["method"], "notifications/subscriptions/acknowledged");

    assert_eq!(names(&mut greeted).len(), 8);
    add("program", "upper case.wasm");
    changed(&mut greeted);
    changed(&mut inlined);
    assert!(names(&mut greeted).contains(&"upper_case".to_owned()));
    greeted.call(2, "upper_case", json!({"stdin": "abc"}));
    assert_eq!(greeted.answer()["result"]["content"][0]["text"], "ABC");

    // Another component under the same name is another tool.
    add("typed", "upper case.wasm");
    changed(&mut greeted);
    assert!(names(&mut greeted).contains(&"upper_case_shout".to_owned()));
    // What does not load is left out, and takes nothing away.
    fs::write(folder.path().join("broken.wasm"), "not wasm").unwrap();
    changed(&mut greeted);
    let all = names(&mut greeted);
    assert!(all.contains(&"upper_case_shout".to_owned()) && !all.contains(&"broken".to_owned()), "{all:?}");
    fs::remove_file(folder.path().join("upper case.wasm")).unwrap();
    changed(&mut greeted);
    assert_eq!(names(&mut greeted).len(), 8);
    assert!(greeted.end() && inlined.end());
}

#[test]
fn http_speaks_both_eras_and_refuses_foreign_pages() {
    let world = world();
    let server = world.serve();
    let headers = [("content-type", "application/json"), ("accept", "application/json, text/event-stream")];
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"},
    }});
    let send = |extra: &[(&str, &str)], body: &Value| {
        server.client.send("POST", "/mcp", &[&headers[..], extra].concat(), body.to_string().as_bytes())
    };
    let answer = send(&[], &hello);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let session = answer.header("mcp-session-id").unwrap().to_owned();
    assert!(answer.text().contains("tomas-host"));
    let session = [("mcp-session-id", session.as_str())];
    send(&session, &json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    let call = |id: u64, params: Value| json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params});
    let arguments = json!({"name": "calculator", "arguments": {"expression": "6*7"}});
    let answer = send(&session, &call(2, arguments.clone()));
    assert!(answer.text().contains("\"42\""), "{}", answer.text());

    // Without `initialize`: the request says everything, in its head and in `_meta`.
    let era = [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/call"), ("mcp-name", "calculator")];
    let answer = send(&era, &call(3, inline(arguments.clone())));
    assert!(answer.text().contains("\"42\""), "{}", answer.text());

    assert_eq!(send(&[("mcp-session-id", "00000000-0000-4000-8000-000000000000")], &call(4, arguments)).status, 404);
    assert_eq!(send(&[("origin", "https://evil.example")], &hello).status, 403);
    let foreign = format!(
        "POST /mcp HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\ncontent-length: {}\r\n\r\n{hello}",
        hello.to_string().len()
    );
    assert_eq!(server.client.raw(foreign.as_bytes()).status, 403);
    server.settles();
}
