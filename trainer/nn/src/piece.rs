//! Cutting a request into WordPiece pieces that know where they came from.
//!
//! The tokenizer lower-cases, strips accents and drops spacing, so the decoder never copies a
//! piece's text: it copies the bytes of the *original* request between two pieces. Every piece
//! therefore carries its byte range there, always on character boundaries.

use std::path::Path;

use tokenizers::Tokenizer;

use crate::error::{Error, Result};

/// Texts longer than twice this many bytes are cut into pieces only at their two ends; what lies
/// between would be dropped by the piece limit anyway.
const WINDOW: usize = 32 * 1024;

/// The pieces of one request, from `[CLS]` to `[SEP]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pieces {
    /// Vocabulary ids.
    pub ids: Vec<u32>,
    /// Byte range of each piece in the original request; `[CLS]` is `(0, 0)`, `[SEP]` is
    /// `(length, length)`.
    pub offsets: Vec<(usize, usize)>,
}

impl Pieces {
    /// How many pieces there are, `[CLS]` and `[SEP]` included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether the request had no piece of its own.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() <= 2
    }

    /// The text from the start of piece `start` to the end of piece `end`, both included, as it
    /// stands in the request (which must be the one that was encoded); with the `[SEP]` piece as
    /// `end`, to the very end. `None` if a piece does not exist or the range is backwards.
    #[must_use]
    pub fn slice<'t>(&self, request: &'t str, start: usize, end: usize) -> Option<&'t str> {
        let (from, to) = (self.offsets.get(start)?.0, self.offsets.get(end)?.1);
        request.get(from..to)
    }

    /// The pieces `(start, end)` whose slice is exactly the bytes `from..to` of the request, or
    /// `None` where no pieces begin and end there. `[SEP]` is used as end only if nothing else fits.
    #[must_use]
    pub fn span(&self, from: usize, to: usize) -> Option<(usize, usize)> {
        if from >= to {
            return None;
        }
        let start = self.offsets.iter().position(|(a, b)| *a == from && b > a)?;
        let end = self.offsets.iter().rposition(|(a, b)| *b == to && b > a);
        let last = self.len().checked_sub(1).filter(|last| self.offsets.get(*last).is_some_and(|o| o.1 == to));
        end.or(last).filter(|end| *end >= start).map(|end| (start, end))
    }
}

/// A tokenizer with the piece limit of a planner.
#[derive(Clone, Debug)]
pub struct PieceEncoder {
    tokenizer: Tokenizer,
    limit: usize,
    cls: u32,
    sep: u32,
}

impl PieceEncoder {
    /// Reads a `tokenizer.json`. `limit` counts `[CLS]` and `[SEP]` and is at least 4.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Malformed`] if the file is no tokenizer or lacks a special piece.
    pub fn open(path: &Path, limit: usize) -> Result<Self> {
        let json = std::fs::read(path).map_err(Error::io("read", path))?;
        Self::from_json(&json, limit).map_err(|error| match error {
            Error::Tokenizer(reason) => Error::malformed(path, reason),
            other => other,
        })
    }

    /// The same from the file's contents.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if they are no tokenizer or lack a special piece, [`Error::Config`] for
    /// an impossible limit.
    pub fn from_json(json: &[u8], limit: usize) -> Result<Self> {
        if limit < 4 {
            return Err(Error::Config(format!("a limit of `{limit}` pieces; at least 4 are needed")));
        }
        let mut tokenizer = Tokenizer::from_bytes(json).map_err(|e| Error::Tokenizer(e.to_string()))?;
        tokenizer.with_truncation(None).map_err(|e| Error::Tokenizer(e.to_string()))?;
        tokenizer.with_padding(None);
        // A request that spells `[SEP]` must not be able to end itself.
        tokenizer.set_encode_special_tokens(true);
        let special = |name: &str| {
            tokenizer.token_to_id(name).ok_or_else(|| {
                Error::Tokenizer(format!("there is no piece `{name}`; a WordPiece vocabulary of BERT is needed"))
            })
        };
        let (cls, sep) = (special("[CLS]")?, special("[SEP]")?);
        special("[UNK]")?;
        Ok(Self { tokenizer, limit, cls, sep })
    }

