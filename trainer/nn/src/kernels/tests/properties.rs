//! What holds for all kernels together: gradients arrive everywhere, and results do not depend on threads.

use super::super::math;
use super::super::{
    Attention, attention, cross_entropy, embedding, gelu, layer_norm, linear, linear_cross_entropy, rms_norm, rope,
    swiglu,
};
use super::Random;
use candle_core::{DType, Device, Result, Tensor, Var};
use std::sync::Arc;

/// All kernels in one small network.
struct Network {
    vars: Vec<Var>,
    ids: Tensor,
}

const POSITIONS: usize = 24;
const BATCH: usize = 12;

impl Network {
    fn new() -> Self {
        let mut random = Random::new(40);
        let shapes: [&[usize]; 12] = [
            &[300, 64],
            &[64],
            &[64, 64],
            &[64],
            &[32, 64],
            &[32, 64],
            &[64],
            &[64],
            &[176, 64],
            &[176, 64],
            &[64, 176],
            &[90, 64],
        ];
        let vars = shapes.iter().map(|s| random.var(s, 0.2)).collect();
        let ids = (0..BATCH * POSITIONS).map(|_| random.below(300) as u32).collect();
        Self { vars, ids: Tensor::from_vec(ids, (BATCH, POSITIONS), &Device::Cpu).unwrap() }
    }

    fn loss(&self) -> Result<Tensor> {
        let v = &self.vars;
        let x = embedding(&v[0], &self.ids)?;
        let y = rms_norm(&x, &v[1], 1e-6)?;
        let heads = |t: Tensor, h: usize| t.reshape((BATCH, POSITIONS, h, 16));
        let q = rope(&heads(linear(&y, &v[2], Some(&v[3]))?, 4)?, 0, 1e4)?;
        let k = rope(&heads(linear(&y, &v[4], None)?, 2)?, 0, 1e4)?;
        let values = heads(linear(&y, &v[5], None)?, 2)?;
        let lengths: Arc<[usize]> = (0..BATCH).map(|i| POSITIONS - i).collect();
        let mask = Attention { causal: true, ..Attention::bidirectional(lengths) };
        let x = (x + attention(&q, &k, &values, &mask)?)?;
        let y = layer_norm(&x, &v[6], &v[7], 1e-6)?;
        let hidden = swiglu(&linear(&y, &v[8], None)?, &gelu(&linear(&y, &v[9], None)?)?)?;
        let x = (x + linear(&hidden, &v[10], None)?)?.reshape((BATCH * POSITIONS, 64))?;
        let targets: Vec<u32> = (0..BATCH as u32 * POSITIONS as u32).map(|i| i % 90).collect();
        let weights = vec![1.0; targets.len()];
        let first = linear_cross_entropy(&x, &v[11], &targets, &weights)?;
        first + cross_entropy(&linear(&x, &v[11], None)?, &targets, &weights)?
    }

    /// Bits of the loss and of all gradients.
    fn bits(&self) -> Vec<Vec<u32>> {
        let loss = self.loss().unwrap();
        let grads = loss.backward().unwrap();
        let bits =
            |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap().iter().map(|v| v.to_bits()).collect();
        std::iter::once(&loss).chain(self.vars.iter().map(|v| grads.get(v).unwrap())).map(bits).collect()
    }
}

#[test]
fn every_variable_gets_a_gradient() {
    let network = Network::new();
    let grads = network.loss().unwrap().backward().unwrap();
    for (i, var) in network.vars.iter().enumerate() {
        let grad = grads.get(var).unwrap_or_else(|| panic!("variable {i} has no gradient"));
        let size = grad.abs().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
        assert!(size > 0.0 && size.is_finite(), "gradient {i} sums up to {size}");
    }
}

#[test]
fn results_do_not_depend_on_threads_or_runs() {
    let network = Network::new();
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| network.bits())
    };
    let wanted = with(1);
    for threads in [2, 2, 3, 5] {
        for (i, (found, wanted)) in with(threads).iter().zip(&wanted).enumerate() {
            assert!(found == wanted, "output {i} differs with {threads} threads");
        }
    }
}

#[test]
fn empty_inputs_pass_empty_gradients_back() {
    let mut random = Random::new(42);
    let mut var = |dims: &[usize]| random.var(dims, 1.0);
    let ids = Tensor::from_vec(Vec::<u32>::new(), (2, 0), &Device::Cpu).unwrap();
    let (x, w, n) = (var(&[2, 0, 4]), var(&[3, 4]), var(&[4]));
    let results = [
        linear(&x, &w, Some(&var(&[3]))),
        layer_norm(&x, &n, &n, 1e-5),
        rms_norm(&x, &n, 1e-5),
        gelu(&x),
        swiglu(&x, &x),
        rope(&var(&[2, 0, 1, 4]), 3, 1e4),
        embedding(&w, &ids),
        layer_norm(&var(&[2, 0]), &var(&[0]), &var(&[0]), 1e-5),
        linear(&x.transpose(1, 2).unwrap(), &var(&[3, 0]), None),
    ];
    for (i, y) in results.into_iter().enumerate() {
        let y = y.unwrap();
        let grads = y.sum_all().unwrap().backward().unwrap();
        let none = |v: &Var| grads.get(v).is_none_or(|g| super::numbers(g).iter().all(|g| *g == 0.0));
        assert!(none(&x) && none(&w) && none(&n), "operation {i} has a gradient from nothing");
    }
}

#[test]
fn wrong_shapes_are_errors() {
    let t = |dims: &[usize]| Random::new(41).var(dims, 1.0).as_detached_tensor();
    let f64 = |dims: &[usize]| t(dims).to_dtype(DType::F64).unwrap();
    assert!(linear(&t(&[2, 3]), &t(&[4, 2]), None).is_err());
    assert!(linear(&t(&[2, 3]), &t(&[3]), None).is_err());
    assert!(linear(&t(&[]), &t(&[3, 1]), None).is_err());
    assert!(linear(&t(&[2, 3]), &t(&[4, 3]), Some(&t(&[3]))).is_err());
    assert!(linear(&t(&[2, 3]), &f64(&[4, 3]), None).is_err());
    assert!(layer_norm(&t(&[2, 3]), &t(&[3]), &t(&[2]), 1e-5).is_err());
    assert!(rms_norm(&t(&[2, 3]), &t(&[1, 3]), 1e-5).is_err());
    assert!(rms_norm(&t(&[]), &t(&[1]), 1e-5).is_err());
    assert!(swiglu(&t(&[2, 3]), &t(&[3, 2])).is_err());
    assert!(rope(&t(&[1, 2, 3, 5]), 0, 1e4).is_err());
    assert!(rope(&t(&[2, 3, 4]), 0, 1e4).is_err());
    let ids = |ids: &[u32]| Tensor::new(ids, &Device::Cpu).unwrap();
    assert!(embedding(&t(&[2, 3]), &ids(&[0, 2])).is_err());
    assert!(embedding(&t(&[2]), &ids(&[0])).is_err());
    assert!(embedding(&t(&[2, 3]), &t(&[1])).is_err());
}

#[test]
fn exp_is_exact_to_a_few_units() {
    for i in -87_000..88_000 {
        let x = i as f32 / 1000.0;
        let wanted = f64::from(x).exp();
        assert!((f64::from(math::exp(x)) / wanted - 1.0).abs() < 3e-7, "exp({x}) is {}", math::exp(x));
    }
    assert_eq!(math::exp(f32::NEG_INFINITY), 0.0);
    assert_eq!(math::exp(0.0), 1.0);
    assert!(math::exp(f32::NAN).is_nan());
}
