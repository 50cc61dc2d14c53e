//! Components that export plain typed functions and know nothing of this host.

use crate::support::{SANDBOX, expect, fixture, quota, run};
use serde_json::{Value, json};
use std::sync::{Arc, LazyLock};
use tomas_core::{
    amount::Bytes,
    observation::{Observation, Outcome},
    quota::Quota,
};
use tomas_sandbox::{Call, LoadedComponent};

static TYPED: LazyLock<Arc<LoadedComponent>> = LazyLock::new(|| SANDBOX.load(&fixture("typed")).unwrap());

fn typed(tool: &str, arguments: Value) -> Call {
    Call::new(Arc::clone(&TYPED), tool.parse().unwrap(), arguments.to_string())
}

#[track_caller]
fn returned(tool: &str, arguments: Value) -> Value {
    returned_of(&expect(Outcome::Ok, quota(), typed(tool, arguments)))
}

fn returned_of(observation: &Observation) -> Value {
    observation.result.as_ref().and_then(|result| result.get("returned")).cloned().unwrap()
}

#[test]
fn every_function_is_a_tool_with_a_schema() {
    let names: Vec<_> = TYPED.exports().iter().map(|export| export.name.to_string()).collect();
    // `reverse` is in two interfaces, so both carry theirs; `init` is the toolchain's; `copy` returns a handle.
    let expected = [
        "counter_absorb",
        "counter_add",
        "divide",
        "echo",
        "halve",
        "nothing",
        "other_reverse",
        "shapes_reverse",
        "shout",
        "xor",
    ];
    assert_eq!(names, expected);
    let export = |name: &str| TYPED.exports().iter().find(|export| export.name.as_str() == name).unwrap();
    assert_eq!(
        export("divide").parameters,
        json!({
            "type": "object",
            "properties": {
                "dividend": {"anyOf": [
                    {"type": "integer", "minimum": -9007199254740991_i64, "maximum": 9007199254740991_i64},
                    {"type": "string", "pattern": "^-?[0-9]{1,19}$"},
                ]},
                "divisor": {"anyOf": [
                    {"type": "integer", "minimum": -9007199254740991_i64, "maximum": 9007199254740991_i64},
                    {"type": "string", "pattern": "^-?[0-9]{1,19}$"},
                ]},
            },
            "required": ["dividend", "divisor"],
            "additionalProperties": false,
        })
    );
    assert_eq!(export("divide").description, "Calls `docs:typed/shapes@0.3.1.divide(dividend, divisor)`.");
    let counter = export("counter_add").parameters["properties"]["self"].clone();
    assert_eq!(counter["required"], json!(["start"]));
    assert_eq!(export("echo").result["properties"]["returned"]["properties"]["colour"]["enum"][2], "light-blue");
}

#[test]
fn values_of_every_type_go_in_and_come_out() {
    let all = json!({
        "where": {"x": -5, "y": 0.25, "label": null},
        "shape": {"rectangle": [1.5, "Infinity"]},
        "colour": "light-blue",
        "access": ["read", "execute"],
        "numbers": [0, 9007199254740991_u64, "18446744073709551615"],
        "nested": {"some": null},
        "outcome": {"err": "no"},
        "pair": ["é", 0.1],
    });
    assert_eq!(returned("echo", json!({ "all": all })), all);
    let left_out = json!({"all": {
        "where": {"x": 1, "y": 2}, "shape": "empty", "colour": "red", "access": [], "numbers": [],
        "outcome": {"ok": 7}, "pair": ["a", "NaN"],
    }});
    let returned = returned("echo", left_out);
    assert_eq!((&returned["nested"], &returned["where"]["label"]), (&Value::Null, &Value::Null));
    assert_eq!((&returned["shape"], &returned["pair"][1]), (&json!("empty"), &json!("NaN")));
}

#[test]
fn what_does_not_fit_the_types_says_where() {
    for (tool, arguments, says) in [
        ("divide", json!({"dividend": 1}), "`divisor` is missing"),
        (
            "divide",
            json!({"dividend": 1, "divisor": 2, "c": 3}),
            "`c` is given; allowed is one of `dividend`, `divisor`",
        ),
        ("divide", json!({"dividend": 1.5, "divisor": 2}), "`dividend` is `1.5`; allowed is an integer from"),
        ("xor", json!({"key": 256, "data": ""}), "`key` is `256`; allowed is an integer from 0 to 255"),
        ("shapes_reverse", json!({"data": "not base64!"}), "allowed is base64, or `blob:NAME`"),
        ("shapes_reverse", json!({"data": "blob:missing"}), "allowed is the name of an attachment"),
        ("counter_add", json!({"self": {"begin": 1}, "by": 1}), "`self.begin` is given; allowed is one of `start`"),
        ("counter_add", json!({"self": 4, "by": 1}), "`self` is `4`; allowed is an object"),
    ] {
        let error = expect(Outcome::InvalidArguments, quota(), typed(tool, arguments)).error.unwrap();
        assert!(error.contains(says), "{tool}: {error}");
    }
    let garbage = Call::new(Arc::clone(&TYPED), "divide".parse().unwrap(), "[1]".to_owned());
    assert!(expect(Outcome::InvalidArguments, quota(), garbage).error.unwrap().contains("not a JSON object"));
    let unknown = expect(Outcome::ToolError, quota(), typed("nope", json!({}))).error.unwrap();
    assert!(unknown.contains("there is no tool `nope`; there are `counter_absorb`"), "{unknown}");
}

