//! Gradients of a batch by several threads: each takes a part of it, and the parts are added up.
//!
//! On two cores this is a third faster than sharing out every operation, because the many small operations between the
//! matrix products are not worth sharing out, and nobody waits for the other thread before the end.

use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::batch::{Batch, Example};
use super::loss::{LossParts, LossWeights, Part};
use super::{PlannerConfig, PlannerNet};
use crate::error::{Error, Result};

/// Threads that compute gradients. How many there are decides how sums are rounded, so a run that should be repeatable
/// fixes it.
#[derive(Debug)]
pub struct Workers(Vec<ThreadPool>);

/// The loss of a batch, in numbers; see [`LossParts`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Losses {
    /// The weighted sum of the parts.
    pub total: f32,
    /// Tools.
    pub route: Part,
    /// Configurations.
    pub configuration: Part,
    /// Symbols.
    pub symbol: Part,
    /// Pieces.
    pub pointer: Part,
}

impl Workers {
    /// So many threads, at least one.
    ///
    /// # Errors
    /// [`Error::Input`] if the system gives no thread.
    pub fn new(count: usize) -> Result<Self> {
        // A pool of one thread runs the operations' parallel loops one after the other, on that thread.
        let pool = |_| ThreadPoolBuilder::new().num_threads(1).build();
        let pools = (0..count.max(1)).map(pool).collect::<std::result::Result<_, _>>();
        Ok(Self(pools.map_err(|e| Error::Input(format!("no thread for a worker: {e}")))?))
    }
}

impl PlannerNet {
    /// Loss and gradients of a batch of examples, as `loss` and `backward` give them but for the order of sums.
    ///
    /// # Errors
    /// As [`Batch::new`] and [`PlannerNet::loss`].
    pub fn gradients(
        &self,
        examples: &[Example<'_>],
        weights: &LossWeights,
        workers: &Workers,
    ) -> Result<(Losses, GradStore)> {
        let parts = deal(self.config(), examples, workers.0.len())?;
        let counts: Vec<[f32; 4]> = parts.iter().map(Batch::counts).collect();
        let total = counts.iter().fold([0.0; 4], |sum, part| std::array::from_fn(|i| sum[i] + part[i]));
        let share = |part: [f32; 4]| {
            weights.scaled(std::array::from_fn(|i| if total[i] > 0.0 { part[i] / total[i] } else { 0.0 }))
        };
        let work = |(batch, part): (&Batch, [f32; 4])| -> Result<(LossParts, GradStore)> {
            let loss = self.loss(batch, &share(part))?;
            let gradients = loss.total.backward()?;
            Ok((loss, gradients))
        };
        let work = &work;
        let results: Vec<Result<_>> = std::thread::scope(|scope| {
            let jobs = parts.iter().zip(counts.iter().copied());
            let running: Vec<_> =
                jobs.zip(&workers.0).map(|(job, pool)| scope.spawn(move || pool.install(|| work(job)))).collect();
            let panicked = |_| Err(Error::Input("a worker panicked".to_owned()));
            running.into_iter().map(|thread| thread.join().unwrap_or_else(panicked)).collect()
        });
        let mut losses = Losses::default();
        let mut stores = Vec::with_capacity(results.len());
        for result in results {
            let (loss, store) = result?;
            losses.add(&loss)?;
            stores.push(store);
        }
        Ok((losses, self.sum(stores)?))
    }

    /// Adds the gradients of all parameters up, in the order of the workers.
    fn sum(&self, stores: Vec<GradStore>) -> Result<GradStore> {
        let mut stores = stores.into_iter();
        let Some(mut all) = stores.next() else { return Err(Error::Input("a batch of no examples".to_owned())) };
        for mut store in stores {
            let pairs: Vec<_> = self
                .parameters()
                .iter()
                .filter_map(|(_, p)| store.remove(p.var.as_tensor()).map(|grad| (p.var.as_tensor(), grad)))
                .collect();
            let sums: Vec<Result<Tensor>> = pairs
                .par_iter()
                .map(|(var, grad)| Ok(all.get(var).map_or_else(|| Ok(grad.clone()), |sum| sum + grad)?))
                .collect();
            for ((var, _), sum) in pairs.iter().zip(sums) {
                all.insert(var, sum?);
            }
        }
        Ok(all)
    }
}

/// Deals examples out in turns, so that parts of a batch that is sorted by length are alike.
fn deal(config: &PlannerConfig, examples: &[Example<'_>], workers: usize) -> Result<Vec<Batch>> {
    let parts = workers.min(examples.len()).max(1);
    (0..parts)
        .map(|n| {
            let part: Vec<Example<'_>> = examples.iter().skip(n).step_by(parts).copied().collect();
            Batch::new(config, &part, &Device::Cpu)
        })
        .collect()
}

impl Losses {
    fn add(&mut self, part: &LossParts) -> Result<()> {
        self.total += part.total.to_scalar::<f32>()?;
        for (sum, part) in [
            (&mut self.route, part.route),
            (&mut self.configuration, part.configuration),
            (&mut self.symbol, part.symbol),
            (&mut self.pointer, part.pointer),
        ] {
            let count = sum.count + part.count;
            if count > 0.0 {
                sum.loss = (sum.loss * sum.count + part.loss * part.count) / count;
            }
            sum.count = count;
        }
        Ok(())
    }
}

impl LossWeights {
    /// Each weight times its factor: route, configuration, symbol, pointer.
    fn scaled(&self, by: [f32; 4]) -> Self {
        let [route, configuration, symbol, pointer] = by.map(f64::from);
        Self {
            route: self.route * route,
            configuration: self.configuration * configuration,
            symbol: self.symbol * symbol,
            pointer: self.pointer * pointer,
        }
    }
}
