//! Ordinal numbers in words, as days have them.

/// The value of `first`, `2nd` (as word and digits apart), `twenty` + `third` … up to 31, for days.
#[must_use]
pub fn read(word: &str) -> Option<i64> {
    const ORDINALS: [&str; 19] = [
        "first",
        "second",
        "third",
        "fourth",
        "fifth",
        "sixth",
        "seventh",
        "eighth",
        "ninth",
        "tenth",
        "eleventh",
        "twelfth",
        "thirteenth",
        "fourteenth",
        "fifteenth",
        "sixteenth",
        "seventeenth",
        "eighteenth",
        "nineteenth",
    ];
    match word {
        "twentieth" => Some(20),
        "thirtieth" => Some(30),
        "1st" => Some(1),
        _ => ORDINALS.iter().zip(1..).find(|(name, _)| **name == word).map(|(_, value)| value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinals() {
        assert_eq!(read("third"), Some(3));
        assert_eq!(read("twentieth"), Some(20));
        assert_eq!(read("three"), None);
    }
}