#[test]
fn errors_of_a_result_are_errors_of_the_tool() {
    assert_eq!(
        returned("divide", json!({"dividend": "9223372036854775807", "divisor": -1})),
        json!("-9223372036854775807")
    );
    let error = expect(Outcome::ToolError, quota(), typed("divide", json!({"dividend": 1, "divisor": 0}))).error;
    assert_eq!(error.as_deref(), Some("1 cannot be divided by 0"));
    let error = expect(Outcome::ToolError, quota(), typed("halve", json!({"data": "AAAA"}))).error;
    assert_eq!(error.as_deref(), Some("3 bytes cannot be halved"));
    assert_eq!(expect(Outcome::Ok, quota(), typed("nothing", json!({}))).text(), "done");
    assert_eq!(returned("other_reverse", json!({"text": "añb"})), "bña");
    assert_eq!(returned("shout", json!({"text": "hi"})), "HI");
}

#[test]
fn handles_are_made_by_their_constructors() {
    assert_eq!(returned("counter_add", json!({"self": {"start": 40}, "by": 2})), 42);
    assert_eq!(returned("counter_absorb", json!({"other": {"start": 6}, "factor": 7})), 42);
    assert_eq!(returned("counter_absorb", json!({"other": {"start": 6}})), 6);
}

#[test]
fn bytes_come_from_blobs_and_leave_as_blobs_when_they_are_many() {
    let data: Arc<[u8]> = (0..1_000_000u32).map(|i| (i % 251) as u8).collect();
    for (tool, arguments) in
        [("shapes_reverse", json!({"data": "blob:in.bin"})), ("xor", json!({"key": 255, "data": "blob:in.bin"}))]
    {
        let mut call = typed(tool, arguments);
        call.blobs.insert("in.bin".to_owned(), Arc::clone(&data));
        let plenty = Quota { memory: Bytes::mib(256), output: Bytes::mib(4), ..quota() };
        let finished = run(plenty, call);
        assert_eq!(finished.observation.outcome, Outcome::Ok, "{:?}", finished.observation.error);
        assert_eq!(returned_of(&finished.observation), "blob:result.bin");
        let [(name, bytes)] = finished.written.as_slice() else { panic!("{} blobs", finished.written.len()) };
        assert_eq!((name.as_str(), bytes.len()), ("result.bin", data.len()));
        assert_eq!(bytes.first().copied(), if tool == "xor" { Some(!data[0]) } else { data.last().copied() });
    }
    assert_eq!(returned("shapes_reverse", json!({"data": "AAEC"})), "AgEA");
    assert_eq!(returned("xor", json!({"key": 1, "data": "AAEC"})), "AQAD");
}

#[test]
fn values_count_against_the_memory_quota() {
    let numbers: Vec<u32> = (0..100_000).collect();
    let mut all = json!({
        "where": {"x": 1, "y": 2}, "shape": "empty", "colour": "red", "access": [], "numbers": numbers,
        "outcome": {"ok": 7}, "pair": ["a", 1],
    });
    let little = Quota { memory: Bytes::mib(3), ..quota() };
    expect(Outcome::MemoryExceeded, little, typed("echo", json!({ "all": all.clone() })));
    all["numbers"] = json!([1]);
    expect(Outcome::Ok, little, typed("echo", json!({ "all": all })));
    // Each byte is a value of its own where the list does not stand alone.
    let mut call = typed("xor", json!({"key": 1, "data": "blob:in.bin"}));
    call.blobs.insert("in.bin".to_owned(), vec![7; 1 << 20].into());
    expect(Outcome::MemoryExceeded, Quota { memory: Bytes::mib(24), ..quota() }, call);
}

#[test]
fn documentation_in_the_component_describes_its_tools() {
    let json = br#"{"interfaces":{"shapes":{"funcs":{"divide":"Divides whole numbers."}}},"worlds":{"typed":{"func_exports":{"shout":"Shouts."}}}}"#;
    let content: Vec<u8> = [&[12], &b"package-docs"[..], &[0], &json[..]].concat();
    let length = [(content.len() & 0x7f) as u8 | 0x80, (content.len() >> 7) as u8];
    let bytes = [&fixture("typed")[..], &[0], &length[..], &content[..]].concat();
    let component = SANDBOX.load(&bytes).unwrap();
    let said = |name: &str| component.exports().iter().find(|e| e.name.as_str() == name).unwrap().description.clone();
    assert_eq!((said("divide").as_str(), said("shout").as_str()), ("Divides whole numbers.", "Shouts."));
    assert_eq!(said("nothing"), "Calls `docs:typed/shapes@0.3.1.nothing()`.");
}
