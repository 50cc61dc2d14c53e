//! AdamW against its formula in `f64`, and what must hold when a run is resumed.

use super::*;
use candle_core::Device;

fn var(values: &[f32]) -> Var {
    Var::from_tensor(&Tensor::new(values, &Device::Cpu).unwrap()).unwrap()
}

fn values(t: &Tensor) -> Vec<f32> {
    t.to_dtype(DType::F32).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

fn group(vars: &[(&str, &Var)], weight_decay: f64, rate_scale: f64) -> Group {
    let vars = vars.iter().map(|(n, v)| (n.to_string(), (*v).clone())).collect();
    Group { vars, weight_decay, rate_scale }
}

/// The gradients of `Σ x³ / 3`, which are `x²`.
fn grads(vars: &[&Var]) -> GradStore {
    let cubes = vars
        .iter()
        .map(|v| (v.as_tensor().powf(3.0).unwrap().sum_all().unwrap().to_dtype(DType::F32).unwrap() / 3.0).unwrap());
    cubes.reduce(|a, b| (a + b).unwrap()).unwrap().backward().unwrap()
}

/// The formula for one parameter whose gradient is its square.
fn expected(start: f64, steps: i32, rate: f64, decay: f64) -> f64 {
    let (mut p, mut m, mut v) = (start, 0.0, 0.0);
    for t in 1..=steps {
        let g = p * p;
        m = 0.9 * m + 0.1 * g;
        v = 0.999 * v + 0.001 * g * g;
        let (m_hat, v_hat) = (m / (1.0 - 0.9f64.powi(t)), v / (1.0 - 0.999f64.powi(t)));
        p = p - rate * decay * p - rate * m_hat / (v_hat.sqrt() + 1e-8);
    }
    p
}

#[test]
fn steps_follow_the_formula_in_every_group() {
    let (a, b) = (var(&[0.5, -2.0, 3.0]), var(&[1.5]));
    let groups = vec![group(&[("a", &a)], 0.1, 1.0), group(&[("b", &b)], 0.0, 0.5)];
    let mut optimizer = AdamW::new(groups, AdamWConfig::default(), 0.01).unwrap();
    for _ in 0..20 {
        optimizer.step(&grads(&[&a, &b])).unwrap();
    }
    assert_eq!(optimizer.steps(), 20);
    for (found, start) in values(&a).iter().zip([0.5, -2.0, 3.0]) {
        assert!((f64::from(*found) - expected(start, 20, 0.01, 0.1)).abs() < 1e-5);
    }
    assert!((f64::from(values(&b)[0]) - expected(1.5, 20, 0.005, 0.0)).abs() < 1e-5);
}

#[test]
fn other_dtypes_take_the_same_steps() {
    let a = var(&[0.5, -2.0, 3.0]);
    let a = Var::from_tensor(&a.to_dtype(DType::F64).unwrap()).unwrap();
    let mut optimizer = AdamW::new(vec![group(&[("a", &a)], 0.1, 1.0)], AdamWConfig::default(), 0.01).unwrap();
    for _ in 0..20 {
        optimizer.step(&grads(&[&a])).unwrap();
    }
    for (found, start) in values(&a).iter().zip([0.5, -2.0, 3.0]) {
        assert!((f64::from(*found) - expected(start, 20, 0.01, 0.1)).abs() < 1e-5);
    }
}

#[test]
fn a_resumed_run_goes_on_to_the_same_bits() {
    let start: Vec<f32> = (0..40_000).map(|i| (i as f32 * 0.37).sin()).collect();
    let fresh = |v: &Var| AdamW::new(vec![group(&[("v", v)], 0.01, 1.0)], AdamWConfig::default(), 0.01).unwrap();
    let whole = var(&start);
    let mut optimizer = fresh(&whole);
    let mut saved = None;
    for step in 0..10 {
        if step == 5 {
            saved = Some((values(&whole), optimizer.moments().unwrap(), optimizer.steps()));
        }
        optimizer.step_clipped(&grads(&[&whole]), 1.0).unwrap();
    }
    let (parameters, moments, steps) = saved.unwrap();
    let resumed = var(&parameters);
    let mut optimizer = fresh(&resumed);
    optimizer.restore(&moments, steps).unwrap();
    for _ in 5..10 {
        optimizer.step_clipped(&grads(&[&resumed]), 1.0).unwrap();
    }
    assert_eq!(values(&whole), values(&resumed));
    assert_eq!(optimizer.steps(), 10);
}

/// Scales the gradients of these parameters down to a global norm of `max_norm` if theirs is above; returns the norm
/// before: what [`AdamW::step_clipped`] does, in a pass of its own over the gradients.
fn clip_grad_norm(vars: &[Var], grads: &mut GradStore, max_norm: f64) -> Result<f64> {
    let norm = global_norm(vars, grads)?;
    let factor = clip_factor(norm, max_norm);
    if norm.is_finite() && factor < 1.0 {
        for var in vars {
            if let Some(grad) = grads.remove(var) {
                grads.insert(var, (grad * factor)?);
            }
        }
    }
    Ok(norm)
}

#[test]
fn clipping_scales_to_the_norm() {
    let (a, b) = (var(&[1.0, 2.0]), var(&[3.0]));
    let norm = (1.0f64 + 16.0 + 81.0).sqrt();
    let mut store = grads(&[&a, &b]);
    assert!((clip_grad_norm(&[a.clone(), b.clone()], &mut store, 2.0).unwrap() - norm).abs() < 1e-5);
    assert!((global_norm([&a, &b], &store).unwrap() - 2.0).abs() < 1e-5);
    assert!((clip_grad_norm(&[a.clone(), b.clone()], &mut store, 5.0).unwrap() - 2.0).abs() < 1e-5);
    assert!((global_norm([&a, &b], &store).unwrap() - 2.0).abs() < 1e-5);

    // A clipped step equals a step with clipped gradients.
    let c = var(&[1.0, 2.0]);
    let optimizer = |v: &Var| {
        AdamW::new(vec![group(&[("v", v)], 0.0, 1.0)], AdamWConfig { eps: 0.1, ..Default::default() }, 0.1).unwrap()
    };
    let (mut of_a, mut of_c) = (optimizer(&a), optimizer(&c));
    of_a.step_clipped(&grads(&[&a]), 0.5).unwrap();
    let mut store = grads(&[&c]);
    clip_grad_norm(std::slice::from_ref(&c), &mut store, 0.5).unwrap();
    of_c.step(&store).unwrap();
    assert!(values(&a).iter().zip(values(&c)).all(|(a, c)| (a - c).abs() < 1e-6));
}

#[test]
fn gradients_that_are_not_finite_change_nothing() {
    let a = var(&[f32::INFINITY, 1.0]);
    let b = var(&[1.0]);
    let mut optimizer =
        AdamW::new(vec![group(&[("a", &a), ("b", &b)], 0.1, 1.0)], AdamWConfig::default(), 0.1).unwrap();
    assert!(!optimizer.step_clipped(&grads(&[&a, &b]), 1.0).unwrap().is_finite());
    assert_eq!(values(&b), [1.0]);
    assert_eq!(optimizer.steps(), 0);
}

#[test]
fn parameters_without_a_gradient_stay() {
    let (a, b) = (var(&[1.0]), var(&[2.0]));
    let mut optimizer =
        AdamW::new(vec![group(&[("a", &a), ("b", &b)], 0.1, 1.0)], AdamWConfig::default(), 0.1).unwrap();
    optimizer.step(&grads(&[&a])).unwrap();
    assert!(values(&a)[0] < 1.0);
    assert_eq!(values(&b), [2.0]);
}

#[test]
fn what_does_not_fit_is_an_error() {
    let (a, b) = (var(&[1.0]), var(&[2.0, 3.0]));
    let config = AdamWConfig::default();
    assert!(AdamW::new(vec![group(&[("a", &a)], 0.0, 1.0), group(&[("a", &b)], 0.0, 1.0)], config, 0.1).is_err());
    assert!(AdamW::new(vec![group(&[("a", &a), ("b", &a)], 0.0, 1.0)], config, 0.1).is_err());
    let ids = Var::from_tensor(&Tensor::new(&[1u32], &Device::Cpu).unwrap()).unwrap();
    assert!(AdamW::new(vec![group(&[("ids", &ids)], 0.0, 1.0)], config, 0.1).is_err());

    let optimizer = |name, v: &Var| AdamW::new(vec![group(&[(name, v)], 0.0, 1.0)], config, 0.1).unwrap();
    let moments = optimizer("a", &a).moments().unwrap();
    assert!(optimizer("b", &a).restore(&moments, 1).is_err());
    assert!(optimizer("a", &b).restore(&moments, 1).is_err());
    assert!(optimizer("a", &a).restore(&moments, 1).is_ok());
}
