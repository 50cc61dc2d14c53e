//! A light English stemmer: plurals, `-ing`, `-ed` and `-ly`, close to steps 1a to 1c of Porter
//! (1980). It returns a prefix of the word, so it costs nothing.

/// The stem of `word` (lower case), always a prefix of it. Words under four bytes, words with digits
/// and words outside ASCII stay as they are.
#[must_use]
pub fn stem(word: &str) -> &str {
    if word.len() < 4 || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return word;
    }
    let word = plural(word);
    let word = ["ing", "ed"].iter().find_map(|suffix| verb(word, suffix)).unwrap_or(word);
    let word = word.strip_suffix("ly").filter(|rest| has_vowel(rest) && rest.len() > 3).unwrap_or(word);
    // A final `e` or `y` comes and goes (`make`/`making`, `tomato`/`tomatoes`, `library`/`libraries`).
    match word.as_bytes() {
        [.., b'e'] if word.len() > 3 => &word[..word.len() - 1],
        [.., before, b'y'] if word.len() > 3 && !is_vowel(*before) => &word[..word.len() - 1],
        _ => word,
    }
}

fn plural(word: &str) -> &str {
    if word.ends_with("ss") || word.ends_with("us") || word.ends_with("is") {
        word
    } else if let Some(rest) = word.strip_suffix("sses") {
        &word[..rest.len() + 2]
    } else if let Some(rest) = word.strip_suffix("ies") {
        rest
    } else {
        word.strip_suffix('s').unwrap_or(word)
    }
}

fn verb<'a>(word: &'a str, suffix: &str) -> Option<&'a str> {
    let rest = word.strip_suffix(suffix).filter(|rest| has_vowel(rest) && rest.len() > 2)?;
    match rest.as_bytes() {
        [.., one, two] if one == two && !is_vowel(*one) && !matches!(one, b'l' | b's' | b'z') => {
            Some(&rest[..rest.len() - 1])
        }
        _ => Some(rest),
    }
}

fn has_vowel(word: &str) -> bool {
    word.bytes().any(|byte| is_vowel(byte) || byte == b'y')
}

fn is_vowel(byte: u8) -> bool {
    matches!(byte, b'a' | b'e' | b'i' | b'o' | b'u')
}

#[cfg(test)]
mod tests {
    use super::stem;

    #[test]
    fn forms_of_one_word_meet() {
        for forms in [
            &["library", "libraries"][..],
            &["make", "makes", "making"],
            &["run", "runs", "running"],
            &["stop", "stopped", "stopping"],
            &["call", "called", "calling"],
            &["study", "studies", "studying"],
            &["quick", "quickly"],
            &["glass", "glasses"],
            &["tomato", "tomatoes"],
            &["tree", "trees"],
            &["day", "days"],
        ] {
            assert!(forms.iter().all(|form| stem(form) == stem(forms[0])), "{forms:?}");
        }
    }

    #[test]
    fn different_words_stay_apart() {
        assert_ne!(stem("king"), stem("kin"));
        assert_ne!(stem("bus"), stem("bu"));
        assert_eq!(stem("café"), "café");
        assert_eq!(stem("ing"), "ing");
    }
}
