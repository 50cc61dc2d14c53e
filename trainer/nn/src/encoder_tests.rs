use std::path::Path;

use candle_core::{DType, Device};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};

use super::*;
use crate::parameters::Parameters;
use crate::{toy, weights};

/// Three rows of 9 pieces, two of them partly padding.
fn batch(vocabulary: u32) -> (Tensor, Arc<[usize]>) {
    let ids: Vec<u32> = (0..27).map(|i| (i * 7919 + 13) % vocabulary).collect();
    (Tensor::from_vec(ids, (3, 9), &Device::Cpu).unwrap(), Arc::from([9, 4, 6]))
}

/// The largest difference to candle-transformers' BERT over the pieces that are not padding.
fn difference_to_oracle(config: &EncoderConfig, oracle_config: &str, parameters: &mut Parameters) -> f32 {
    let oracle_config: Config = serde_json::from_str(oracle_config).unwrap();
    let builder = VarBuilder::from_tensors(toy::snapshot(parameters, "encoder."), DType::F32, &Device::Cpu);
    let oracle = BertModel::load(builder, &oracle_config).unwrap();
    let encoder = Encoder::new(config, &mut parameters.scope("encoder")).unwrap();
    let (ids, lengths) = batch(config.vocabulary as u32);
    let states = encoder.forward(&ids, &lengths).unwrap();
    let rows = lengths.iter().enumerate().map(|(row, length)| {
        let ids = ids.narrow(0, row, 1).unwrap().narrow(1, 0, *length).unwrap();
        let expected = oracle.forward(&ids, &ids.zeros_like().unwrap(), None).unwrap();
        let found = states.narrow(0, row, 1).unwrap().narrow(1, 0, *length).unwrap();
        let mean = pooled(&states, &lengths).unwrap().narrow(0, row, 1).unwrap();
        let alone = pooled(&expected, &[*length]).unwrap();
        assert!(toy::difference(&mean, &alone) < 1e-5, "pooling ignores padding");
        toy::difference(&found, &expected)
    });
    rows.fold(0.0, f32::max)
}

#[test]
fn a_small_random_network_agrees_with_candle_transformers() {
    let json = r#"{"vocab_size": 50, "hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 40, "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1, "max_position_embeddings": 16, "type_vocab_size": 2, "initializer_range": 0.02, "layer_norm_eps": 1e-12, "pad_token_id": 0}"#;
    let config = EncoderConfig::from_hf(json.as_bytes()).unwrap();
    let mut parameters = Parameters::growing(1, &Device::Cpu);
    Encoder::new(&config, &mut parameters.scope("encoder")).unwrap();
    toy::randomize(&parameters);
    let difference = difference_to_oracle(&config, json, &mut parameters);
    assert!(difference < 2e-5, "{difference}");
}

#[test]
#[ignore = "needs all-MiniLM-L6-v2: set TOMAS_MINILM to its folder"]
fn the_real_minilm_agrees_with_candle_transformers() {
    let folder = std::env::var("TOMAS_MINILM").unwrap();
    let json = std::fs::read_to_string(Path::new(&folder).join("config.json")).unwrap();
    let config = EncoderConfig::from_hf(json.as_bytes()).unwrap();
    let tensors = weights::read(&Path::new(&folder).join("model.safetensors"), &Device::Cpu).unwrap();
    let tensors = from_hf(tensors).into_iter().map(|(name, tensor)| (format!("encoder.{name}"), tensor)).collect();
    let mut parameters = Parameters::loaded(&tensors, &Device::Cpu).unwrap();
    let difference = difference_to_oracle(&config, &json, &mut parameters);
    assert!(difference < 1e-4, "{difference}");
    assert!(difference > 0.0, "found {difference}: two implementations never round alike");
}

