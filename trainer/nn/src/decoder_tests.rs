use candle_core::{DType, Device};
use candle_nn::VarBuilder;
use candle_transformers::models::qwen2;

use super::*;
use crate::parameters::Parameters;
use crate::toy;

const QWEN: &str = r#"{"model_type": "qwen2", "vocab_size": 60, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2,
    "max_position_embeddings": 64, "sliding_window": 64, "max_window_layers": 3, "tie_word_embeddings": false, "rope_theta": 10000.0, "rms_norm_eps": 1e-6,
    "use_sliding_window": false, "hidden_act": "silu"}"#;

fn build(cross: Option<CrossConfig>) -> (Decoder, Parameters) {
    let config = DecoderConfig { cross, ..DecoderConfig::from_hf(QWEN.as_bytes()).unwrap() };
    let mut parameters = Parameters::growing(1, &Device::Cpu);
    let decoder = Decoder::new(&config, &mut parameters.scope("decoder")).unwrap();
    toy::randomize(&parameters);
    (decoder, parameters)
}

fn ids(batch: usize, length: usize) -> Tensor {
    let ids: Vec<u32> = (0..batch * length).map(|i| (i as u32 * 7919 + 13) % 60).collect();
    Tensor::from_vec(ids, (batch, length), &Device::Cpu).unwrap()
}

fn embed(decoder: &Decoder, ids: &Tensor) -> Tensor {
    kernels::embedding(decoder.embedding(), ids).unwrap()
}

#[test]
fn without_cross_attention_it_is_qwen2() {
    let (decoder, parameters) = build(None);
    let builder = VarBuilder::from_tensors(toy::snapshot(&parameters, "decoder."), DType::F32, &Device::Cpu);
    let config: qwen2::Config = serde_json::from_str(QWEN).unwrap();
    let mut oracle = qwen2::Model::new(&config, builder.clone()).unwrap();
    let ids = ids(2, 11);
    let expected = oracle.forward(&ids, 0, None).unwrap();
    let whole = decoder.forward(&embed(&decoder, &ids), None, None).unwrap();
    assert!(toy::difference(&whole, &expected) < 1e-4, "{}", toy::difference(&whole, &expected));

    let mut oracle = qwen2::ModelForCausalLM::new(&config, builder).unwrap();
    let mut cache = Cache::default();
    for (from, count) in [(0, 4), (4, 1), (5, 1), (6, 3), (9, 1), (10, 1)] {
        let ids = ids.narrow(1, from, count).unwrap();
        let expected = oracle.forward(&ids, from).unwrap();
        let states = decoder.forward(&embed(&decoder, &ids), None, Some(&mut cache)).unwrap();
        let last = states.narrow(1, count - 1, 1).unwrap();
        let logits = kernels::linear(&last, decoder.output(), None).unwrap();
        assert_eq!(cache.len(), from + count);
        assert!(toy::difference(&logits, &expected) < 1e-4, "from {from}: {}", toy::difference(&logits, &expected));
        assert!(toy::difference(&last, &whole.narrow(1, from + count - 1, 1).unwrap()) < 1e-4);
    }
}

#[test]
fn with_cross_attention_steps_agree_with_the_whole() {
    let (decoder, _) = build(Some(CrossConfig { width: 20, gate: 0.5 }));
    let states = Tensor::randn(0f32, 1.0, (2, 7, 20), &Device::Cpu).unwrap();
    let lengths: Arc<[usize]> = Arc::from([7, 3]);
    let memory = decoder.memory(&states, &lengths).unwrap();
    let ids = ids(2, 9);
    let whole = decoder.forward(&embed(&decoder, &ids), memory.as_ref(), None).unwrap();
    let mut cache = Cache::default();
    for (from, count) in [(0, 5), (5, 1), (6, 1), (7, 2)] {
        let inputs = embed(&decoder, &ids.narrow(1, from, count).unwrap());
        let part = decoder.forward(&inputs, memory.as_ref(), Some(&mut cache)).unwrap();
        let expected = whole.narrow(1, from, count).unwrap();
        assert!(toy::difference(&part, &expected) < 1e-4, "from {from}");
    }
    assert!(decoder.forward(&embed(&decoder, &ids), None, None).is_err(), "a memory is needed");

    // Padding of the encoder is not seen; its true states are.
    let change = |row: usize, piece: usize| {
        let mut values = states.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        values[(row * 7 + piece) * 20] += 3.0;
        let states = Tensor::from_vec(values, (2, 7, 20), &Device::Cpu).unwrap();
        let memory = decoder.memory(&states, &lengths).unwrap();
        toy::difference(&decoder.forward(&embed(&decoder, &ids), memory.as_ref(), None).unwrap(), &whole)
    };
    assert_eq!(change(1, 3), 0.0);
    assert!(change(1, 2) > 1e-4);
}

#[test]
fn a_closed_gate_is_the_plain_decoder() {
    let (plain, plain_parameters) = build(None);
    let (crossed, parameters) = build(Some(CrossConfig { width: 20, gate: 0.0 }));
    for (name, parameter) in plain_parameters.iter() {
        parameters.set(name, parameter.var.as_tensor()).unwrap();
    }
    for layer in 0..3 {
        parameters
            .set(
                &format!("decoder.model.layers.{layer}.cross_attn.gate"),
                &Tensor::zeros(1, DType::F32, &Device::Cpu).unwrap(),
            )
            .unwrap();
    }
    let states = Tensor::randn(0f32, 1.0, (1, 4, 20), &Device::Cpu).unwrap();
    let memory = crossed.memory(&states, &Arc::from([4])).unwrap();
    let inputs = embed(&plain, &ids(1, 6));
    let (a, b) =
        (plain.forward(&inputs, None, None).unwrap(), crossed.forward(&inputs, memory.as_ref(), None).unwrap());
    assert!(toy::difference(&a, &b) < 1e-5);
}
