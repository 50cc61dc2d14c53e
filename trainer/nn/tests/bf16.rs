//! A small decoder learns as well with bf16 products as with f32. A process of its own, because the choice is global.
#![allow(clippy::unwrap_used, reason = "a test")]

use candle_core::{Device, Result, Tensor, Var};
use tomas_nn::kernels::{self, Attention};
use tomas_nn::optimizer::{AdamW, AdamWConfig, Group};

const BATCH: usize = 16;
const POSITIONS: usize = 24;
const WIDTH: usize = 64;
const SYMBOLS: usize = 48;

/// Numbers that look random.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }
}

struct Model(Vec<Var>);

impl Model {
    fn new() -> Self {
        let mut random = Random(7);
        let shapes = [
            [SYMBOLS, WIDTH],
            [WIDTH, WIDTH],
            [WIDTH, WIDTH],
            [WIDTH, WIDTH],
            [WIDTH, WIDTH],
            [128, WIDTH],
            [128, WIDTH],
            [WIDTH, 128],
        ];
        let var = |[n, k]: [usize; 2]| {
            let values = (0..n * k).map(|_| (random.next() % 2001) as f32 / 1000.0 - 1.0).map(|v| v * 0.15).collect();
            Var::from_tensor(&Tensor::from_vec(values, (n, k), &Device::Cpu).unwrap()).unwrap()
        };
        Self(shapes.map(var).into())
    }

    fn loss(&self, ids: &[u32]) -> Result<Tensor> {
        let v = &self.0;
        let norm = Tensor::ones(WIDTH, candle_core::DType::F32, &Device::Cpu)?;
        let x = kernels::embedding(&v[0], &Tensor::from_slice(ids, (BATCH, POSITIONS), &Device::Cpu)?)?;
        let y = kernels::rms_norm(&x, &norm, 1e-6)?;
        let heads = |i: usize| kernels::linear(&y, &v[i], None)?.reshape((BATCH, POSITIONS, 4, 16));
        let (q, k) = (kernels::rope(&heads(1)?, 0, 1e3)?, kernels::rope(&heads(2)?, 0, 1e3)?);
        let x = (x + kernels::linear(&kernels::attention(&q, &k, &heads(3)?, &Attention::causal())?, &v[4], None)?)?;
        let y = kernels::rms_norm(&x, &norm, 1e-6)?;
        let y = kernels::swiglu(&kernels::linear(&y, &v[5], None)?, &kernels::linear(&y, &v[6], None)?)?;
        let x = kernels::rms_norm(&(x + kernels::linear(&y, &v[7], None)?)?, &norm, 1e-6)?;
        let x = x.reshape((BATCH * POSITIONS, WIDTH))?;
        let next = |i: usize| ids.get(i + 1).copied().unwrap_or_default();
        let targets: Vec<u32> = (0..ids.len()).map(next).collect();
        let weights: Vec<f32> =
            (0..ids.len()).map(|i| if i % POSITIONS + 1 == POSITIONS { 0.0 } else { 1.0 }).collect();
        kernels::linear_cross_entropy(&x, &v[0], &targets, &weights)
    }

    /// Trains on sequences whose every symbol follows from the one before; returns the mean of the last ten losses.
    fn train(&self) -> f32 {
        let vars = self.0.iter().enumerate().map(|(i, v)| (i.to_string(), v.clone())).collect();
        let group = Group { vars, weight_decay: 0.01, rate_scale: 1.0 };
        let mut optimizer = AdamW::new(vec![group], AdamWConfig::default(), 3e-3).unwrap();
        let mut random = Random(11);
        let mut last = Vec::new();
        for step in 0..120 {
            let mut ids = Vec::new();
            for _ in 0..BATCH {
                let mut id = random.next() as u32 % SYMBOLS as u32;
                for _ in 0..POSITIONS {
                    ids.push(id);
                    // One of two successors, so that the loss cannot vanish.
                    id = (id * 5 + 7 + random.next() as u32 % 2) % SYMBOLS as u32;
                }
            }
            let loss = self.loss(&ids).unwrap();
            optimizer.step_clipped(&loss.backward().unwrap(), 1.0).unwrap();
            if step >= 110 {
                last.push(loss.to_scalar::<f32>().unwrap());
            }
        }
        last.iter().sum::<f32>() / last.len() as f32
    }
}

#[test]
fn bf16_learns_as_well_as_f32() {
    let exact = Model::new().train();
    let available = kernels::set_bf16(true);
    let rounded = Model::new().train();
    // ln 2 is the least possible; ln 48 = 3.87 is what knows nothing.
    assert!(exact < 0.9, "the f32 model has not learnt: {exact}");
    assert!((rounded - exact).abs() < 0.02, "bf16 ends at {rounded}, f32 at {exact}");
    assert_eq!(available, rounded != exact, "bf16 changes the numbers exactly if it is there");
}
