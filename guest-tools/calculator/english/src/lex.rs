//! Numbers, words and symbols of a text.

use crate::number::{self, Comma, Literal, TooLarge};
use crate::small::Small;
use crate::words::{self, Piece};

/// What a [`Token`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A number, in digits or in words.
    Number(Literal),
    /// Letters as written; apostrophes inside belong to the word (`what's`).
    Word(String),
    /// Any other character but white space.
    Symbol(char),
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Whether no white space stands between it and the token before.
    pub glued: bool,
}

impl Token {
    /// The word in lower case, or an empty string.
    #[must_use]
    pub fn word(&self) -> String {
        match &self.kind {
            Kind::Word(word) => word.to_lowercase(),
            _ => String::new(),
        }
    }

    /// Whether this is the symbol `symbol`.
    #[must_use]
    pub fn is(&self, symbol: char) -> bool {
        self.kind == Kind::Symbol(symbol)
    }

    /// The number, if it is one.
    #[must_use]
    pub fn number(&self) -> Option<&Literal> {
        match &self.kind {
            Kind::Number(literal) => Some(literal),
            _ => None,
        }
    }
}

/// Cuts `text` (see [`crate::fold::characters`]) into tokens; numbers in words stay words.
///
/// # Errors
/// [`TooLarge`] for a number whose exponent is absurd.
pub fn lex(text: &str, comma: Comma) -> Result<Vec<Token>, TooLarge> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let (mut at, mut glued) = (0, false);
    while let Some(&first) = chars.get(at) {
        if first.is_whitespace() {
            (at, glued) = (at + 1, false);
            continue;
        }
        let rest = chars.get(at..).unwrap_or_default();
        let (kind, length) = match number::read(rest, comma)? {
            Some((literal, length)) => (Kind::Number(literal), length),
            None if first.is_alphabetic() => word(rest),
            None => (Kind::Symbol(first), 1),
        };
        tokens.push(Token { kind, glued });
        (at, glued) = (at + length, true);
    }
    Ok(tokens)
}

fn word(chars: &[char]) -> (Kind, usize) {
    let mut length = 0;
    while let Some(character) = chars.get(length) {
        let inside = *character == '\'' && length > 0 && chars.get(length + 1).is_some_and(|c| c.is_alphabetic());
        if !character.is_alphabetic() && !inside {
            break;
        }
        length += 1;
    }
    (Kind::Word(chars.iter().take(length).collect()), length)
}

/// Joins the words of a number, and digits with a number word behind them (`2.5 million`), to one number.
#[must_use]
pub fn with_number_words(tokens: Vec<Token>) -> Vec<Token> {
    let lowered: Vec<String> = tokens.iter().map(Token::word).collect();
    let pieces: Vec<Piece<'_>> = tokens.iter().zip(&lowered).map(|(token, word)| piece(token, word)).collect();
    let mut joined = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let read = words::read(pieces.get(at..).unwrap_or_default());
        match read {
            Some((value, length)) if length > 1 || token.number().is_none() => {
                let text = lowered.get(at..at + length).unwrap_or_default().join(" ");
                let literal = Literal { value: value.to_rational(), text, decimals: 0, grouped: false };
                joined.push(Token { kind: Kind::Number(literal), glued: token.glued });
                at += length;
            }
            _ => {
                joined.push(token.clone());
                at += 1;
            }
        }
    }
    joined
}

fn piece<'a>(token: &'a Token, word: &'a str) -> Piece<'a> {
    match &token.kind {
        Kind::Number(literal) => Small::from_rational(&literal.value).map_or(Piece::Other, Piece::Digits),
        Kind::Word(_) => Piece::Word(word),
        Kind::Symbol('-') if token.glued => Piece::Hyphen,
        Kind::Symbol(_) => Piece::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spell(text: &str) -> String {
        let tokens = with_number_words(lex(text, Comma::Separates).unwrap());
        let spelled = tokens.iter().map(|token| match &token.kind {
            Kind::Number(literal) => format!("#{}", literal.value),
            Kind::Word(word) => word.clone(),
            Kind::Symbol(symbol) => symbol.to_string(),
        });
        spelled.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn texts_fall_into_tokens() {
        for (text, expected) in [
            ("12*(3+4)", "#12 * ( #3 + #4 )"),
            ("17.5% of 2,340?", "#35/2 % of #2340 ?"),
            ("what's 2 million", "what's #2000000"),
            ("twenty-five plus 3", "#25 plus #3"),
            ("3x4", "#3 x #4"),
            ("5'11\"", "#5 ' #11 \""),
            ("two and a half", "#5/2"),
            ("5-3", "#5 - #3"),
            ("one hundred and five and 3", "#105 and #3"),
        ] {
            assert_eq!(spell(text), expected, "{text}");
        }
    }
}
