//! The overlap check: no wording, open value or whole request lies on two sides of the split. It fails the build.

use super::{sample::Sample, split::Split};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What the check counted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Counts {
    /// Samples on each side.
    pub samples: BTreeMap<Split, usize>,
    /// Distinct wordings on each side.
    pub wordings: BTreeMap<Split, usize>,
    /// Distinct open values on each side.
    pub values: BTreeMap<Split, usize>,
    /// Distinct requests on each side.
    pub requests: BTreeMap<Split, usize>,
    /// The augmentation factor: training samples from templates for each training wording.
    pub augmentation: f64,
}

/// Two sides share something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} `{text}` is on the {} side and on the {} side\nhint: this is a defect of the builder; held-out figures would be wrong", .sides.0.name(), .sides.1.name())]
pub struct Overlap {
    kind: &'static str,
    text: String,
    sides: (Split, Split),
}

/// Checks all samples together.
///
/// # Errors
/// Names the first thing found on two sides.
pub fn check(samples: &[Sample]) -> Result<Counts, Overlap> {
    let templated = |s: &&Sample| s.source.contains('#');
    let wordings = sides("wording", samples.iter().filter(templated).map(|s| (s.source.clone(), s.split)))?;
    let values = sides("value", samples.iter().flat_map(|s| s.values.iter().map(move |v| (v.clone(), s.split))))?;
    let requests = sides("request", samples.iter().map(|s| (s.query.text.to_lowercase(), s.split)))?;
    let mut counts = BTreeMap::new();
    samples.iter().for_each(|s| *counts.entry(s.split).or_insert(0) += 1);
    let augmented = samples.iter().filter(templated).filter(|s| s.split == Split::Train).count();
    #[expect(clippy::cast_precision_loss, reason = "counts of samples")]
    let augmentation = augmented as f64 / wordings.get(&Split::Train).copied().unwrap_or(0).max(1) as f64;
    Ok(Counts { samples: counts, wordings, values, requests, augmentation })
}

fn sides(kind: &'static str, items: impl Iterator<Item = (String, Split)>) -> Result<BTreeMap<Split, usize>, Overlap> {
    let mut seen: BTreeMap<String, Split> = BTreeMap::new();
    let mut counts: BTreeMap<Split, BTreeSet<String>> = BTreeMap::new();
    for (text, split) in items {
        if let Some(&other) = seen.get(&text)
            && other != split
        {
            return Err(Overlap { kind, text, sides: (other, split) });
        }
        counts.entry(split).or_default().insert(text.clone());
        seen.insert(text, split);
    }
    Ok(counts.into_iter().map(|(s, set)| (s, set.len())).collect())
}
