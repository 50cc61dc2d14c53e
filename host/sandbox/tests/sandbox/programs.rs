//! Components that export `wasi:cli/run`: ordinary programs, written for no host in particular.

use crate::support::{SANDBOX, expect, fixture, quota, run};
use serde_json::{Value, json};
use std::sync::{Arc, LazyLock};
use tomas_core::{amount::Bytes, observation::Outcome, quota::Quota};
use tomas_sandbox::{Call, LoadedComponent};

pub(crate) static PROGRAM: LazyLock<Arc<LoadedComponent>> =
    LazyLock::new(|| SANDBOX.load(&fixture("program")).unwrap());

fn program(arguments: &[&str], stdin: &str) -> Call {
    let given = json!({ "arguments": arguments, "stdin": stdin });
    Call::new(Arc::clone(&PROGRAM), "run".parse().unwrap(), given.to_string())
}

#[test]
fn a_program_gets_arguments_and_standard_input() {
    let names: Vec<_> = PROGRAM.exports().iter().map(|export| export.name.to_string()).collect();
    assert_eq!(names, ["run"]);
    let result = expect(Outcome::Ok, quota(), program(&["say", "a", "b c"], "")).result.unwrap();
    assert_eq!(result, json!({"text": "a b c", "value": "a b c"}));
    assert_eq!(expect(Outcome::Ok, quota(), program(&[], "shout\n")).text(), "SHOUT");
    // Nothing of this machine's environment is there.
    assert_eq!(expect(Outcome::Ok, quota(), program(&["environment"], "")).text(), "");
    assert_eq!(expect(Outcome::Ok, quota(), program(&["exit"], "")).text(), "");
}

#[test]
fn output_that_is_no_text_is_a_blob() {
    let finished = run(quota(), program(&["bytes"], ""));
    assert_eq!(finished.observation.result.unwrap()["blob"], "blob:stdout.bin");
    assert_eq!(finished.written, [("stdout.bin".to_owned(), vec![0xff, 0, 0xfe])]);
}

#[test]
fn a_program_that_fails_says_so() {
    let error = expect(Outcome::ToolError, quota(), program(&["fail", "no", "luck"], "")).error.unwrap();
    assert_eq!(error, "the program ended with exit code 1: no luck");
    let error = expect(Outcome::PermissionDenied, quota(), program(&["read", "/etc/passwd"], "")).error.unwrap();
    assert!(error.contains("exit code 1") && error.contains("files = \"read\""), "{error}");
}

#[test]
fn a_command_line_is_checked() {
    for (arguments, says) in [
        (json!({"arguments": "say"}), "allowed is an object such as"),
        (json!({"argument": []}), "unknown field `argument`"),
        (json!({"arguments": ["a\0b"]}), "zero byte"),
        (json!([["say"]]), "allowed is an object such as"),
        (Value::Null, "allowed is an object such as"),
    ] {
        let call = Call::new(Arc::clone(&PROGRAM), "run".parse().unwrap(), arguments.to_string());
        let error = expect(Outcome::InvalidArguments, quota(), call).error.unwrap();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn a_flood_on_standard_output_ends_the_call() {
    let small = Quota { output: Bytes(100_000), ..quota() };
    expect(Outcome::OutputExceeded, small, program(&["flood"], ""));
    let memory = Quota { memory: Bytes::mib(4), output: Bytes::mib(64), ..quota() };
    expect(Outcome::MemoryExceeded, memory, program(&["flood"], ""));
}
