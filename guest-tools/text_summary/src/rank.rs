//! Which sentences are central: PageRank over similarities, then a choice that avoids repetition.

use tomas_tool_sdk::progress;

use crate::similarity::Vectors;

/// Sentences that are compared with each other at once; the matrix takes `4 * BLOCK * BLOCK` bytes.
pub(crate) const BLOCK: usize = 2048;
/// The damping factor of PageRank.
const DAMPING: f32 = 0.85;
/// Iterations end when no rank moves by more than this share of the mean rank.
const TOLERANCE: f32 = 1e-3;
/// Iterations at most.
const ITERATIONS: usize = 60;
/// How much earlier sentences gain: the first of a text this share over the last.
const LEAD: f32 = 0.25;

/// The indices of the `wanted` most central sentences, best first; all when there are not more.
#[must_use]
pub(crate) fn central(sentences: &[&str], wanted: usize) -> Vec<usize> {
    let mut candidates: Vec<usize> = (0..sentences.len()).collect();
    // Each round keeps the better part of every block, so a long text needs few rounds.
    while candidates.len() > BLOCK {
        let keep = wanted.max(BLOCK / 8);
        let total = candidates.len() as u64;
        let mut kept = Vec::new();
        for block in candidates.chunks(BLOCK) {
            kept.extend(best(sentences, block, keep));
            progress::report(kept.len() as u64, total, "ranking sentences");
        }
        kept.sort_unstable();
        candidates = kept;
    }
    best(sentences, &candidates, wanted)
}

/// The `wanted` most central of the sentences with these indices.
fn best(sentences: &[&str], indices: &[usize], wanted: usize) -> Vec<usize> {
    let texts: Vec<&str> = indices.iter().filter_map(|&index| sentences.get(index)).copied().collect();
    if texts.len() <= wanted {
        return indices.to_vec();
    }
    let matrix = Vectors::new(&texts).matrix();
    let mut scores = page_rank(&matrix, texts.len());
    for (position, (score, text)) in scores.iter_mut().zip(&texts).enumerate() {
        let lead = 1.0 + LEAD * (1.0 - position as f32 / texts.len() as f32);
        *score *= lead * length_factor(text);
    }
    diverse(&matrix, &scores, wanted).into_iter().filter_map(|chosen| indices.get(chosen)).copied().collect()
}

/// Fragments and monsters make poor summaries: full weight from 6 to 45 words.
fn length_factor(text: &str) -> f32 {
    match text.split_whitespace().count() {
        words @ 0..6 => words as f32 / 6.0,
        6..=45 => 1.0,
        words => 45.0 / words as f32,
    }
}

/// PageRank of a symmetric weight matrix; the mean is one.
fn page_rank(matrix: &[f32], len: usize) -> Vec<f32> {
    let rows = || matrix.chunks_exact(len);
    let sums: Vec<f32> = rows().map(|row| row.iter().sum()).collect();
    let mut ranks = vec![1.0_f32; len];
    let mut shares = vec![0.0_f32; len];
    for _ in 0..ITERATIONS {
        for ((share, rank), sum) in shares.iter_mut().zip(&ranks).zip(&sums) {
            *share = if *sum > 0.0 { rank / sum } else { 0.0 };
        }
        let mut moved = 0.0_f32;
        for (row, rank) in rows().zip(&mut ranks) {
            let next = 1.0 - DAMPING + DAMPING * dot(row, &shares);
            moved = moved.max((next - *rank).abs());
            *rank = next;
        }
        if moved < TOLERANCE {
            break;
        }
    }
    ranks
}

/// A dot product with eight partial sums, which the compiler turns into vector instructions.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut partial = [0.0_f32; 8];
    let (a_chunks, b_chunks) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a_chunks.zip(b_chunks) {
        for lane in 0..8 {
            partial[lane] += x[lane] * y[lane];
        }
    }
    partial.iter().sum::<f32>() + rest
}

/// Takes the best sentence again and again, each time lowering what resembles it (maximal marginal
/// relevance); a sentence that repeats a chosen one is worth nothing.
fn diverse(matrix: &[f32], scores: &[f32], wanted: usize) -> Vec<usize> {
    let mut nearest = vec![0.0_f32; scores.len()];
    let mut taken = vec![false; scores.len()];
    let mut chosen = Vec::with_capacity(wanted);
    while chosen.len() < wanted {
        let worth = |index: usize| scores[index] * (1.0 - nearest[index] * nearest[index]);
        let Some(next) = (0..scores.len()).filter(|&index| !taken[index]).max_by(|&a, &b| {
            worth(a).total_cmp(&worth(b)).then(b.cmp(&a)) // the earlier of equals
        }) else {
            break;
        };
        taken[next] = true;
        chosen.push(next);
        for (near, similarity) in nearest.iter_mut().zip(&matrix[next * scores.len()..]) {
            *near = near.max(*similarity);
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_of_a_star_favour_the_centre() {
        // 0 is linked with 1, 2 and 3, which are not linked with each other.
        let mut matrix = vec![0.0; 16];
        for leaf in 1..4 {
            matrix[leaf] = 1.0;
            matrix[leaf * 4] = 1.0;
        }
        let ranks = page_rank(&matrix, 4);
        // Solved by hand: centre 0.15 + 0.85 * 3 * leaf, leaf 0.15 + 0.85 * centre / 3.
        assert!((ranks[0] - 1.919).abs() < 0.01 && (ranks[1] - 0.694).abs() < 0.01, "{ranks:?}");
    }

    #[test]
    fn a_repeated_sentence_is_chosen_once() {
        let same = "The budget of the city grew by two percent this year.";
        let other = "The mayor of the city defended the budget and its growth.";
        let chosen = central(&[same, same, same, other], 2);
        assert!(chosen.contains(&3), "{chosen:?}");
    }

    #[test]
    fn more_sentences_than_a_block_are_condensed() {
        let texts: Vec<String> =
            (0..BLOCK + 10).map(|n| format!("Report number {n} about budget item {}.", n % 97)).collect();
        let sentences: Vec<&str> = texts.iter().map(String::as_str).collect();
        assert_eq!(central(&sentences, 5).len(), 5);
    }
}
