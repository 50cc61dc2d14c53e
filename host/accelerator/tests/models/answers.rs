//! What comes out.

use crate::{
    allowance::{compute, floats, ids, text},
    tiny::{HIDDEN, POSITIONS},
};
use tomas_core::graph::{Element, Tensor};

#[test]
fn a_text_becomes_a_vector_of_length_one() {
    let outputs = compute(text("What is this?")).unwrap();
    let [(name, embedding), (cut, truncated)] = outputs.as_slice() else { panic!("{outputs:?}") };
    assert_eq!((name.as_str(), cut.as_str()), ("embedding", "truncated"));
    assert_eq!(embedding.dimensions, [1, 32]);
    assert_eq!(*truncated.data, [0]);
    let values = floats(embedding);
    assert!((values.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-5);
    assert_eq!(outputs, compute(text("what IS  this?")).unwrap(), "the tokenizer folds case and spacing");
    assert_ne!(outputs, compute(text("who is this?")).unwrap());
    assert_eq!(compute(text("")).unwrap().len(), 2, "nothing but [CLS] and [SEP]");
}

#[test]
fn what_is_longer_than_the_model_reads_is_cut_and_said() {
    let long = "a ".repeat(POSITIONS);
    let outputs = compute(text(&long)).unwrap();
    assert_eq!(outputs[1].1.data[..], [1]);
    assert_eq!(outputs[0], compute(text(&"a ".repeat(POSITIONS - 2))).unwrap()[0]);
    assert_eq!(compute(text(&"x".repeat(1 << 20))).unwrap()[1].1.data[..], [1]);
}

/// [CLS], two letters, [SEP].
const ROW: [i64; 4] = [2, 70, 72, 3];

#[test]
fn ids_become_states_and_padding_does_not_matter() {
    let alone = compute(vec![ids("input_ids", &[&ROW])]).unwrap();
    assert_eq!((alone[0].0.as_str(), &alone[0].1.dimensions), ("last_hidden_state", &vec![1, 4, 32]));
    let batch = compute(vec![
        ids("attention_mask", &[&[1, 1, 1, 1, 0, 0], &[0; 6], &[1; 6]]),
        ids("input_ids", &[&[2, 70, 72, 3, 0, 0], &[0; 6], &[2, 70, 72, 71, 90, 3]]),
        ids("token_type_ids", &[&[0; 6], &[0; 6], &[0, 0, 0, 1, 1, 1]]),
    ]);
    let states = floats(&batch.unwrap()[0].1);
    assert_eq!(states.len(), 3 * 6 * HIDDEN);
    assert_eq!(states[..4 * HIDDEN], floats(&alone[0].1));
    assert!(states[4 * HIDDEN..12 * HIDDEN].iter().all(|x| *x == 0.0), "padding has no states");
    assert!(states[12 * HIDDEN..].iter().all(|x| *x != 0.0));

    let narrow = |id: &i64| i32::try_from(*id).unwrap().to_le_bytes();
    let data = ROW.iter().flat_map(narrow).collect();
    let narrow = Tensor { dimensions: vec![1, 4], element: Element::I32, data };
    assert_eq!(compute(vec![("input_ids".to_owned(), narrow)]).unwrap(), alone);
}

#[test]
fn an_embedding_is_the_mean_of_the_states() {
    // Four special pieces come first, then `!` and `##!`, then `"`.
    let embedding = floats(&compute(text("! \"")).unwrap()[0].1);
    let states = floats(&compute(vec![ids("input_ids", &[&[2, 4, 6, 3]])]).unwrap()[0].1);
    let mean: Vec<f32> = (0..HIDDEN).map(|i| states.iter().skip(i).step_by(HIDDEN).sum::<f32>() / 4.0).collect();
    let length = mean.iter().map(|x| x * x).sum::<f32>().sqrt();
    let far = mean.iter().zip(&embedding).map(|(mean, x)| (mean / length - x).abs()).fold(0.0, f32::max);
    assert!(far < 1e-6, "{far}");
}
