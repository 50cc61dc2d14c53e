//! Every kernel against the reference in `f64`, its gradients against central differences of that.

mod attention;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod bf16;
mod losses;
mod operations;
mod properties;

use candle_core::{DType, Device, Result, Tensor, Var};

/// A small generator of random numbers, so that a failure can be repeated.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number in `0..n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % n
    }

    /// Numbers in -1..1.
    pub(crate) fn values(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| self.below(1 << 20) as f32 / (1 << 19) as f32 - 1.0).collect()
    }

    /// A variable of numbers in `-scale..scale`.
    pub(crate) fn var(&mut self, dims: &[usize], scale: f32) -> Var {
        let values = self.values(dims.iter().product()).into_iter().map(|v| v * scale).collect();
        Var::from_tensor(&Tensor::from_vec(values, dims, &Device::Cpu).unwrap()).unwrap()
    }
}

/// All elements in `f64`.
pub(crate) fn numbers(t: &Tensor) -> Vec<f64> {
    t.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

/// Fails if two lists differ by more than `tolerance`, relative above 1.
pub(crate) fn assert_close(what: &str, found: &[f64], wanted: &[f64], tolerance: f64) {
    assert_eq!(found.len(), wanted.len(), "{what}: number of elements");
    for (i, (f, w)) in found.iter().zip(wanted).enumerate() {
        let close = (f - w).abs() <= tolerance * w.abs().max(1.0);
        assert!(close, "{what}: element {i} is {f}, expected {w}");
    }
}

/// The gradients of `Σ f(vars) r` for a fixed random `r`.
fn gradients(f: &dyn Fn(&[Tensor]) -> Result<Tensor>, vars: &[Var], r: &Tensor) -> Vec<Vec<f64>> {
    let inputs: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
    let y = f(&inputs).unwrap();
    if y.elem_count() == 0 {
        // candle's own operations return an input instead of an empty result, which disconnects the others.
        return vars.iter().map(|v| vec![0.0; v.elem_count()]).collect();
    }
    let loss = y.mul(r).unwrap().sum_all().unwrap();
    let grads = loss.backward().unwrap();
    let gradient = |(i, v): (usize, &Var)| {
        let grad = grads.get(v).unwrap_or_else(|| panic!("variable {i} has no gradient"));
        assert_eq!(grad.dims(), v.dims(), "shape of gradient {i}");
        numbers(grad)
    };
    vars.iter().enumerate().map(gradient).collect()
}

/// Compares `fused` in `f32` with `reference` in `f64`: results, gradients by candle and central differences.
pub(crate) fn check(
    what: &str,
    vars: &[Var],
    fused: impl Fn(&[Tensor]) -> Result<Tensor>,
    reference: impl Fn(&[Tensor]) -> Result<Tensor>,
) {
    let doubles: Vec<Var> = vars.iter().map(|v| Var::from_tensor(&v.to_dtype(DType::F64).unwrap()).unwrap()).collect();
    let inputs = |vars: &[Var]| vars.iter().map(|v| v.as_tensor().clone()).collect::<Vec<_>>();
    let (found, wanted) = (fused(&inputs(vars)).unwrap(), reference(&inputs(&doubles)).unwrap());
    assert_eq!(found.dims(), wanted.dims(), "{what}: shape");
    assert_close(what, &numbers(&found), &numbers(&wanted), 4e-6);
    let r = Random::new(5).values(wanted.elem_count());
    let r = Tensor::from_vec(r, wanted.dims(), &Device::Cpu).unwrap();
    let r64 = r.to_dtype(DType::F64).unwrap();
    let of_fused = gradients(&fused, vars, &r);
    let of_reference = gradients(&reference, &doubles, &r64);
    for (i, (found, wanted)) in of_fused.iter().zip(&of_reference).enumerate() {
        assert_close(&format!("{what}: gradient {i} against the reference"), found, wanted, 2e-5);
        let differences = differences(&reference, &doubles, i, &r64);
        assert_close(&format!("{what}: gradient {i} against differences"), found, &differences, 2e-5);
    }
}

/// Central differences of `Σ f(vars) r` by the elements of variable `i`.
fn differences(f: &dyn Fn(&[Tensor]) -> Result<Tensor>, vars: &[Var], i: usize, r: &Tensor) -> Vec<f64> {
    const STEP: f64 = 1e-5;
    let value = |element: usize, step: f64| {
        let inputs = vars.iter().enumerate().map(|(j, v)| {
            let mut data = numbers(v);
            if i == j {
                data[element] += step;
            }
            Tensor::from_vec(data, v.shape(), &Device::Cpu).unwrap()
        });
        let inputs: Vec<Tensor> = inputs.collect();
        f(&inputs).unwrap().mul(r).unwrap().sum_all().unwrap().to_scalar::<f64>().unwrap()
    };
    let difference = |e| (value(e, STEP) - value(e, -STEP)) / (2.0 * STEP);
    (0..vars[i].elem_count()).map(difference).collect()
}
