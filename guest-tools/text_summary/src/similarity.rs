//! How much sentences have in common: the cosine of their TF-IDF vectors over stems.

use std::collections::HashMap;

use tomas_tool_words as words;

/// A sentence as stems and weights; the squares of the weights sum to one.
pub(crate) struct Vectors {
    /// For each term the sentences that have it, with the weight there.
    postings: Vec<Vec<(u32, f32)>>,
    /// Sentences.
    len: usize,
}

impl Vectors {
    /// Weighs the stems of each sentence.
    pub(crate) fn new(sentences: &[&str]) -> Self {
        let mut terms: HashMap<u64, usize> = HashMap::new();
        let mut postings: Vec<Vec<(u32, f32)>> = Vec::new();
        for (sentence, text) in (0_u32..).zip(sentences) {
            words::each(text, |word| {
                if words::is_stop_word(word) {
                    return;
                }
                let fresh = terms.len();
                let term = *terms.entry(words::key(words::stem(word))).or_insert(fresh);
                if term == fresh {
                    postings.push(Vec::new());
                }
                let Some(list) = postings.get_mut(term) else { return };
                match list.last_mut() {
                    Some((last, count)) if *last == sentence => *count += 1.0,
                    _ => list.push((sentence, 1.0)),
                }
            });
        }
        let mut vectors = Self { postings, len: sentences.len() };
        vectors.weigh();
        vectors
    }

    /// From counts to unit vectors of `(1 + ln count) * idf`.
    fn weigh(&mut self) {
        let mut squares = vec![0.0_f32; self.len];
        for list in &mut self.postings {
            let idf = (1.0 + self.len as f32 / list.len() as f32).ln();
            for (sentence, weight) in list {
                *weight = (1.0 + weight.ln()) * idf;
                if let Some(square) = squares.get_mut(*sentence as usize) {
                    *square += *weight * *weight;
                }
            }
        }
        for (sentence, weight) in self.postings.iter_mut().flatten() {
            if let Some(square) = squares.get(*sentence as usize) {
                *weight /= square.sqrt();
            }
        }
    }

    /// The symmetric matrix of cosines, row by row, zero on the diagonal: `len * len` values.
    pub(crate) fn matrix(&self) -> Vec<f32> {
        let mut matrix = vec![0.0_f32; self.len * self.len];
        for list in &self.postings {
            for &(one, weight) in list {
                let row = one as usize * self.len;
                let Some(row) = matrix.get_mut(row..row + self.len) else { continue };
                for &(other, other_weight) in list {
                    if let Some(cell) = row.get_mut(other as usize) {
                        *cell += weight * other_weight;
                    }
                }
            }
        }
        for diagonal in matrix.iter_mut().step_by(self.len + 1) {
            *diagonal = 0.0;
        }
        matrix
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_words_are_one_and_different_words_zero() {
        let matrix = Vectors::new(&["Cats chase mice.", "The cats chased the mice!", "Rain fell."]).matrix();
        assert!((matrix[1] - 1.0).abs() < 1e-5, "{matrix:?}");
        assert!(matrix[2].abs() < 1e-6 && matrix[0].abs() < 1e-6 && matrix[4].abs() < 1e-6);
        assert!((matrix[1] - matrix[3]).abs() < 1e-6);
    }
}
