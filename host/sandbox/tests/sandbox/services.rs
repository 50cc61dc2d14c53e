//! Components that export `wasi:http/incoming-handler`: services, written for no host in particular.

use crate::support::{SANDBOX, expect, fixture, quota, run};
use serde_json::{Value, json};
use std::sync::{Arc, LazyLock};
use tomas_core::{amount::Bytes, observation::Outcome, quota::Quota};
use tomas_sandbox::{Call, LoadedComponent};

static SERVICE: LazyLock<Arc<LoadedComponent>> = LazyLock::new(|| SANDBOX.load(&fixture("service")).unwrap());

fn service(request: &Value) -> Call {
    Call::new(Arc::clone(&SERVICE), "handle".parse().unwrap(), request.to_string())
}

fn path(path: &str) -> Call {
    service(&json!({ "path": path }))
}

#[test]
fn a_service_is_sent_a_request_and_its_answer_is_the_result() {
    let names: Vec<_> = SERVICE.exports().iter().map(|export| export.name.to_string()).collect();
    assert_eq!(names, ["handle"]);
    let result = expect(Outcome::Ok, quota(), service(&json!({}))).result.unwrap();
    assert_eq!(result, json!({"text": "hello", "value": "hello", "status": 200, "headers": {}}));
    let asked = json!({"method": "PUT", "path": "/asked?a=b&c", "headers": {"X-Name": "value", "accept": "*/*"}});
    let result = expect(Outcome::Ok, quota(), service(&asked)).result.unwrap();
    assert_eq!((&result["status"], &result["headers"]), (&json!(201), &json!({"x-one": "1, 2"})));
    assert_eq!(result["text"], "Method::Put\nSome(Scheme::Http) localhost\na=b&c\nx-name: value\naccept: */*");
    assert_eq!(expect(Outcome::Ok, quota(), path("/empty")).result.unwrap()["status"], 204);
}

#[test]
fn bodies_go_both_ways_at_once_and_may_be_blobs() {
    let long = "0123456789".repeat(30_000);
    let echoed = expect(Outcome::Ok, quota(), service(&json!({"path": "/echo", "body": long})));
    assert_eq!(echoed.text(), long);
    let mut call = service(&json!({"path": "/echo", "body": "blob:a"}));
    call.blobs.insert("a".to_owned(), Arc::from(&b"attached"[..]));
    let echoed = expect(Outcome::Ok, quota(), call);
    assert_eq!(echoed.text(), "attached");
    assert!(echoed.usage.input_bytes > 8, "{:?}", echoed.usage);

    let finished = run(quota(), path("/bytes"));
    let result = finished.observation.result.unwrap();
    assert_eq!(result["blob"], "blob:body.bin");
    assert_eq!(result["text"], "3 bytes that are not text, in `blob:body.bin`");
    assert_eq!(finished.written, [("body.bin".to_owned(), vec![0xff, 0, 1])]);
}

#[test]
fn an_answer_that_is_none_is_an_error_of_the_tool() {
    for (of, says) in [
        ("/missing", "the service answered 404 Not Found: no such page"),
        ("/broken", "the service answered 503 Service Unavailable: out of order"),
        ("/failed", "the service failed: "),
        ("/silent", "the service did not answer"),
        ("/torn", "the service broke off its answer"),
        ("/unfinished", "the service left its answer unfinished"),
    ] {
        let error = expect(Outcome::ToolError, quota(), path(of)).error.unwrap();
        assert!(error.contains(says), "{of}: {error}");
    }
    let error = expect(Outcome::Trapped, quota(), path("/trap")).error.unwrap();
    assert!(error.contains("as planned"), "{error}");
}

#[test]
fn a_request_is_checked() {
    for (request, says) in [
        (json!({"path": "a"}), "`path` is `a`; allowed is what begins with `/`"),
        (json!({"path": "http://elsewhere.test/"}), "allowed is what begins with `/`"),
        (json!({"path": "/a b"}), "`path` is refused"),
        (json!({"path": format!("/{}", "a".repeat(100_000))}), "`path` is refused"),
        (json!({"method": "G T"}), "`method` is `G T`"),
        (json!({"headers": {"a b": "c"}}), "`headers` has `a b`"),
        (json!({"headers": {"a": "b\r\nc: d"}}), "`headers` has `a`"),
        (json!({"body": "blob:none"}), "an attachment `none`, which there is not"),
        (json!({"body": 7}), "allowed is an object such as"),
        (json!({"url": "/"}), "unknown field `url`"),
        (json!([]), "allowed is an object such as"),
    ] {
        let error = expect(Outcome::InvalidArguments, quota(), service(&request)).error.unwrap();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn what_a_service_answers_is_bounded() {
    let small = Quota { output: Bytes(100_000), ..quota() };
    expect(Outcome::OutputExceeded, small, path("/flood"));
    let memory = Quota { memory: Bytes::mib(4), output: Bytes::mib(64), ..quota() };
    expect(Outcome::MemoryExceeded, memory, path("/flood"));
}
