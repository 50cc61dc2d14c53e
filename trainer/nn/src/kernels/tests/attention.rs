//! Attention with all its masks.

use super::super::attention::Sizes;
use super::super::{Attention, attention, reference};
use super::{Random, check, numbers};
use candle_core::{Device, Tensor, Var};
use std::sync::Arc;

fn operands(random: &mut Random, z: Sizes) -> [Var; 3] {
    let keys = [z.b, z.sk, z.kv, z.d];
    [random.var(&[z.b, z.sq, z.h, z.d], 2.0), random.var(&keys, 2.0), random.var(&keys, 1.0)]
}

fn compare(random: &mut Random, z: Sizes, mask: &Attention) {
    let vars = operands(random, z);
    let wanted = |t: &[Tensor]| reference::attention(&t[0], &t[1], &t[2], mask, z);
    check(&format!("attention {z:?} {mask:?}"), &vars, |t| attention(&t[0], &t[1], &t[2], mask), wanted);
}

fn lengths(random: &mut Random, b: usize, s: usize) -> Option<Arc<[usize]>> {
    Some((0..b).map(|_| random.below(s + 1)).collect())
}

#[test]
fn random_shapes_and_masks_match() {
    let mut random = Random::new(20);
    for round in 0..48 {
        let (kv, group) = (1 + random.below(3), 1 + random.below(3));
        let (b, sq, sk) = (1 + random.below(3), 1 + random.below(7), 1 + random.below(7));
        let z = Sizes { b, sq, sk, h: kv * group, kv, d: 1 + random.below(9) };
        let key_lengths = if round % 2 == 0 { lengths(&mut random, b, sk) } else { None };
        let query_lengths = if round % 3 == 0 { lengths(&mut random, b, sq) } else { None };
        compare(&mut random, z, &Attention { causal: round % 4 < 2, key_lengths, query_lengths });
    }
}

#[test]
fn long_rows_match() {
    // More queries than one block.
    let mut random = Random::new(21);
    let z = Sizes { b: 1, sq: 70, sk: 67, h: 2, kv: 1, d: 3 };
    compare(&mut random, z, &Attention::causal());
    let z = Sizes { b: 1, sq: 66, sk: 35, h: 1, kv: 1, d: 4 };
    compare(&mut random, z, &Attention::cross(Arc::from([33])));
}

#[test]
fn empty_sizes_match() {
    let mut random = Random::new(22);
    for (b, sq, sk) in [(0, 2, 3), (2, 0, 3), (2, 3, 0)] {
        let z = Sizes { b, sq, sk, h: 2, kv: 1, d: 3 };
        let [q, k, v] = operands(&mut random, z);
        let y = attention(&q, &k, &v, &Attention::causal()).unwrap();
        assert_eq!(y.dims(), [b, sq, 6]);
        assert!(numbers(&y).iter().all(|v| *v == 0.0));
        let grads = y.sum_all().unwrap().backward().unwrap();
        assert!([&q, &k, &v].iter().all(|t| numbers(grads.get(t).unwrap()).iter().all(|g| *g == 0.0)));
    }
}

#[test]
fn padding_is_zero_and_has_no_influence() {
    let mut random = Random::new(23);
    let z = Sizes { b: 2, sq: 5, sk: 5, h: 2, kv: 1, d: 4 };
    let [q, k, v] = operands(&mut random, z);
    let mask = Attention::bidirectional(Arc::from([3, 0]));
    let y = attention(&q, &k, &v, &mask).unwrap();
    let padding = y.narrow(1, 3, 2).unwrap();
    assert!(numbers(&padding).iter().chain(&numbers(&y.get(1).unwrap())).all(|v| *v == 0.0));
    let grads = y.sqr().unwrap().sum_all().unwrap().backward().unwrap();
    for t in [&q, &k, &v] {
        let grad = grads.get(t).unwrap();
        let outside = numbers(&grad.narrow(1, 3, 2).unwrap());
        assert!(outside.iter().chain(&numbers(&grad.get(1).unwrap())).all(|g| *g == 0.0));
        assert!(numbers(&grad.get(0).unwrap()).iter().any(|g| *g != 0.0));
    }
    // Rubbish in the padding changes nothing.
    let rubbish = Tensor::full(f32::NAN, (2, 2, 1, 4), &Device::Cpu).unwrap();
    let spoil = |t: &Var| Tensor::cat(&[&t.narrow(1, 0, 3).unwrap(), &rubbish], 1).unwrap();
    let spoilt = attention(&q, &spoil(&k), &spoil(&v), &mask).unwrap();
    assert_eq!(numbers(&spoilt), numbers(&y));
}

#[test]
fn large_scores_stay_finite() {
    let mut random = Random::new(24);
    let z = Sizes { b: 1, sq: 3, sk: 4, h: 1, kv: 1, d: 2 };
    let [_, _, v] = operands(&mut random, z);
    let (q, k) = (random.var(&[1, 3, 1, 2], 1e4), random.var(&[1, 4, 1, 2], 1e4));
    let y = attention(&q, &k, &v, &Attention::default()).unwrap();
    assert!(numbers(&y).iter().all(|v| v.is_finite() && v.abs() <= 1.0));
    let grads = y.sum_all().unwrap().backward().unwrap();
    assert!([&q, &k, &v].iter().all(|t| numbers(grads.get(t).unwrap()).iter().all(|g| g.is_finite())));
}

#[test]
fn one_query_at_a_time_equals_all_at_once() {
    let mut random = Random::new(25);
    let z = Sizes { b: 2, sq: 6, sk: 6, h: 4, kv: 2, d: 8 };
    let [q, k, v] = operands(&mut random, z);
    let all = attention(&q, &k, &v, &Attention::causal()).unwrap();
    for i in 0..6 {
        let seen = |t: &Var| t.narrow(1, 0, i + 1).unwrap();
        let one = attention(&q.narrow(1, i, 1).unwrap(), &seen(&k), &seen(&v), &Attention::causal()).unwrap();
        super::assert_close("step", &numbers(&one), &numbers(&all.narrow(1, i, 1).unwrap()), 1e-6);
    }
}

#[test]
fn what_does_not_fit_is_an_error() {
    let t = |dims: &[usize]| Random::new(26).var(dims, 1.0).as_detached_tensor();
    let none = Attention::default();
    let q = t(&[2, 3, 4, 8]);
    for k in [t(&[1, 3, 4, 8]), t(&[2, 3, 4, 7]), t(&[2, 3, 3, 8]), t(&[2, 3, 0, 8])] {
        assert!(attention(&q, &k, &k, &none).is_err());
    }
    assert!(attention(&q, &t(&[2, 3, 4, 8]), &t(&[2, 4, 4, 8]), &none).is_err());
    assert!(attention(&q, &q, &q, &Attention::cross(Arc::from([1]))).is_err());
    assert!(attention(&q, &q, &q, &Attention::cross(Arc::from([1, 4]))).is_err());
    assert!(attention(&q, &q, &q.to_dtype(candle_core::DType::F64).unwrap(), &none).is_err());
}
