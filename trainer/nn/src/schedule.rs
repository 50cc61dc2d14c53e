//! The learning rate over a run.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Rises linearly, then falls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// The highest learning rate.
    pub peak: f64,
    /// Steps over which it rises from 0 to the peak.
    pub warmup: u64,
    /// Steps of the whole run.
    pub steps: u64,
    /// The learning rate at the end, as a part of the peak.
    pub floor: f64,
    /// How it falls after the warm-up.
    pub shape: Shape,
}

/// How a learning rate falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// Not at all.
    Constant,
    /// In a straight line.
    Linear,
    /// Along half a cosine.
    Cosine,
}

impl Schedule {
    /// Whether such a schedule makes sense.
    ///
    /// # Errors
    /// [`Error::Config`] names the key, what was found and what is allowed.
    pub fn check(&self) -> Result<()> {
        let wrong = |key: &str, found: f64, allowed: &str| {
            Err(Error::Config(format!("`{key}` is `{found}`; allowed is {allowed}")))
        };
        if !(self.peak.is_finite() && self.peak > 0.0) {
            return wrong("peak", self.peak, "a number above 0");
        }
        if !(0.0..=1.0).contains(&self.floor) {
            return wrong("floor", self.floor, "0 to 1");
        }
        if self.steps == 0 {
            return wrong("steps", 0.0, "1 and above");
        }
        if self.warmup > self.steps {
            return wrong("warmup", self.warmup as f64, "at most `steps`");
        }
        Ok(())
    }

    /// The learning rate of step `step`, counted from 0; that of the end for any step beyond it.
    #[must_use]
    pub fn rate(&self, step: u64) -> f64 {
        if step < self.warmup {
            return self.peak * (step + 1) as f64 / self.warmup as f64;
        }
        let rest = self.steps.saturating_sub(self.warmup).max(1);
        let done = ((step - self.warmup) as f64 / rest as f64).min(1.0);
        let height = match self.shape {
            Shape::Constant => 1.0,
            Shape::Linear => 1.0 - done,
            Shape::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * done).cos()),
        };
        match self.shape {
            Shape::Constant => self.peak,
            _ => self.peak * (self.floor + (1.0 - self.floor) * height),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(shape: Shape) -> Schedule {
        Schedule { peak: 2.0, warmup: 4, steps: 14, floor: 0.1, shape }
    }

    #[test]
    fn it_rises_then_falls_to_the_floor() {
        let rates = |shape, steps: [u64; 4]| steps.map(|step| (schedule(shape).rate(step) * 1000.0).round() / 1000.0);
        assert_eq!(rates(Shape::Cosine, [0, 3, 9, 14]), [0.5, 2.0, 1.1, 0.2]);
        assert_eq!(rates(Shape::Linear, [1, 4, 9, 99]), [1.0, 2.0, 1.1, 0.2]);
        assert_eq!(rates(Shape::Constant, [2, 5, 14, 99]), [1.5, 2.0, 2.0, 2.0]);
    }

    #[test]
    fn impossible_schedules_are_refused() {
        let good = schedule(Shape::Cosine);
        assert!(good.check().is_ok());
        for bad in [
            Schedule { peak: f64::NAN, ..good.clone() },
            Schedule { peak: 0.0, ..good.clone() },
            Schedule { floor: 1.5, ..good.clone() },
            Schedule { steps: 0, warmup: 0, ..good.clone() },
            Schedule { warmup: 15, ..good.clone() },
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }
}
