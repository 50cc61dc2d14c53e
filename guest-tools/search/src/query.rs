//! What is looked for.

use tomas_tool_sdk::{ToolError, shown};
use tomas_tool_words as words;

/// The most different words that count.
const MOST_WORDS: usize = 64;

/// A query: different words as keys of their stems, and phrases that must occur as they are.
pub(crate) struct Query {
    /// As the caller wrote it, cut for an answer.
    pub(crate) text: String,
    /// `(key, index)`, sorted by key.
    keys: Vec<(u64, usize)>,
    /// Lower case, single spaces.
    pub(crate) phrases: Vec<String>,
}

impl Query {
    /// Reads a query. Stop words count only when there is nothing else.
    pub(crate) fn new(text: &str) -> Result<Self, ToolError> {
        let mut stems = words::stems(text);
        if stems.is_empty() {
            words::each(text, |word| stems.push(words::stem(word).to_owned()));
        }
        if stems.is_empty() {
            return Err(ToolError::invalid(format!("`query` is `{}`, which has no word to look for", shown(text))));
        }
        let mut keys: Vec<(u64, usize)> = Vec::new();
        for stem in &stems {
            let key = words::key(stem);
            if keys.len() < MOST_WORDS && keys.iter().all(|(other, _)| *other != key) {
                keys.push((key, keys.len()));
            }
        }
        keys.sort_unstable();
        Ok(Self { text: shown(text.trim()).into_owned(), keys, phrases: phrases(text) })
    }

    /// Number of different words.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The index of the query's word that `word` (lower case) is a form of.
    pub(crate) fn index(&self, word: &str) -> Option<usize> {
        let key = words::key(words::stem(word));
        self.keys
            .binary_search_by_key(&key, |(key, _)| *key)
            .ok()
            .and_then(|at| self.keys.get(at))
            .map(|(_, index)| *index)
    }

    /// Whether `text` has every phrase.
    pub(crate) fn phrases_in(&self, text: &str) -> bool {
        self.phrases.is_empty() || {
            let text = flat(text);
            self.phrases.iter().all(|phrase| text.contains(phrase.as_str()))
        }
    }
}

/// Phrases of two words and more between double quotes. A query that is one quoted phrase as a whole
/// is how people mark the query itself, so it is not one.
fn phrases(text: &str) -> Vec<String> {
    let normal = text.trim().replace(['“', '”', '„'], "\"");
    let pieces: Vec<&str> = normal.split('"').collect();
    pieces
        .iter()
        .skip(1)
        .step_by(2)
        .take(pieces.len().saturating_sub(1) / 2)
        .map(|phrase| flat(phrase))
        .filter(|phrase| phrase.contains(' '))
        .collect()
}

fn flat(text: &str) -> String {
    text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}
