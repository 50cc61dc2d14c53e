//! Words, whole numbers and signs of a text about time.

use tomas_english::fold;
use tomas_english::small::Small;

/// What a [`Token`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Lower case, without diacritics and apostrophes: `christmas`, `oclock`, `valentines`.
    Word(String),
    /// Digits; at most nine of them.
    Number(i64),
    /// Anything else.
    Sign(char),
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// What it is.
    pub(crate) kind: Kind,
    /// The characters it was read from.
    pub(crate) text: String,
    /// The number as the reader of number words wants it.
    pub(crate) value: Small,
    /// Whether no white space stands before it.
    pub(crate) glued: bool,
}

impl Token {
    /// The word, or nothing.
    pub(crate) fn word(&self) -> &str {
        match &self.kind {
            Kind::Word(word) => word,
            _ => "",
        }
    }

    /// The number, if it is one.
    pub(crate) fn number(&self) -> Option<i64> {
        match self.kind {
            Kind::Number(number) => Some(number),
            _ => None,
        }
    }

    /// Whether this is `sign`.
    pub(crate) fn is(&self, sign: char) -> bool {
        self.kind == Kind::Sign(sign)
    }
}

/// Cuts `text` into tokens.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = fold::characters(text).chars().collect();
    let mut tokens = Vec::new();
    let (mut at, mut glued) = (0, false);
    while let Some(first) = chars.get(at) {
        if first.is_whitespace() {
            (at, glued) = (at + 1, false);
            continue;
        }
        let run = |wanted: &dyn Fn(usize, &char) -> bool| {
            let rest = chars.get(at..).unwrap_or_default();
            rest.iter().enumerate().take_while(|(place, c)| wanted(at + place, c)).count()
        };
        let length = if first.is_ascii_digit() {
            run(&|_, c| c.is_ascii_digit())
        } else if first.is_alphabetic() {
            // An apostrophe inside belongs to the word; one behind a year or before `24` does not.
            run(&|place, c| {
                c.is_alphabetic() || (*c == '\'' && chars.get(place + 1).is_some_and(|next| next.is_alphabetic()))
            })
        } else {
            1
        };
        let text: String = chars.iter().skip(at).take(length).collect();
        let (kind, value) = kind(*first, &text);
        tokens.push(Token { kind, text, value, glued });
        (at, glued) = (at + length, true);
    }
    tokens
}

fn kind(first: char, text: &str) -> (Kind, Small) {
    if first.is_ascii_digit() {
        // Longer runs are no date and no amount of time; they are cut to be refused later.
        let number = text.get(..text.len().min(18)).and_then(|digits| digits.parse().ok()).unwrap_or(i64::MAX);
        return (Kind::Number(number), Small::whole(number));
    }
    if first.is_alphabetic() {
        return (Kind::Word(fold::plain(text)), Small::ZERO);
    }
    (Kind::Sign(first), Small::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_fall_into_tokens() {
        let shown =
            |text: &str| tokens(text).iter().map(|token| format!("{:?}", token.kind)).collect::<Vec<_>>().join(" ");
        assert_eq!(shown("Valentine's 3pm"), "Word(\"valentines\") Number(3) Word(\"pm\")");
        assert_eq!(shown("2024-03-03"), "Number(2024) Sign('-') Number(3) Sign('-') Number(3)");
        assert_eq!(shown("São"), "Word(\"sao\")");
    }
}