#[test]
fn a_missing_or_misshapen_tensor_is_named() {
    let config =
        EncoderConfig { vocabulary: 5, hidden: 4, layers: 1, heads: 2, intermediate: 4, positions: 4, epsilon: 1e-12 };
    let mut growing = Parameters::growing(1, &Device::Cpu);
    Encoder::new(&config, &mut growing.scope("encoder")).unwrap();
    let all: Tensors = toy::snapshot(&growing, "").into_iter().collect();
    for name in all.keys() {
        let mut fewer = all.clone();
        fewer.remove(name);
        let mut store = Parameters::loaded(&fewer, &Device::Cpu).unwrap();
        let error = Encoder::new(&config, &mut store.scope("encoder")).unwrap_err().to_string();
        assert!(error.contains(&format!("tensor `{name}` is missing")), "{error}");
        fewer.insert(name.clone(), Tensor::zeros(3, DType::F32, &Device::Cpu).unwrap());
        let mut store = Parameters::loaded(&fewer, &Device::Cpu).unwrap();
        assert!(matches!(Encoder::new(&config, &mut store.scope("encoder")), Err(Error::Shape { .. })));
    }
}

#[test]
fn inputs_out_of_range_are_errors() {
    let config =
        EncoderConfig { vocabulary: 5, hidden: 4, layers: 1, heads: 2, intermediate: 4, positions: 4, epsilon: 1e-12 };
    let encoder = Encoder::new(&config, &mut Parameters::growing(1, &Device::Cpu).scope("encoder")).unwrap();
    let ids = |ids: &[u32]| Tensor::from_slice(ids, (1, ids.len()), &Device::Cpu).unwrap();
    assert!(encoder.forward(&ids(&[1, 2, 3]), &Arc::from([3])).is_ok());
    assert!(encoder.forward(&ids(&[1, 2, 5]), &Arc::from([3])).is_err(), "a piece beyond the vocabulary");
    assert!(encoder.forward(&ids(&[1, 2, 3, 4, 1]), &Arc::from([5])).is_err(), "more pieces than positions");
    assert!(encoder.forward(&ids(&[1, 2, 3]), &Arc::from([4])).is_err(), "a length beyond the batch");
}

#[test]
#[ignore = "needs all-MiniLM-L6-v2: set TOMAS_MINILM to its folder"]
fn the_real_minilm_in_int8_embeds_alike() {
    let folder = std::env::var("TOMAS_MINILM").unwrap();
    let folder = Path::new(&folder);
    let config = EncoderConfig::from_hf(&std::fs::read(folder.join("config.json")).unwrap()).unwrap();
    let tensors = from_hf(weights::read(&folder.join("model.safetensors"), &Device::Cpu).unwrap());
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("int8.safetensors");
    weights::write(&file, tensors.iter().map(|(n, t)| (n.as_str(), t)), weights::Precision::Int8).unwrap();
    let pieces = crate::piece::PieceEncoder::open(&folder.join("tokenizer.json"), 160).unwrap();
    let texts = [
        "what is 17.5% of 2,340?",
        "how much is seventeen percent of 2340",
        "please summarise notes.txt in two sentences",
    ];
    let embed = |tensors: &Tensors| {
        let named = tensors.iter().map(|(name, tensor)| (format!("encoder.{name}"), tensor.clone())).collect();
        let mut parameters = Parameters::loaded(&named, &Device::Cpu).unwrap();
        let encoder = Encoder::new(&config, &mut parameters.scope("encoder")).unwrap();
        let row = |text: &&str| {
            let ids = pieces.encode(text).unwrap().ids;
            let lengths: Arc<[usize]> = Arc::from([ids.len()]);
            let ids = Tensor::from_vec(ids, (1, lengths[0]), &Device::Cpu).unwrap();
            pooled(&encoder.forward(&ids, &lengths).unwrap(), &lengths).unwrap()
        };
        texts.iter().map(row).collect::<Vec<_>>()
    };
    let (exact, rounded) = (embed(&tensors), embed(&weights::read(&file, &Device::Cpu).unwrap()));
    let cosine = |a: &Tensor, b: &Tensor| (a * b).unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
    for (a, b) in exact.iter().zip(&rounded) {
        assert!(cosine(a, b) > 0.999, "{}", cosine(a, b));
    }
    // sentence-transformers says 0.7 and 0.1 for such pairs.
    assert!(cosine(&exact[0], &exact[1]) > 0.6 && cosine(&exact[0], &exact[2]) < 0.3);
}
