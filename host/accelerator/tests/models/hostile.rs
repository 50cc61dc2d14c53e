//! What is refused: inputs of every wrong kind, names, folders, and work that nobody wants any more.

use crate::allowance::{Counted, TINY, compute, ids, text};
use std::fs;
use tomas_accelerator::Models;
use tomas_core::graph::{Element, GraphError, Graphs as _, Interrupted, Named, Tensor};

#[track_caller]
fn refused(inputs: Vec<Named>, part: &str) {
    match compute(inputs) {
        Err(GraphError::Invalid(why) | GraphError::TooLarge(why)) => {
            assert!(why.contains(part) && why.len() < 400, "{why}");
        }
        other => panic!("{part}: {other:?}"),
    }
}

fn tensor(name: &str, dimensions: &[u32], element: Element, data: &[u8]) -> Named {
    (name.to_owned(), Tensor { dimensions: dimensions.into(), element, data: data.into() })
}

#[test]
fn inputs_of_every_wrong_kind_are_refused_in_words() {
    refused(Vec::new(), "the inputs are none");
    refused(vec![tensor("texts", &[1], Element::U8, b"x")], "the inputs are `texts`");
    refused(vec![tensor(&"\u{1b}[31m".repeat(9999), &[1], Element::U8, b"x")], "\\u{1b}");
    refused([text("a"), text("b")].concat(), "the inputs are `text`, `text`");
    refused([vec![ids("input_ids", &[&[2, 3]])], text("b")].concat(), "`input_ids`, `text`");
    refused(vec![ids("attention_mask", &[&[1]])], "wanted is");
    refused(vec![ids("input_ids", &[&[2]]), ids("input_ids", &[&[2]]), ids("x", &[&[2]])], "wanted is");
    refused(vec![tensor("text", &[1], Element::F32, &f32::NAN.to_le_bytes())], "tensor of `f32`");
    refused(vec![tensor("text", &[2], Element::U8, &[0xff, 0xfe])], "not UTF-8");
    let nan = tensor("input_ids", &[1, 1], Element::F32, &f32::NAN.to_le_bytes());
    refused(vec![nan], "tensor of `f32`");
    refused(vec![tensor("input_ids", &[4], Element::U8, b"1234")], "two are wanted");
    refused(vec![tensor("input_ids", &[1, 4], Element::U8, b"1234")], "`i64` or `i32`");
    refused(vec![tensor("input_ids", &[], Element::I64, &[0; 8])], "two are wanted");
    refused(vec![ids("input_ids", &[&[2, -1]])], "holds `-1`");
    refused(vec![ids("input_ids", &[&[2, i64::MAX]])], "holds `9223372036854775807`");
    refused(vec![ids("input_ids", &[&[2, 100_000]])], "no row `100000`");
    refused(vec![ids("input_ids", &[&[2; 513]])], "`513` pieces");
    refused(vec![ids("input_ids", &[&[2, 3]]), ids("attention_mask", &[&[1]])], "those of `input_ids`");
    refused(vec![ids("input_ids", &[&[2, 3]]), ids("attention_mask", &[&[0, 1]])], "padding on the right");
    refused(vec![ids("input_ids", &[&[2, 3]]), ids("attention_mask", &[&[1, 2]])], "holds `2`");
    refused(vec![ids("input_ids", &[&[2, 3]]), ids("token_type_ids", &[&[0, 7]])], "holds `7`");
}

#[test]
fn empty_batches_are_no_harm() {
    for dimensions in [[0, 0], [u32::MAX, 0], [0, 5]] {
        let outputs = compute(vec![tensor("input_ids", &dimensions, Element::I64, &[])]).unwrap();
        assert_eq!(outputs[0].1.dimensions, [dimensions[0], dimensions[1], 32]);
    }
}

#[test]
fn names_are_exact_and_a_broken_folder_is_told_once_and_for_all() {
    let folder = tempfile::tempdir().unwrap();
    let models = Models::new([("a".to_owned(), folder.path().to_owned())]);
    for name in ["", "A", "../a", "a/../a", "a\0", &"a".repeat(1 << 20), &folder.path().to_string_lossy()] {
        let error = models.load(name).err().unwrap();
        let GraphError::NotFound(why) = error else { panic!("{error:?}") };
        assert!(why.contains("it has `a`") && why.contains("[models]") && why.len() < 400, "{why}");
    }
    let broken = || models.load("a").err().unwrap().to_string();
    assert!(broken().contains("config.json"), "{}", broken());
    crate::tiny::model(folder.path());
    assert!(broken().contains("config.json"), "it is not tried again: tools could ask without end");
    fs::write(folder.path().join("model.safetensors"), b"\xff\xff\xff\xff\xff\xff\xff\x7f{}").unwrap();
    let models = Models::new([("a".to_owned(), folder.path().to_owned())]);
    assert!(matches!(models.load("a"), Err(GraphError::Failed(_))));
}

#[test]
fn work_ends_at_the_check_that_says_so() {
    let inputs = || vec![ids("input_ids", &[&[2; 200], &[2; 200]])];
    let all = Counted::plenty();
    TINY.compute(inputs(), &all).unwrap();
    assert!(all.checks.get() > 20, "{}", all.checks.get());
    for last in [1, 2, 10, all.checks.get()] {
        let allowance = Counted::of(1 << 30, last);
        assert_eq!(TINY.compute(inputs(), &allowance), Err(GraphError::Interrupted(Interrupted)));
        assert_eq!((allowance.checks.get(), allowance.held.get()), (last, 0));
    }
}

#[test]
fn what_does_not_fit_is_not_begun() {
    let one = ids("input_ids", &[&[2; 100]]);
    for (inputs, memory) in [(vec![one], 50_000), (text("hello"), 20_000), (text("hello"), 1000)] {
        let allowance = Counted::of(memory, u32::MAX);
        assert_eq!(TINY.compute(inputs, &allowance), Err(GraphError::Interrupted(Interrupted)));
        assert!(allowance.checks.get() <= 1);
    }
}
