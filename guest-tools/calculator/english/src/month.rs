//! The months.

use crate::close;

/// English names, January first.
pub const NAMES: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Abbreviations beyond the first three letters, and spellings that are two slips away.
const OTHERS: [(&str, u8); 8] = [
    ("sept", 9),
    ("janu", 1),
    ("febr", 2),
    ("febuary", 2),
    ("feburary", 2),
    ("agust", 8),
    ("setember", 9),
    ("sepember", 9),
];

/// The number (1 to 12) of a month by its name, abbreviation or misspelling, in any case.
/// `may` and `march` only as they are, because `mar` and `ma` are slips of too much.
#[must_use]
pub fn number(word: &str) -> Option<u8> {
    let word = word.trim_end_matches('.').to_lowercase();
    let place = |matches: &dyn Fn(&str) -> bool| {
        NAMES.iter().zip(1_u8..).find(|(name, _)| matches(&name.to_lowercase())).map(|(_, number)| number)
    };
    if let Some(found) = place(&|name| name == word || (word.len() == 3 && name.starts_with(&word))) {
        return Some(found);
    }
    if let Some((_, found)) = OTHERS.iter().find(|(other, _)| *other == word) {
        return Some(*found);
    }
    if word.chars().count() < 6 {
        return None;
    }
    place(&|name| name.len() >= 6 && close::distance(&word, name, close::tolerance(&word).min(2)).is_some())
}

/// The English name of month `number` (1 to 12); anything else is `?`.
#[must_use]
pub fn name(number: u8) -> &'static str {
    NAMES.get(usize::from(number).wrapping_sub(1)).copied().unwrap_or("?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_by_name() {
        for (word, expected) in [
            ("January", Some(1)),
            ("jan.", Some(1)),
            ("SEPT", Some(9)),
            ("febuary", Some(2)),
            ("septemeber", Some(9)),
            ("agust", Some(8)),
            ("may", Some(5)),
            ("mary", None),
            ("monday", None),
            ("", None),
        ] {
            assert_eq!(number(word), expected, "{word}");
        }
        assert_eq!(name(12), "December");
    }
}
