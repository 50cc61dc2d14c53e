use super::*;
use tomas_tool_sdk::testing::{call, faults, put};

const TEXT: &str = "The city council met on Monday to discuss the new library. \
    The library will replace the old building, which has a leaking roof. \
    Dr. Ray, who leads the council, said that the library will cost 4.5 million euros. \
    It rained all afternoon. \
    The council expects the new library to open in 2028, if the money for the building is found. \
    A dog barked outside.";

#[test]
fn the_description_is_sound() {
    assert_eq!(faults::<TextSummary>(), Vec::<String>::new());
}

#[test]
fn central_sentences_are_chosen_in_order() {
    let result = call::<TextSummary>(json!({ "text": TEXT, "sentences": 3 })).expect("a summary");
    assert_eq!(result["of"], 6);
    let chosen = result["sentences"].as_array().expect("sentences");
    assert_eq!(chosen.len(), 3);
    assert!(chosen.iter().all(|sentence| sentence.as_str().is_some_and(|s| s.contains("library"))), "{chosen:?}");
    assert!(result["text"].as_str().is_some_and(|text| text.starts_with("The city council met")));
}

#[test]
fn a_blob_is_read() {
    put("notes.txt", TEXT.as_bytes());
    let result = call::<TextSummary>(json!({ "text": "blob:notes.txt", "sentences": 1 })).expect("a summary");
    assert_eq!(result["text"], result["value"]);
    let missing = call::<TextSummary>(json!({ "text": "blob:other.txt" }));
    assert_eq!(missing, Err(ToolError::NotFound("no blob `other.txt`".to_owned())));
}

#[test]
fn short_texts_come_back_whole() {
    let result = call::<TextSummary>(json!({ "text": "Only one sentence here." })).expect("a summary");
    assert_eq!(result["text"], "Only one sentence here.");
}

#[test]
fn impossible_arguments_are_refused() {
    for arguments in [
        json!({ "text": "" }),
        json!({ "text": "…" }),
        json!({ "text": TEXT, "sentences": 0 }),
        json!({ "text": TEXT, "sentences": 51 }),
        json!({ "text": TEXT, "sentences": "3" }),
        json!({ "text": TEXT, "length": 3 }),
        json!({}),
    ] {
        assert!(matches!(call::<TextSummary>(arguments.clone()), Err(ToolError::InvalidArguments(_))), "{arguments}");
    }
}

/// Half of a measurement: `tests/examples/native.rs` runs it, and the same call as a component.
#[test]
#[ignore = "a measurement"]
#[allow(clippy::print_stdout, reason = "a measurement is for reading")]
fn speed() {
    let arguments: Value = serde_json::from_str(&std::env::var("ARGUMENTS").unwrap()).unwrap();
    if let Ok(path) = std::env::var("BLOB") {
        tomas_tool_sdk::testing::put("blob", &std::fs::read(path).unwrap());
    }
    println!("milliseconds {}", tomas_tool_sdk::testing::speed::<TextSummary>(&arguments, 15).unwrap());
}
