//! Words of running text, for the tools that compare texts: tokens, English stop words, light stems.

mod stem;

pub use stem::stem;

/// Words that say nothing about what a text is about. Sorted, for the binary search.
const STOP_WORDS: [&str; 117] = [
    "a", "about", "after", "again", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be", "because",
    "been", "before", "being", "between", "both", "but", "by", "can", "could", "did", "do", "does", "doing", "down",
    "during", "each", "few", "for", "from", "further", "had", "has", "have", "having", "he", "her", "here", "hers",
    "him", "his", "how", "i", "if", "in", "into", "is", "it", "its", "just", "me", "more", "most", "my", "no", "nor",
    "not", "now", "of", "off", "on", "once", "only", "or", "other", "our", "out", "over", "own", "s", "same", "she",
    "should", "so", "some", "such", "t", "than", "that", "the", "their", "them", "then", "there", "these", "they",
    "this", "those", "through", "to", "too", "under", "until", "up", "us", "very", "was", "we", "were", "what", "when",
    "where", "which", "while", "who", "whom", "why", "will", "with", "would", "you", "your", "yours",
];

/// Whether `word` (lower case) is an English stop word.
#[must_use]
pub fn is_stop_word(word: &str) -> bool {
    STOP_WORDS.binary_search(&word).is_ok()
}

/// Calls `visit` with each word of `text`: a longest run of letters, digits and inner apostrophes, in
/// lower case. The buffer is reused, so a text costs no allocation.
pub fn each(text: &str, mut visit: impl FnMut(&str)) {
    let mut word = String::new();
    for character in text.chars() {
        if character.is_ascii_alphanumeric() {
            word.push(character.to_ascii_lowercase());
        } else if !character.is_ascii() && character.is_alphanumeric() {
            word.extend(character.to_lowercase());
        } else if !word.is_empty() {
            match character {
                '\'' | '’' => word.push('\''),
                _ => finish(&mut word, &mut visit),
            }
        }
    }
    if !word.is_empty() {
        finish(&mut word, &mut visit);
    }
}

/// Drops what an apostrophe added (`Anna's`, `it's`, a closing quote), shows the word, clears it.
fn finish(word: &mut String, visit: &mut impl FnMut(&str)) {
    if let Some(end) = word.find('\'') {
        word.truncate(end);
    }
    visit(word);
    word.clear();
}

/// The stems of the words of `text` that carry meaning, in order.
#[must_use]
pub fn stems(text: &str) -> Vec<String> {
    let mut stems = Vec::new();
    each(text, |word| {
        if !is_stop_word(word) {
            stems.push(stem(word).to_owned());
        }
    });
    stems
}

/// FNV-1a, 64 bits: a key for a stem that needs no allocation. Two different words of one corpus
/// collide with a chance of about one in 10^10, and then only share a weight.
#[must_use]
pub fn key(word: &str) -> u64 {
    word.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_words_are_sorted() {
        assert!(STOP_WORDS.is_sorted());
        assert!(is_stop_word("the") && !is_stop_word("cat"));
    }

    #[test]
    fn words_are_lower_case_runs_without_apostrophes() {
        let mut found = Vec::new();
        each("Anna's CAFÉ — don’t 'stop' at 3.5", |word| found.push(word.to_owned()));
        assert_eq!(found, ["anna", "café", "don", "stop", "at", "3", "5"]);
    }

    #[test]
    fn stems_leave_stop_words_out() {
        assert_eq!(stems("The cats were running to the libraries"), ["cat", "run", "librar"]);
    }
}
