//! Passages: the pieces of a file that are ranked and shown.

use tomas_tool_words as words;

use crate::query::Query;

/// A passage ends at an empty line once it has this many words, so that headings stay with their text.
const ENOUGH_WORDS: u32 = 40;
/// A passage ends in any case after this many words (at the end of a line).
const MOST_WORDS: u32 = 160;
/// Characters of a snippet.
const SNIPPET_CHARS: usize = 240;

/// A passage with at least one word of the query.
pub(crate) struct Hit {
    /// Index of the file.
    pub(crate) file: usize,
    /// Bytes of the file.
    pub(crate) start: usize,
    /// End of the bytes of the file.
    pub(crate) end: usize,
    /// Words.
    pub(crate) length: u32,
    /// How often each word of the query occurs; those of the file's name count too.
    pub(crate) counts: Vec<u16>,
}

/// What is known of all passages.
pub(crate) struct Corpus {
    /// Passages with a hit.
    pub(crate) hits: Vec<Hit>,
    /// For each word of the query the passages that have it.
    pub(crate) frequencies: Vec<u32>,
    /// All passages, with a hit or without.
    pub(crate) passages: u32,
    /// Words of all passages.
    pub(crate) words: u64,
    /// Files that were read.
    pub(crate) files: usize,
}

/// The passage that is being read.
struct Open {
    start: usize,
    length: u32,
    counts: Vec<u16>,
}

impl Corpus {
    /// Nothing yet, for a query of `terms` words.
    pub(crate) fn new(terms: usize) -> Self {
        Self { hits: Vec::new(), frequencies: vec![0; terms], passages: 0, words: 0, files: 0 }
    }

    /// Reads the passages of a file. The words of its name count in each that has a word of the query.
    pub(crate) fn add(&mut self, file: usize, name: &str, text: &str, query: &Query) {
        self.files += 1;
        let mut named = vec![0; query.len()];
        words::each(name, |word| count(&mut named, query, word));
        let mut open = Open { start: 0, length: 0, counts: vec![0; query.len()] };
        let mut position = 0;
        for line in text.split_inclusive('\n') {
            words::each(line, |word| {
                open.length += 1;
                count(&mut open.counts, query, word);
            });
            position += line.len();
            let blank = line.trim_start().is_empty();
            if open.length >= MOST_WORDS || (blank && open.length >= ENOUGH_WORDS) {
                self.close(file, text, position, &mut open, &named, query);
            }
        }
        self.close(file, text, position, &mut open, &named, query);
    }

    fn close(&mut self, file: usize, text: &str, end: usize, open: &mut Open, named: &[u16], query: &Query) {
        if open.length > 0 {
            self.passages += 1;
            self.words += u64::from(open.length);
        }
        let found = open.counts.iter().any(|count| *count > 0);
        if found && text.get(open.start..end).is_some_and(|passage| query.phrases_in(passage)) {
            for (frequency, count) in self.frequencies.iter_mut().zip(&open.counts) {
                *frequency += u32::from(*count > 0);
            }
            let counts = open.counts.iter().zip(named).map(|(one, other)| one.saturating_add(*other)).collect();
            self.hits.push(Hit { file, start: open.start, end, length: open.length, counts });
        }
        open.start = end;
        open.length = 0;
        open.counts.fill(0);
    }
}

fn count(counts: &mut [u16], query: &Query, word: &str) {
    if let Some(count) = query.index(word).and_then(|index| counts.get_mut(index)) {
        *count = count.saturating_add(1);
    }
}

/// The line of the passage that has most different words of the query (counted from one in the file),
/// and the text from there, cut to a readable length.
pub(crate) fn snippet(text: &str, hit: &Hit, query: &Query) -> (usize, String) {
    let passage = text.get(hit.start..hit.end).unwrap_or_default();
    let mut best = (0, 0, 0);
    let mut position = 0;
    for (index, line) in passage.split_inclusive('\n').enumerate() {
        let mut seen = vec![false; query.len()];
        words::each(line, |word| {
            if let Some(seen) = query.index(word).and_then(|index| seen.get_mut(index)) {
                *seen = true;
            }
        });
        let distinct = seen.iter().filter(|seen| **seen).count();
        if distinct > best.0 {
            best = (distinct, index, position);
        }
        position += line.len();
    }
    let before = text.get(..hit.start).unwrap_or_default().matches('\n').count();
    let (_, index, from) = best;
    let rest = passage.get(from..).unwrap_or_default();
    (before + index + 1, shorten(around(rest, query)))
}

/// The start of a long line may be far from the words: begin at the sentence that has the first.
fn around<'a>(text: &'a str, query: &Query) -> &'a str {
    let line = text.split('\n').next().unwrap_or(text);
    let mut start = 0;
    let mut position = 0;
    for sentence in line.split_inclusive(". ") {
        let mut found = false;
        words::each(sentence, |word| found |= query.index(word).is_some());
        if found {
            start = position;
            break;
        }
        position += sentence.len();
    }
    text.get(start..).unwrap_or(text)
}

fn shorten(text: &str) -> String {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match flat.char_indices().nth(SNIPPET_CHARS) {
        None => flat,
        Some((cut, _)) => {
            let kept = flat.get(..cut).unwrap_or(&flat);
            format!("{}…", kept.rsplit_once(' ').map_or(kept, |(kept, _)| kept))
        }
    }
}
