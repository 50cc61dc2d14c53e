//! Linear layers, norms, activations, positions and embeddings.

use super::super::rope::Table;
use super::super::{embedding, gelu, layer_norm, linear, reference, rms_norm, rope, swiglu};
use super::{Random, assert_close, check, numbers};
use candle_core::{D, DType, Device, Result, Tensor};

const SHAPES: &[&[usize]] =
    &[&[1], &[7], &[1, 1], &[3, 5], &[2, 3, 17], &[33, 40], &[1, 4, 2, 6], &[0, 4], &[2, 0, 3], &[5, 33], &[2, 64]];

#[test]
fn linear_matches() {
    let mut random = Random::new(1);
    for &dims in SHAPES {
        for n in [1, 2, 9, 18] {
            let k = *dims.last().unwrap();
            let vars = [random.var(dims, 1.0), random.var(&[n, k], 1.0), random.var(&[n], 1.0)];
            let what = format!("linear {dims:?} to {n}");
            check(&what, &vars[..2], |t| linear(&t[0], &t[1], None), |t| reference::linear(&t[0], &t[1], None));
            let with_bias = |t: &[Tensor]| reference::linear(&t[0], &t[1], Some(&t[2]));
            check(&what, &vars, |t| linear(&t[0], &t[1], Some(&t[2])), with_bias);
        }
    }
}

#[test]
fn linear_without_terms_or_outputs() {
    let mut random = Random::new(2);
    let (x, w, b) = (random.var(&[3, 0], 1.0), random.var(&[2, 0], 1.0), random.var(&[2], 1.0));
    let y = linear(&x, &w, Some(&b)).unwrap();
    assert_eq!(numbers(&y), numbers(&b).repeat(3));
    let grads = y.sum_all().unwrap().backward().unwrap();
    assert_eq!(numbers(grads.get(&b).unwrap()), [3.0, 3.0]);
    let y = linear(&random.var(&[3, 4], 1.0), &random.var(&[0, 4], 1.0), None).unwrap();
    assert_eq!(y.dims(), [3, 0]);
}

#[test]
fn large_products_match() {
    // Above the size from which rows are shared out among threads, with odd remainders.
    let mut random = Random::new(3);
    let (x, w) = (random.var(&[3, 131, 67], 1.0), random.var(&[129, 67], 1.0));
    let y = linear(&x, &w, None).unwrap();
    let wanted = reference::linear(&x.to_dtype(DType::F64).unwrap(), &w.to_dtype(DType::F64).unwrap(), None).unwrap();
    assert_close("product", &numbers(&y), &numbers(&wanted), 1e-5);
    let of = |y: Tensor| {
        let grads = y.sqr().unwrap().sum_all().unwrap().backward().unwrap();
        [numbers(grads.get(&x).unwrap()), numbers(grads.get(&w).unwrap())]
    };
    let (found, wanted) = (of(y), of(reference::linear(&x, &w, None).unwrap()));
    for (found, wanted) in found.iter().zip(&wanted) {
        assert_close("gradient of a product", found, wanted, 1e-4);
    }
}

#[test]
fn a_frozen_operand_gets_no_gradient() {
    let mut random = Random::new(4);
    let (x, w) = (random.var(&[3, 4], 1.0), random.var(&[5, 4], 1.0));
    let grads = linear(&x, &w.as_detached_tensor(), None).unwrap().sum_all().unwrap().backward().unwrap();
    assert!(grads.get(&x).is_some() && grads.get(&w).is_none());
    let grads = linear(&x.as_detached_tensor(), &w, None).unwrap().sum_all().unwrap().backward().unwrap();
    assert!(grads.get(&x).is_none() && grads.get(&w).is_some());
}

#[test]
fn norms_match() {
    let mut random = Random::new(5);
    for &dims in SHAPES {
        let n = *dims.last().unwrap();
        let vars = [random.var(dims, 2.0), random.var(&[n], 1.0), random.var(&[n], 1.0)];
        // One element has no spread, and its derivative by a small step says nothing unless eps is large.
        let eps = 0.05;
        let what = format!("layer_norm {dims:?}");
        let wanted = |t: &[Tensor]| reference::layer_norm(&t[0], &t[1], &t[2], eps);
        check(&what, &vars, |t| layer_norm(&t[0], &t[1], &t[2], eps), wanted);
        let what = format!("rms_norm {dims:?}");
        let wanted = |t: &[Tensor]| reference::rms_norm(&t[0], &t[1], eps);
        check(&what, &vars[..2], |t| rms_norm(&t[0], &t[1], eps), wanted);
    }
}

#[test]
fn activations_match() {
    let mut random = Random::new(6);
    for &dims in SHAPES {
        let vars = [random.var(dims, 6.0), random.var(dims, 1.0)];
        // candle's own derivative of the erf form has six digits, so gradients are compared to differences of `erf`.
        let exact = |t: &[Tensor]| {
            let phi = ((t[0].affine(0.5f64.sqrt(), 0.0)?.erf()? + 1.0)? * 0.5)?;
            &t[0] * phi
        };
        check(&format!("gelu {dims:?}"), &vars[..1], |t| gelu(&t[0]), exact);
        let wanted = |t: &[Tensor]| reference::swiglu(&t[0], &t[1]);
        check(&format!("swiglu {dims:?}"), &vars, |t| swiglu(&t[0], &t[1]), wanted);
    }
}

