//! Okapi BM25 (Robertson and Zaragoza, 2009) over passages.

use crate::passage::{Corpus, Hit};
use crate::query::Query;

/// How fast repetition of a word saturates.
const K1: f64 = 1.2;
/// How much long passages are held back.
const B: f64 = 0.75;

/// The `limit` best hits with their scores, best first; equals in the order of the files.
pub(crate) fn best<'a>(corpus: &'a Corpus, query: &Query, limit: usize) -> Vec<(f64, &'a Hit)> {
    let passages = f64::from(corpus.passages.max(1));
    let mean = corpus.words as f64 / passages;
    let weights: Vec<f64> = corpus.frequencies.iter().map(|&frequency| idf(passages, f64::from(frequency))).collect();
    let mut scored: Vec<(f64, &Hit)> = corpus.hits.iter().map(|hit| (score(hit, &weights, mean, query), hit)).collect();
    scored.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    scored.truncate(limit);
    scored
}

/// Inverse document frequency that is never negative (Lucene's form).
fn idf(passages: f64, frequency: f64) -> f64 {
    (1.0 + (passages - frequency + 0.5) / (frequency + 0.5)).ln()
}

/// BM25, times the share of the query's words that occur: people who give two words want both.
fn score(hit: &Hit, weights: &[f64], mean: f64, query: &Query) -> f64 {
    let length = 1.0 - B + B * f64::from(hit.length) / mean;
    let mut sum = 0.0;
    let mut present = 0;
    for (&count, weight) in hit.counts.iter().zip(weights) {
        let count = f64::from(count);
        sum += weight * count * (K1 + 1.0) / (count + K1 * length);
        present += usize::from(count > 0.0);
    }
    sum * (0.5 + 0.5 * present as f64 / query.len() as f64)
}
