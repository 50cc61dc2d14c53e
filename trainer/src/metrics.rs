//! Rates with their n and a confidence interval, and quantiles.

use serde::Serialize;

/// A rate over n trials.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Rate {
    /// Successes.
    pub hits: u32,
    /// Trials.
    pub n: u32,
}

impl Rate {
    /// Counts one trial.
    pub fn add(&mut self, hit: bool) {
        self.n += 1;
        self.hits += u32::from(hit);
    }

    /// The share of successes; 0 without trials.
    #[must_use]
    pub fn value(&self) -> f64 {
        f64::from(self.hits) / f64::from(self.n.max(1))
    }

    /// The 95 % Wilson score interval (Wilson, 1927): bounds of the underlying probability.
    #[must_use]
    pub fn interval(&self) -> (f64, f64) {
        const Z: f64 = 1.959_964;
        let n = f64::from(self.n.max(1));
        let p = self.value();
        let z2 = Z * Z;
        let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
        let half = Z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
        ((centre - half).max(0.0), (centre + half).min(1.0))
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (low, high) = self.interval();
        write!(f, "{:.1} % [{:.1}, {:.1}] (n = {})", self.value() * 100.0, low * 100.0, high * 100.0, self.n)
    }
}

/// The value below which a share `q` of the values lies, by nearest rank; 0 without values. Sorts in place.
pub fn quantile(values: &mut [f64], q: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a rank")]
    let rank = ((values.len() as f64 * q).ceil() as usize).saturating_sub(1);
    values.get(rank).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_interval_of_a_known_case() {
        // 8 of 10: 0.490 to 0.943 (Newcombe, 1998).
        let (low, high) = Rate { hits: 8, n: 10 }.interval();
        assert!((low - 0.490).abs() < 1e-3 && (high - 0.943).abs() < 1e-3, "{low} {high}");
    }

    #[test]
    fn quantiles_by_nearest_rank() {
        assert!((quantile(&mut [3.0, 1.0, 2.0], 0.5) - 2.0).abs() < 1e-12);
        assert!((quantile(&mut [], 0.5)).abs() < 1e-12);
    }
}