#[test]
fn activations_at_the_ends() {
    let ends = [-1e30f32, -200.0, -90.0, -20.0, -0.0, 0.0, 20.0, 90.0, 200.0, 1e30];
    let x = Tensor::new(&ends, &Device::Cpu).unwrap();
    let wanted: Vec<f64> = ends.iter().map(|&v| f64::from(v.max(0.0))).collect();
    assert_close("gelu", &numbers(&gelu(&x).unwrap()), &wanted, 1e-6);
    let ones = x.ones_like().unwrap();
    assert_close("swiglu", &numbers(&swiglu(&x, &ones).unwrap()), &wanted, 1e-6);
    let nan = Tensor::new(&[f32::NAN], &Device::Cpu).unwrap();
    assert!(numbers(&gelu(&nan).unwrap())[0].is_nan());
    assert!(numbers(&swiglu(&nan, &nan).unwrap())[0].is_nan());
}

#[test]
fn rope_matches() {
    let mut random = Random::new(7);
    for (dims, offset) in
        [([1, 1, 1, 2], 0), ([2, 3, 1, 6], 4), ([2, 5, 3, 4], 0), ([1, 40, 2, 34], 1000), ([0, 3, 2, 4], 1)]
    {
        let vars = [random.var(&dims, 1.0)];
        let table = Table::new(dims[1], dims[3], offset, 10_000.0);
        let wanted = |t: &[Tensor]| reference::rope(&t[0], &table);
        check(&format!("rope {dims:?}"), &vars, |t| rope(&t[0], offset, 10_000.0), wanted);
    }
}

#[test]
fn rope_keeps_scores_between_positions_of_one_distance() {
    let mut random = Random::new(8);
    let (q, k) = (random.var(&[1, 1, 1, 8], 1.0), random.var(&[1, 1, 1, 8], 1.0));
    let score = |i, j| -> f64 {
        let (q, k) = (rope(&q, i, 100.0).unwrap(), rope(&k, j, 100.0).unwrap());
        numbers(&q).iter().zip(&numbers(&k)).map(|(a, b)| a * b).sum()
    };
    assert!((score(7, 3) - score(104, 100)).abs() < 1e-5);
    assert!((score(7, 3) - score(3, 7)).abs() > 1e-3);
}

#[test]
fn embeddings_match() {
    let mut random = Random::new(9);
    for (v, d, dims) in
        [(1, 1, vec![1]), (7, 3, vec![2, 5]), (300, 5, vec![40]), (4, 6, vec![0]), (3, 33, vec![1, 2, 3])]
    {
        let n: usize = dims.iter().product();
        let ids: Vec<u32> = (0..n).map(|_| random.below(v) as u32).collect();
        let ids = Tensor::from_vec(ids, dims.as_slice(), &Device::Cpu).unwrap();
        let vars = [random.var(&[v, d], 1.0)];
        let mut shape = dims.clone();
        shape.push(d);
        let wanted = |t: &[Tensor]| reference::embedding(&t[0], &ids.flatten_all()?)?.reshape(shape.as_slice());
        check(&format!("embedding {v} {d} {dims:?}"), &vars, |t| embedding(&t[0], &ids), wanted);
    }
}

#[test]
fn operands_need_not_be_contiguous() {
    let mut random = Random::new(10);
    let vars = [random.var(&[4, 6, 3], 1.0), random.var(&[9, 4], 1.0), random.var(&[8], 1.0)];
    // x is (3, 6, 4), w (3, 4) every third row, and the bias starts in the middle of its storage.
    let through = |f: fn(&Tensor, &Tensor, Option<&Tensor>) -> Result<Tensor>| {
        move |t: &[Tensor]| {
            let w = t[1].reshape((3, 3, 4))?.narrow(1, 1, 1)?.squeeze(1)?;
            f(&t[0].transpose(0, 2)?, &w, Some(&t[2].narrow(0, 2, 3)?))
        }
    };
    check("strided linear", &vars, through(linear), through(reference::linear));
    let pair = [random.var(&[4, 6], 1.0), random.var(&[6, 4], 1.0)];
    let wanted = |t: &[Tensor]| reference::swiglu(&t[0].t()?, &t[1]);
    check("strided swiglu", &pair, |t| swiglu(&t[0].t()?, &t[1]), wanted);
    let wanted = |t: &[Tensor]| {
        reference::rms_norm(&t[0].t()?, &t[1].narrow(1, 1, 1)?.squeeze(D::Minus1)?.narrow(0, 1, 4)?, 0.1)
    };
    let found = |t: &[Tensor]| rms_norm(&t[0].t()?, &t[1].narrow(1, 1, 1)?.squeeze(D::Minus1)?.narrow(0, 1, 4)?, 0.1);
    check("strided rms_norm", &pair, found, wanted);
}
