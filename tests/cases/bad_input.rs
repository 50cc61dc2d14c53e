//! Bad input on every route: a clear error each time, and the server goes on serving.

use crate::support::host::{Server, World};
use serde_json::json;

const ABSENT: &str = "/v1/sessions/00000000-0000-4000-8000-000000000000";

/// Sends a body that must be refused, and checks that the error says something of use.
fn refused(server: &Server, path: &str, body: &[u8], status: u16, says: &str) {
    let answer = server.client.post(path, body);
    let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
    assert_eq!(answer.status, status, "{path} {shown}: {}", answer.text());
    let error = &answer.value()["error"];
    let message = error["message"].as_str().unwrap();
    assert!(message.contains(says), "{path} {shown}: {message}");
    assert_eq!(error["request_id"].as_str(), answer.header("x-request-id"), "{path} {shown}");
}

#[test]
fn every_route_refuses_what_it_cannot_use() {
    let world = World::new("[server]\nmax_body = \"2MiB\"\n");
    let server = world.serve();
    let session = server.session(&json!({}));
    let messages = format!("{session}/messages");

    for path in ["/v1/sessions", &messages, "/v1/chat/completions"] {
        refused(&server, path, b"{", 400, "refused");
        refused(&server, path, b"[1, 2", 400, "refused");
        refused(&server, path, b"not json", 400, "refused");
        refused(&server, path, b"{} {}", 400, "refused");
        refused(&server, path, b"\xff\xfe{}", 400, "not UTF-8: byte 0");
        refused(&server, path, b"null", 400, "refused");
        refused(&server, path, b"[]", 400, "not a JSON object");
        refused(&server, path, "[".repeat(200_000).as_bytes(), 400, "not a JSON object");
        refused(&server, path, "{\"a\":".repeat(200_000).as_bytes(), 400, "refused");
        refused(&server, path, &vec![b' '; 3 << 20], 413, "`2097152` are allowed");
        let typeless = server.client.send("POST", path, &[("content-type", "text/plain")], b"{}");
        assert_eq!(typeless.status, 415, "{}", typeless.text());
    }

    for (body, says) in [
        (json!({"budget": 3}), "invalid type"),
        (json!({"budget": {"cpu": "lots"}}), "`lots` is not an amount of CPU"),
        (json!({"budget": {"cpu": "-1"}}), "`-1` is not an amount of CPU"),
        (json!({"budget": {"cpu": true}}), "amount"),
        (json!({"budget": {"memory": []}}), "amount"),
        (json!({"budget": {"cores": 1}}), "unknown field `cores`"),
        (json!({"folder": 1}), "invalid type"),
        (json!({"surprise": 1}), "unknown field `surprise`"),
        (json!({"budget": {"cpu": 0}}), "`0m` cpu lets nothing run"),
        (json!({"budget": {"memory": "0"}}), "memory lets nothing run"),
        (json!({"budget": {"cpu": "999999"}}), "above the"),
        (json!({"budget": {"memory": "8000TiB"}}), "above the"),
        (json!({"budget": {"gpu_sms": 40}}), "above the `0`"),
    ] {
        refused(&server, "/v1/sessions", body.to_string().as_bytes(), 400, says);
    }
    refused(&server, "/v1/sessions", json!({"folder": "/etc"}).to_string().as_bytes(), 403, "may not be granted");

    for (body, says) in [
        (json!({}), "missing field `content`"),
        (json!({"content": 3}), "invalid type"),
        (json!({"content": "x", "stream": "yes"}), "invalid type"),
        (json!({"content": "x", "budget": {"cpu": 1e300}}), "not an amount of CPU"),
        (json!({"content": "x", "budget": {"cpu": "900000"}}), "above the"),
        (json!({"content": "x", "extra": 1}), "unknown field `extra`"),
        (json!({"content": ""}), "empty"),
        (json!({"content": " \n\t"}), "empty"),
        (json!({"content": "x".repeat(1 << 20)}), "`1048576` bytes, `65536` are allowed"),
    ] {
        let says = says.replace('`', "");
        let answer = server.client.json("POST", &messages, &body);
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert!(answer.text().replace('`', "").contains(&says), "{says}: {}", answer.text());
    }

    for (body, status, says) in [
        (json!({}), 400, "missing field `model`"),
        (json!({"model": "tomas"}), 400, "missing field `messages`"),
        (json!({"model": "tomas", "messages": "hi"}), 400, "invalid type"),
        (json!({"model": "tomas", "messages": []}), 400, "no message of the role `user`"),
        (json!({"model": "tomas", "messages": [{"role": "user"}]}), 400, "no `content`"),
        (
            json!({"model": "tomas", "messages": [{"role": "user", "content": 7}]}),
            400,
            "a string or a list of text parts",
        ),
        (json!({"model": "gpt-9", "messages": [{"role": "user", "content": "x"}]}), 404, "`gpt-9` does not exist"),
        (json!({"model": "tomas", "n": 2, "messages": [{"role": "user", "content": "x"}]}), 400, "`n` is not 1"),
        (json!({"model": "tomas", "messages": [{"role": "user", "content": ""}]}), 400, "empty"),
    ] {
        refused(&server, "/v1/chat/completions", body.to_string().as_bytes(), status, says);
    }

    let attachments = format!("{session}/attachments");
    for query in ["", "?name=", "?name=..", "?name=a/b", "?name=.hidden", "?name=a%00b", "?nom=a", "?name=%ff"] {
        let answer = server.client.send("POST", &format!("{attachments}{query}"), &[], b"x");
        assert_eq!(answer.status, 400, "{query}: {}", answer.text());
    }
    let large = server.client.send("POST", &format!("{attachments}?name=a"), &[], &vec![0; 3 << 20]);
    assert_eq!(large.status, 413);
    for query in ["?after=-1", "?after=x", "?before=1"] {
        assert_eq!(server.client.get(&format!("{session}/events{query}")).status, 400, "{query}");
    }

    assert_eq!(server.client.get("/health").status, 200);
    server.settles();
}

