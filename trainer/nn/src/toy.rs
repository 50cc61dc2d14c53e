//! Small things that several tests share.

use std::collections::HashMap;

use candle_core::{Device, Tensor};
use serde_json::{Map, Value, json};

use crate::parameters::{Parameter, Parameters, Random};

/// A `tokenizer.json` of the BERT kind with all printable ASCII characters, a few others, and
/// `words`.
pub(crate) fn tokenizer(words: &[&str]) -> Vec<u8> {
    let mut pieces: Vec<String> = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"].map(str::to_owned).into();
    let characters = ('!'..='~').filter(|c| !c.is_ascii_uppercase()).chain("£€°中文".chars());
    for character in characters {
        pieces.push(character.to_string());
        pieces.push(format!("##{character}"));
    }
    pieces.extend(words.iter().filter(|w| w.chars().count() > 1).map(|w| (*w).to_owned()));
    let vocabulary: Map<String, Value> = pieces.into_iter().enumerate().map(|(id, piece)| (piece, json!(id))).collect();
    let special = |id: u32, content: &str| json!({"id": id, "content": content, "special": true, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false});
    let root = json!({
        "version": "1.0", "truncation": {"max_length": 8, "strategy": "LongestFirst", "stride": 0}, "padding": null,
        "added_tokens": [special(0, "[PAD]"), special(1, "[UNK]"), special(2, "[CLS]"), special(3, "[SEP]")],
        "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
        "decoder": null,
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": vocabulary},
    });
    serde_json::to_vec(&root).expect("a value made of strings and numbers")
}

/// Gives every parameter random values, also those that start at 0 or 1: `mean + 0.2 * normal`,
/// where the mean of norm weights is 1.
pub(crate) fn randomize(parameters: &Parameters) {
    for (name, parameter) in parameters.iter() {
        let mut random = Random::new(5, name);
        let mean = if name.to_lowercase().contains("norm.weight") { 1.0 } else { 0.0 };
        let values: Vec<f32> = (0..parameter.var.elem_count()).map(|_| mean + 0.2 * random.normal()).collect();
        let tensor =
            Tensor::from_vec(values, parameter.var.dims(), &Device::Cpu).expect("as many values as the shape has");
        parameter.var.set(&tensor).expect("a tensor of the same shape");
    }
}

/// Copies of all parameters whose names begin with `prefix`, without it.
pub(crate) fn snapshot(parameters: &Parameters, prefix: &str) -> HashMap<String, Tensor> {
    let bare =
        |(name, p): (&str, &Parameter)| Some((name.strip_prefix(prefix)?.to_owned(), p.var.as_detached_tensor()));
    parameters.iter().filter_map(bare).collect()
}

/// The largest absolute difference of two tensors.
pub(crate) fn difference(a: &Tensor, b: &Tensor) -> f32 {
    let difference = |a: &Tensor, b: &Tensor| (a - b)?.abs()?.flatten_all()?.max(0)?.to_scalar();
    difference(a, b).expect("tensors of one shape")
}
