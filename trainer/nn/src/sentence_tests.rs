use std::cell::Cell;
use std::sync::Arc;

use candle_core::Tensor;

use super::*;
use crate::{encoder, toy};

const CONFIG: &str = r#"{"vocab_size": 220, "hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 4,
    "intermediate_size": 40, "hidden_act": "gelu", "max_position_embeddings": 300, "layer_norm_eps": 1e-12}"#;

/// A folder with a random model.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let config = EncoderConfig::from_hf(CONFIG.as_bytes()).unwrap();
    let mut parameters = Parameters::growing(3, &Device::Cpu);
    Encoder::new(&config, &mut parameters.scope("encoder")).unwrap();
    toy::randomize(&parameters);
    let tensors = toy::snapshot(&parameters, "encoder.");
    let tensors = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor));
    weights::write(&folder.path().join("model.safetensors"), tensors, weights::Precision::Float).unwrap();
    std::fs::write(folder.path().join("config.json"), CONFIG).unwrap();
    std::fs::write(folder.path().join("tokenizer.json"), toy::tokenizer(&["what", "is"])).unwrap();
    folder
}

/// The largest difference between one thread's reading and the network that training uses.
fn difference(encoder: &Encoder, ids: &[u32]) -> f32 {
    let read = encoder.read(ids, &vec![0; ids.len()], &|| Ok(())).unwrap();
    let lengths: Arc<[usize]> = Arc::from([ids.len()]);
    let ids = Tensor::from_slice(ids, (1, ids.len()), &Device::Cpu).unwrap();
    let states = encoder.forward(&ids, &lengths).unwrap();
    let pooled = encoder::pooled(&states, &lengths).unwrap();
    assert!((pooled.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap() - 1.0).abs() < 1e-5);
    toy::difference(&Tensor::from_vec(read, states.dims(), &Device::Cpu).unwrap(), &states)
}

#[test]
fn one_thread_reads_as_many_do() {
    let folder = folder();
    let model = Sentences::open(folder.path()).unwrap();
    for length in [1, 2, 63, 64, 65, 200, 300] {
        let ids: Vec<u32> = (0..length).map(|i| (i * 7919 + 13) % 220).collect();
        let difference = difference(&model.encoder, &ids);
        assert!(difference < 2e-5, "{length}: {difference}");
    }
    assert!(model.encoder.read(&[], &[], &|| Ok(())).unwrap().is_empty());
}

#[test]
#[ignore = "needs all-MiniLM-L6-v2: set TOMAS_MINILM to its folder"]
fn the_real_minilm_reads_the_same_on_one_thread() {
    let model = Sentences::open(Path::new(&std::env::var("TOMAS_MINILM").unwrap())).unwrap();
    for length in [5u32, 127, 400] {
        let ids: Vec<u32> = (0..length).map(|i| (i * 7919 + 13) % 30522).collect();
        let difference = difference(&model.encoder, &ids);
        assert!(difference < 1e-4, "{length}: {difference}");
    }
}

#[test]
fn what_is_out_of_range_is_refused_and_a_pause_can_end_it() {
    let folder = folder();
    let encoder = Sentences::open(folder.path()).unwrap().encoder;
    let refused = |ids: &[u32], segments: &[u32]| encoder.read(ids, segments, &|| Ok(())).unwrap_err().to_string();
    assert!(refused(&[1, 220], &[0, 0]).contains("row `220`"));
    assert!(refused(&[1, u32::MAX], &[0, 0]).contains("no row"));
    assert!(refused(&[1, 2], &[0, 2]).contains("row `2`"));
    assert!(refused(&[1, 2], &[0]).contains("segments"));
    assert!(refused(&[1; 301], &[0; 301]).contains("at most `300`"));

    let left = Cell::new(5);
    let pause = || match left.replace(left.get() - 1) {
        1 => Err(Error::Stopped),
        _ => Ok(()),
    };
    assert!(matches!(encoder.read(&[1; 64], &[0; 64], &pause), Err(Error::Stopped)));
    assert_eq!(left.get(), 0, "nothing is done after the pause that failed");
}

#[test]
fn the_files_say_how_much_is_read() {
    let folder = folder();
    let read = |text: &str| Sentences::open(folder.path()).unwrap().pieces(text).unwrap();
    assert_eq!(read("what is a?").0.len(), 6);
    assert!(!read("what is a?").1);
    // The tokenizer's own limit.
    let (ids, cut) = read("a b c d e f g h");
    assert!(cut && ids.len() == 8);
    std::fs::write(folder.path().join("sentence_bert_config.json"), r#"{"max_seq_length": 12}"#).unwrap();
    assert_eq!(read("a b c d e f g h").0.len(), 10);
    assert!(read(&" ".repeat(1000)).1, "what lies beyond the window is left out, whatever it is");
    std::fs::write(folder.path().join("sentence_bert_config.json"), r#"{"max_seq_length": 5000}"#).unwrap();
    assert_eq!(read(&"a ".repeat(4000)).0.len(), 300, "the table of positions ends there");
    assert_eq!(read("[SEP] [CLS]").0.iter().filter(|id| **id == 3).count(), 1, "a text cannot spell special pieces");
}

#[test]
fn models_of_another_kind_are_refused() {
    let folder = folder();
    let refused = || Sentences::open(folder.path()).unwrap_err().to_string();
    std::fs::create_dir(folder.path().join("1_Pooling")).unwrap();
    let pooling = folder.path().join("1_Pooling/config.json");
    std::fs::write(&pooling, r#"{"pooling_mode_mean_tokens": false}"#).unwrap();
    assert!(refused().contains("only the mean"));
    std::fs::remove_file(&pooling).unwrap();
    std::fs::write(folder.path().join("config.json"), CONFIG.replace("220", "20")).unwrap();
    assert!(refused().contains("the model `20`"));
    std::fs::write(folder.path().join("config.json"), CONFIG.replace("24", "28")).unwrap();
    assert!(refused().contains("shape"));
    std::fs::remove_file(folder.path().join("model.safetensors")).unwrap();
    assert!(refused().contains("model.safetensors"));
}
