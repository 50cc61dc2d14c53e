//! Chat completions, as OpenAI's clients read them.

use crate::support::host::World;
use serde_json::{Value, json};

fn asked(extra: &Value) -> Value {
    let mut body =
        json!({"model": "tomas", "messages": [{"role": "user", "content": "arithmetic: 12 * 7"}], "temperature": 0});
    body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    body
}

#[test]
fn whole_answers_have_openais_shape_and_sessions_go_on() {
    let world = World::new("");
    let server = world.serve();
    let answer = server.client.json("POST", "/v1/chat/completions", &asked(&json!({})));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = answer.value();
    assert_eq!(answer["object"], "chat.completion");
    assert_eq!(answer["choices"][0]["message"]["role"], "assistant");
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    let usage = &answer["usage"];
    let total = usage["prompt_tokens"].as_u64().unwrap() + usage["completion_tokens"].as_u64().unwrap();
    assert_eq!((usage["total_tokens"].as_u64(), &usage["estimated"]), (Some(total), &json!(true)));
    let session = answer["session_id"].as_str().unwrap();
    let again = server.client.json("POST", "/v1/chat/completions", &asked(&json!({"session_id": session}))).value();
    assert_eq!(again["session_id"], session);
    assert_eq!(server.client.get(&format!("/v1/sessions/{session}")).value()["requests"], 2);
}

#[test]
fn streamed_answers_add_up_to_the_whole_one() {
    let world = World::new("");
    let server = world.serve();
    let whole = server.client.json("POST", "/v1/chat/completions", &asked(&json!({}))).value();
    let body = asked(&json!({"stream": true, "stream_options": {"include_usage": true}}));
    let events = server.client.json("POST", "/v1/chat/completions", &body).events();
    let (last, chunks) = events.split_last().unwrap();
    assert_eq!(last.1, "[DONE]");
    let chunks: Vec<Value> = chunks.iter().map(|(_, data)| serde_json::from_str(data).unwrap()).collect();
    assert!(chunks.iter().all(|c| c["object"] == "chat.completion.chunk" && c["id"] == chunks[0]["id"]));
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
    let content: String = chunks.iter().filter_map(|c| c["choices"][0]["delta"]["content"].as_str()).collect();
    assert_eq!(json!(content), whole["choices"][0]["message"]["content"]);
    assert_eq!(chunks[chunks.len() - 2]["choices"][0]["finish_reason"], "stop");
    assert!(chunks[chunks.len() - 1]["usage"]["total_tokens"].is_u64());
}

#[test]
fn models_tools_and_metrics_are_listed() {
    let world = World::new("");
    let server = world.serve();
    assert_eq!(server.client.get("/v1/models").value()["data"][0]["id"], "tomas");
    assert!(server.client.get("/v1/tools").value()["tools"].as_array().unwrap().len() >= 8);
    server.client.json("POST", "/v1/chat/completions", &asked(&json!({})));
    let metrics = server.client.get("/metrics").text();
    for line in ["tomas_requests_total{result=", "tomas_steps_total{tool=", "tomas_ledger_capacity{resource=\"cpu\"}"] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
}