#[test]
fn unknown_and_malformed_sessions_look_the_same() {
    let world = World::new("");
    let server = world.serve();
    let body = json!({"content": "1 + 1"}).to_string();
    let message = |answer: crate::support::client::Response| {
        assert_eq!(answer.status, 404, "{}", answer.text());
        answer.value()["error"]["message"].as_str().unwrap().to_owned()
    };
    let mut told = Vec::new();
    for session in [ABSENT, "/v1/sessions/x", "/v1/sessions/..%2f..", "/v1/sessions/%27%20OR%201=1"] {
        told.push(message(server.client.get(session)));
        told.push(message(server.client.get(&format!("{session}/events"))));
        told.push(message(server.client.get(&format!("{session}/blobs/a"))));
        told.push(message(server.client.post(&format!("{session}/messages"), &body)));
        told.push(message(server.client.send("POST", &format!("{session}/attachments?name=a"), &[], b"x")));
        told.push(message(server.client.send("DELETE", session, &[], b"")));
    }
    told.dedup();
    assert_eq!(told, ["the session does not exist"]);
    let chat = json!({"model": "tomas", "session_id": "x", "messages": [{"role": "user", "content": "x"}]});
    assert_eq!(server.client.json("POST", "/v1/chat/completions", &chat).status, 404);
}

#[test]
fn unknown_paths_methods_and_broken_http() {
    let world = World::new("[server]\nheader_timeout = \"300ms\"\n");
    let server = world.serve();
    assert_eq!(server.client.get("/v2/anything").status, 404);
    let wrong = server.client.send("PUT", "/v1/sessions", &[], b"{}");
    assert_eq!((wrong.status, wrong.header("allow")), (405, Some("POST")), "{}", wrong.text());
    for bytes in [&b"\x00\x01\x02\r\n\r\n"[..], b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\r\n\r\n\r\n\r\n"] {
        drop(server.client.open(bytes));
    }
    // A client that never finishes its head is cut off.
    let mut stalled = server.client.open(b"GET /health HTTP/1.1\r\nhost: x\r\n");
    let mut answer = Vec::new();
    let begun = std::time::Instant::now();
    let _ = std::io::Read::read_to_end(&mut stalled, &mut answer);
    assert!(begun.elapsed() < std::time::Duration::from_secs(20));
    assert_eq!(server.client.get("/health").status, 200);
}
