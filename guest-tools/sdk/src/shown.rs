//! Found values in messages.

use std::borrow::Cow;

/// The most characters of a value in a message.
const MOST: usize = 60;

/// `text`, cut to a length that belongs in a message: an argument may be a megabyte long.
#[must_use]
pub fn shown(text: &str) -> Cow<'_, str> {
    cut(text, MOST)
}

/// `text` with at most `most` characters; an ellipsis shows where more was.
pub(crate) fn cut(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or(text))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_cut_between_characters() {
        assert_eq!(shown("short"), "short");
        assert_eq!(shown(&"é".repeat(100)), format!("{}…", "é".repeat(60)));
    }
}
