use super::*;
use crate::parameters::Random;
use crate::toy::difference;

fn sample() -> Tensors {
    let mut random = Random::new(3, "weights");
    let mut make = |shape: &[usize]| {
        let count = shape.iter().product();
        Tensor::from_vec((0..count).map(|_| random.normal()).collect::<Vec<f32>>(), shape, &Device::Cpu).unwrap()
    };
    Tensors::from([
        ("a.scale".into(), make(&[3])),
        ("b".into(), make(&[4, 10])),
        ("c".into(), make(&[7])),
        ("zero".into(), Tensor::zeros((2, 3), DType::F32, &Device::Cpu).unwrap()),
    ])
}

fn store(path: &Path, precision: Precision) {
    let tensors = sample();
    write(path, tensors.iter().map(|(n, t)| (n.as_str(), t)), precision).unwrap();
}

#[test]
fn floats_come_back_exactly_and_int8_within_half_a_scale() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("w.safetensors");
    let original = sample();
    for (precision, bound) in [(Precision::Float, 0.0), (Precision::Int8, 1.0 / 254.0)] {
        store(&path, precision);
        let back = read(&path, &Device::Cpu).unwrap();
        assert_eq!(original.keys().collect::<Vec<_>>(), back.keys().collect::<Vec<_>>());
        for (name, tensor) in &original {
            let largest: f32 = tensor.abs().unwrap().flatten_all().unwrap().max(0).unwrap().to_scalar().unwrap();
            let bound = if tensor.rank() > 1 { bound * largest * 1.0001 } else { 0.0 };
            assert!(difference(tensor, &back[name]) <= bound, "{name} {precision:?}");
        }
    }
}

#[test]
fn every_truncation_is_a_clean_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("w.safetensors");
    store(&path, Precision::Int8);
    let whole = std::fs::read(&path).unwrap();
    for length in 0..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(matches!(read(&path, &Device::Cpu), Err(Error::Malformed { .. })), "length {length}");
    }
}

#[test]
fn garbage_never_panics() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("w.safetensors");
    store(&path, Precision::Int8);
    let whole = std::fs::read(&path).unwrap();
    let mut random = Random::new(1, "garbage");
    for _ in 0..2000 {
        let mut bytes = whole.clone();
        for _ in 0..1 + random.bits() % 4 {
            let at = random.bits() as usize % bytes.len();
            bytes[at] = random.bits() as u8;
        }
        std::fs::write(&path, &bytes).unwrap();
        let _ = read(&path, &Device::Cpu);
    }
}

#[test]
fn numbers_that_are_not_finite_are_refused_both_ways() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("w.safetensors");
    let nan = Tensor::new(&[1f32, f32::NAN], &Device::Cpu).unwrap();
    assert!(write(&path, [("x", &nan)], Precision::Float).unwrap_err().to_string().contains("`NaN`"));
    let bytes = little_endian(&[f32::INFINITY]);
    let view = TensorView::new(Dtype::F32, vec![1], &bytes).unwrap();
    std::fs::write(&path, safetensors::serialize([("x", view)], None).unwrap()).unwrap();
    assert!(read(&path, &Device::Cpu).unwrap_err().to_string().contains("`inf`"));
}

#[test]
fn int8_without_scales_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("w.safetensors");
    let view = TensorView::new(Dtype::I8, vec![2, 2], &[1, 2, 3, 4]).unwrap();
    std::fs::write(&path, safetensors::serialize([("x", view)], None).unwrap()).unwrap();
    assert!(read(&path, &Device::Cpu).unwrap_err().to_string().contains("`x.scale`"));
}
