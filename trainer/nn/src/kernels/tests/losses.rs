//! Cross-entropies.

use super::super::{cross_entropy, linear_cross_entropy, reference};
use super::{Random, assert_close, check, numbers};
use candle_core::{Device, Tensor, Var};

fn rows(random: &mut Random, n: usize, v: usize) -> (Vec<u32>, Vec<f32>) {
    let targets = (0..n).map(|_| random.below(v) as u32).collect();
    let weights = (0..n).map(|_| [0.0, 0.5, 1.0, 2.0][random.below(4)]).collect();
    (targets, weights)
}

#[test]
fn cross_entropies_match() {
    let mut random = Random::new(30);
    for (n, v, k) in [(1, 1, 1), (2, 3, 4), (20, 7, 5), (17, 40, 3), (33, 2, 2), (9, 100, 2)] {
        let (targets, mut weights) = rows(&mut random, n, v);
        weights[0] = 1.0;
        let logits = [random.var(&[n, v], 5.0)];
        let wanted = |t: &[Tensor]| reference::cross_entropy(&t[0], &targets, &weights);
        check(&format!("cross_entropy {n} {v}"), &logits, |t| cross_entropy(&t[0], &targets, &weights), wanted);
        let vars = [random.var(&[n, k], 2.0), random.var(&[v, k], 2.0)];
        let wanted =
            |t: &[Tensor]| reference::cross_entropy(&reference::linear(&t[0], &t[1], None)?, &targets, &weights);
        let found = |t: &[Tensor]| linear_cross_entropy(&t[0], &t[1], &targets, &weights);
        check(&format!("linear_cross_entropy {n} {v} {k}"), &vars, found, wanted);
    }
}

#[test]
fn chunks_add_up() {
    let mut random = Random::new(31);
    let (n, v, k) = (2500, 33, 8);
    let (targets, weights) = rows(&mut random, n, v);
    let vars = [random.var(&[n, k], 2.0), random.var(&[v, k], 2.0)];
    let found = linear_cross_entropy(&vars[0], &vars[1], &targets, &weights).unwrap();
    let wanted =
        reference::cross_entropy(&reference::linear(&vars[0], &vars[1], None).unwrap(), &targets, &weights).unwrap();
    assert_close("loss", &numbers(&found), &numbers(&wanted), 1e-5);
    let (found, wanted) = (found.backward().unwrap(), wanted.backward().unwrap());
    for var in &vars {
        assert_close("gradient", &numbers(found.get(var).unwrap()), &numbers(wanted.get(var).unwrap()), 1e-5);
    }
}

#[test]
fn rows_without_weight_are_not_read() {
    let logits = Tensor::new(&[[1f32, 2.0], [f32::NAN, f32::NAN]], &Device::Cpu).unwrap();
    let logits = Var::from_tensor(&logits).unwrap();
    let loss = cross_entropy(&logits, &[0, 99], &[3.0, 0.0]).unwrap();
    assert_close("loss", &numbers(&loss), &[(1.0 + 1f64.exp()).ln()], 1e-6);
    let grads = loss.backward().unwrap();
    assert_eq!(numbers(grads.get(&logits).unwrap())[2..], [0.0, 0.0]);
}

#[test]
fn no_weight_at_all_costs_nothing() {
    let mut random = Random::new(32);
    for (n, v) in [(3, 4), (0, 4)] {
        let (x, w) = (random.var(&[n, 2], 1.0), random.var(&[v, 2], 1.0));
        let (targets, weights) = (vec![0; n], vec![0.0; n]);
        let loss = linear_cross_entropy(&x, &w, &targets, &weights).unwrap();
        let grads = loss.backward().unwrap();
        assert_eq!(numbers(&loss), [0.0]);
        assert!([&x, &w].iter().all(|t| numbers(grads.get(t).unwrap()).iter().all(|g| *g == 0.0)));
        let logits = random.var(&[n, v], 1.0);
        for loss in [cross_entropy, reference::cross_entropy] {
            let loss = loss(&logits, &targets, &weights).unwrap();
            assert_eq!(numbers(&loss), [0.0]);
            let grads = loss.backward().unwrap();
            assert!(numbers(grads.get(&logits).unwrap()).iter().all(|g| *g == 0.0));
        }
    }
}

#[test]
fn impossible_classes_get_no_gradient() {
    let row = [0.5f32, f32::NEG_INFINITY, -1.0, f32::NEG_INFINITY];
    let logits = Var::from_tensor(&Tensor::new(&[row], &Device::Cpu).unwrap()).unwrap();
    let loss = cross_entropy(&logits, &[0], &[1.0]).unwrap();
    assert_close("loss", &numbers(&loss), &[(1.0 + (-1.5f64).exp()).ln()], 1e-6);
    let grads = numbers(loss.backward().unwrap().get(&logits).unwrap());
    assert_eq!([grads[1], grads[3]], [0.0, 0.0]);
}

#[test]
fn a_loss_inside_a_sum_passes_its_share_back_every_time() {
    let mut random = Random::new(33);
    let (x, w) = (random.var(&[4, 3], 1.0), random.var(&[5, 3], 1.0));
    let loss = linear_cross_entropy(&x, &w, &[0, 1, 2, 3], &[1.0; 4]).unwrap();
    let once = numbers(loss.backward().unwrap().get(&w).unwrap());
    let tripled = numbers((&loss * 3.0).unwrap().backward().unwrap().get(&w).unwrap());
    let wanted: Vec<f64> = once.iter().map(|g| 3.0 * g).collect();
    assert_close("three times the loss", &tripled, &wanted, 1e-6);
    let constant = linear_cross_entropy(&x.as_detached_tensor(), &w, &[0, 1, 2, 3], &[1.0; 4]).unwrap();
    let grads = constant.backward().unwrap();
    assert!(grads.get(&x).is_none());
    assert_close("with a frozen input", &numbers(grads.get(&w).unwrap()), &once, 1e-6);
}

#[test]
fn what_does_not_fit_is_an_error() {
    let x = Random::new(34).var(&[2, 3], 1.0);
    let errors: [(&[u32], &[f32]); 6] = [
        (&[0], &[1.0, 1.0]),
        (&[0, 1], &[1.0]),
        (&[0, 3], &[1.0, 1.0]),
        (&[0, 1], &[1.0, -1.0]),
        (&[0, 1], &[1.0, f32::NAN]),
        (&[0, 1], &[1.0, f32::INFINITY]),
    ];
    for (targets, weights) in errors {
        assert!(cross_entropy(&x, targets, weights).is_err(), "{targets:?} {weights:?}");
        assert!(linear_cross_entropy(&x, &x.as_detached_tensor(), targets, weights).is_err() || targets == [0, 3]);
    }
    assert!(linear_cross_entropy(&x, &Random::new(1).var(&[4, 2], 1.0), &[0, 1], &[1.0, 1.0]).is_err());
}
