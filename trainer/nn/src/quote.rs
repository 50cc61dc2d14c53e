//! Quoting: a text as copies of the request where the request holds it, and as bytes elsewhere.
//!
//! Training writes arguments this way, and so must a planner write what its grammar leaves no choice about: a decoder that
//! has only ever read a file's name as a copy is lost when the name comes letter by letter.

use crate::piece::Pieces;
use crate::script::Action;
use serde_json::Value;

/// The shortest stretch worth copying, in characters, unless it is a number.
const SHORTEST: usize = 2;

/// Quotes from one request.
#[derive(Clone, Debug)]
pub struct Quoter<'a> {
    request: &'a str,
    pieces: &'a Pieces,
    /// Where the last copy ended in the request: of several places the next one is preferred.
    last: usize,
}

impl<'a> Quoter<'a> {
    /// Nothing is quoted yet.
    #[must_use]
    pub fn new(request: &'a str, pieces: &'a Pieces) -> Self {
        Self { request, pieces, last: 0 }
    }

    /// A copy that ends with this piece was made.
    pub fn copied(&mut self, end: usize) {
        self.last = self.pieces.offsets.get(end).map_or(self.last, |o| o.1);
    }

    /// The inside of a JSON string, without its quotes.
    pub fn string(&mut self, text: &str) -> Vec<Action> {
        let mut actions = Vec::new();
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|r| !r.is_empty()) {
            let before = text.get(..at).and_then(|t| t.chars().next_back());
            let boundary = before.is_none_or(|before| !joined(before, rest.chars().next().unwrap_or(' ')));
            if boundary && let Some((len, start, end)) = self.longest(rest) {
                actions.extend(self.copy(start, end));
                at += len;
                continue;
            }
            let len = rest.chars().next().map_or(1, char::len_utf8);
            let escaped = Value::String(rest.get(..len).unwrap_or_default().to_owned()).to_string();
            actions.extend(escaped.get(1..escaped.len() - 1).unwrap_or_default().bytes().map(Action::Byte));
            at += len;
        }
        actions
    }

    /// A number, which is copied where the request writes it the same way.
    pub fn number(&mut self, text: &str) -> Vec<Action> {
        match self.longest(text) {
            Some((len, start, end)) if len == text.len() && text.len() > 1 => {
                self.copy(start, end).into_iter().collect()
            }
            _ => text.bytes().map(Action::Byte).collect(),
        }
    }

    fn copy(&mut self, start: usize, end: usize) -> Option<Action> {
        let copy = Action::Copy { start: u32::try_from(start).ok()?, end: u32::try_from(end).ok()? };
        self.copied(end);
        Some(copy)
    }

    /// The longest prefix of `text` that stands in the request on piece boundaries: its length in bytes and its pieces.
    fn longest(&self, text: &str) -> Option<(usize, usize, usize)> {
        let mut best: Option<(usize, bool, usize, usize)> = None;
        for &(from, to) in &self.pieces.offsets {
            let Some(here) = self.request.get(from..).filter(|_| to > from) else { continue };
            let common = here.bytes().zip(text.bytes()).take_while(|(a, b)| a == b).count();
            if best.is_some_and(|(len, ..)| common < len) || common == 0 {
                continue;
            }
            let after = from >= self.last;
            for len in (1..=common).rev() {
                if best.is_some_and(|(l, was_after, ..)| len < l || (len == l && (was_after || !after))) {
                    break;
                }
                if !ends_word(text, len) {
                    continue;
                }
                if let Some((start, end)) = self.pieces.span(from, from + len) {
                    best = Some((len, after, start, end));
                    break;
                }
            }
        }
        let (len, _, start, end) = best?;
        let piece = text.get(..len)?;
        let number = piece.chars().all(|c| c.is_ascii_digit());
        (start > 0 && (number || piece.chars().count() >= SHORTEST)).then_some((len, start, end))
    }
}

/// Whether cutting after `len` bytes does not cut a word or number in two.
fn ends_word(text: &str, len: usize) -> bool {
    let (Some(head), Some(tail)) = (text.get(..len), text.get(len..)) else { return false };
    let (Some(before), Some(after)) = (head.chars().next_back(), tail.chars().next()) else { return true };
    !joined(before, after)
}

/// Whether two characters belong to one word or one number. `800x600` is two numbers with a letter between them.
fn joined(a: char, b: char) -> bool {
    a.is_alphanumeric() && b.is_alphanumeric() && a.is_numeric() == b.is_numeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(request: &str, text: &str) -> Vec<String> {
        // One piece for each word, number or mark, as WordPiece would cut short ones.
        let mut offsets = vec![(0, 0)];
        for (at, c) in request.char_indices() {
            let joins = request.get(..at).and_then(|t| t.chars().next_back()).is_some_and(|before| joined(before, c));
            match offsets.last_mut() {
                Some(last) if joins => last.1 = at + c.len_utf8(),
                _ if c == ' ' => {}
                _ => offsets.push((at, at + c.len_utf8())),
            }
        }
        offsets.push((0, 0));
        let pieces = Pieces { ids: vec![0; offsets.len()], offsets };
        let actions = Quoter::new(request, &pieces).string(text);
        let mut out: Vec<String> = Vec::new();
        for action in actions {
            match action {
                Action::Copy { start, end } => {
                    out.push(format!("[{}]", pieces.slice(request, start as usize, end as usize).unwrap()));
                }
                Action::Byte(byte) => match out.last_mut() {
                    Some(last) if !last.starts_with('[') => last.push(char::from(byte)),
                    _ => out.push(char::from(byte).to_string()),
                },
                _ => unreachable!(),
            }
        }
        out
    }

    #[test]
    fn what_the_request_holds_is_copied() {
        assert_eq!(said("resize cat to 800 by 600", "800x600"), ["[800]", "x", "[600]"]);
        assert_eq!(said("resize cat to 800x600", "800x600"), ["[800x600]"]);
        assert_eq!(said("split 47 among seventeen", "47/seventeen"), ["[47]", "/", "[seventeen]"]);
        assert_eq!(said("a total of 12 and 120", "120-12"), ["[120]", "-", "[12]"]);
    }

    #[test]
    fn what_it_does_not_hold_is_written() {
        assert_eq!(said("half as big", "50%"), ["50%"]);
        assert_eq!(said("say \"hi\"", "bye \"x\""), ["bye \\\"x\\\""]);
    }
}
