//! A folder with a tiny random model of the BERT kind, always the same one.

use serde_json::{Map, Value, json};
use std::{fs, path::Path};
use tomas_nn::{
    config::EncoderConfig,
    cpu,
    encoder::Encoder,
    parameters::Parameters,
    weights::{Precision, write},
};

/// Width of its states.
pub(crate) const HIDDEN: usize = 32;

/// The longest input in pieces.
pub(crate) const POSITIONS: usize = 512;

/// Writes the model.
pub(crate) fn model(folder: &Path) {
    let pieces = pieces();
    let config = json!({
        "hidden_act": "gelu", "vocab_size": pieces.len(), "hidden_size": HIDDEN, "num_hidden_layers": 2,
        "num_attention_heads": 4, "intermediate_size": 64, "max_position_embeddings": POSITIONS,
    });
    let config = config.to_string();
    let sizes = EncoderConfig::from_hf(config.as_bytes()).unwrap();
    let mut parameters = Parameters::growing(7, &cpu());
    Encoder::new(&sizes, &mut parameters.scope("encoder")).unwrap();
    let tensors = parameters.iter().map(|(name, parameter)| (name.strip_prefix("encoder.").unwrap(), &*parameter.var));
    write(&folder.join("model.safetensors"), tensors, Precision::Float).unwrap();
    fs::write(folder.join("config.json"), config).unwrap();
    fs::write(folder.join("tokenizer.json"), tokenizer(&pieces).to_string()).unwrap();
}

/// All printable ASCII characters, as the beginning of a word and within one.
fn pieces() -> Vec<String> {
    let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"].map(str::to_owned);
    let characters = ('!'..='~').filter(|c| !c.is_ascii_uppercase());
    special.into_iter().chain(characters.flat_map(|c| [c.to_string(), format!("##{c}")])).collect()
}

fn tokenizer(pieces: &[String]) -> Value {
    let vocabulary: Map<String, Value> = pieces.iter().enumerate().map(|(id, p)| (p.clone(), json!(id))).collect();
    let special = |(id, content): (usize, &String)| json!({"id": id, "content": content, "special": true, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false});
    json!({
        "version": "1.0", "truncation": null, "padding": null,
        "added_tokens": pieces.iter().take(4).enumerate().map(special).collect::<Vec<_>>(),
        "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
        "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": null, "decoder": null,
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": vocabulary},
    })
}