    /// One more than the largest id: the rows that an embedding table needs.
    #[must_use]
    pub fn vocabulary(&self) -> usize {
        self.tokenizer.get_vocab(true).values().max().map_or(0, |id| *id as usize + 1)
    }

    /// Cuts a request into pieces. If there are more than the limit, the first 70 % of them
    /// (`[CLS]` included) and the last are kept, and the middle is dropped; offsets stay true.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if the tokenizer fails, which a WordPiece one does on no text.
    pub fn encode(&self, request: &str) -> Result<Pieces> {
        let mut found = Vec::new();
        if request.len() <= 2 * WINDOW {
            self.window(request, 0, &mut found)?;
        } else {
            let (head, tail) =
                (request.floor_char_boundary(WINDOW), request.ceil_char_boundary(request.len() - WINDOW));
            self.window(request.get(..head).unwrap_or_default(), 0, &mut found)?;
            found.truncate(self.limit);
            self.window(request.get(tail..).unwrap_or_default(), tail, &mut found)?;
        }
        if found.len() > self.limit - 2 {
            let head = self.limit * 7 / 10 - 1;
            let tail = self.limit - 2 - head;
            found.drain(head..found.len() - tail);
        }
        let end = request.len();
        let all = std::iter::once((self.cls, (0, 0))).chain(found).chain(std::iter::once((self.sep, (end, end))));
        let (ids, offsets) = all.unzip();
        Ok(Pieces { ids, offsets })
    }

    /// Cuts a text as models that embed sentences were trained to read it: the first pieces up to the limit, from `[CLS]` to
    /// `[SEP]`. Of a text of more than [`head_bytes`](Self::head_bytes) only so many are looked at. The second value
    /// is whether anything was left out.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if the tokenizer fails, which a WordPiece one does on no text.
    pub fn head(&self, text: &str) -> Result<(Vec<u32>, bool)> {
        let end = text.floor_char_boundary(self.head_bytes());
        let encoding = self.tokenizer.encode(text.get(..end).unwrap_or_default(), false);
        let encoding = encoding.map_err(|e| Error::Tokenizer(e.to_string()))?;
        let (found, room) = (encoding.get_ids(), self.limit - 2);
        let kept = found.iter().copied().take(room);
        let ids = std::iter::once(self.cls).chain(kept).chain(std::iter::once(self.sep)).collect();
        Ok((ids, found.len() > room || end < text.len()))
    }

    /// How much of a text [`head`](Self::head) looks at: beyond 32 bytes for each piece, next to nothing could still be
    /// one of the first pieces.
    #[must_use]
    pub fn head_bytes(&self) -> usize {
        self.limit.saturating_mul(32)
    }

    /// The most pieces, `[CLS]` and `[SEP]` included.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Appends the pieces of `text`, which begins `shift` bytes into the request.
    fn window(&self, text: &str, shift: usize, found: &mut Vec<(u32, (usize, usize))>) -> Result<()> {
        let encoding = self.tokenizer.encode(text, false).map_err(|e| Error::Tokenizer(e.to_string()))?;
        let offsets = encoding.get_offsets();
        for (i, (id, (from, to))) in encoding.get_ids().iter().zip(offsets).enumerate() {
            let from = text.floor_char_boundary(*from);
            let to = text.ceil_char_boundary((*to).max(from));
            // The normaliser drops accents; those behind a letter belong to it all the same.
            let next = offsets.get(i + 1).map_or(text.len(), |next| next.0);
            let gap = text.get(to..next).unwrap_or_default();
            let marks: usize = gap.chars().take_while(|c| is_mark(*c)).map(char::len_utf8).sum();
            found.push((*id, (shift + from, shift + to + marks)));
        }
        Ok(())
    }
}

/// Combining marks and variation selectors: they change the character before them.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}')
}

#[cfg(test)]
#[path = "piece_tests.rs"]
mod tests;
