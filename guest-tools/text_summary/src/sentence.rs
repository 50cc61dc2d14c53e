//! Splits running text into sentences: Unicode's rules (UAX 29), with English abbreviations put back
//! together, and paragraphs, list items and headings kept apart.

use unicode_segmentation::UnicodeSegmentation;

/// Words before a full stop that do not end a sentence (lower case, without the stop).
const ABBREVIATIONS: [&str; 36] = [
    "al", "approx", "apr", "aug", "ave", "ca", "cf", "co", "corp", "dec", "dept", "dr", "e.g", "est", "etc", "feb",
    "fig", "gen", "i.e", "inc", "jan", "jr", "ltd", "mr", "mrs", "ms", "no", "nov", "oct", "p", "prof", "sept", "sr",
    "st", "vol", "vs",
];
/// A block of fewer words that ends without punctuation is a heading, not a sentence.
const HEADING_WORDS: usize = 9;

/// The sentences of `text` in order, as slices of it without the space around. Headings are left out
/// unless the text has nothing else.
#[must_use]
pub(crate) fn split(text: &str) -> Vec<&str> {
    let blocks = blocks(text);
    let sentences: Vec<&str> =
        blocks.iter().filter(|block| !is_heading(block)).flat_map(|block| of_block(block)).collect();
    if sentences.is_empty() { blocks.iter().flat_map(|block| of_block(block)).collect() } else { sentences }
}

/// Paragraphs and list items: they end at an empty line or where the next line starts an item.
fn blocks(text: &str) -> Vec<&str> {
    let mut blocks = Vec::new();
    let (mut start, mut position) = (0, 0);
    for line in text.split_inclusive('\n') {
        let content = line.trim();
        if content.is_empty() || starts_item(content) {
            blocks.push(&text[start..position]);
            start = position;
        }
        position += line.len();
        if content.starts_with('#') {
            blocks.push(&text[start..position]);
            start = position;
        }
    }
    blocks.push(&text[start..]);
    blocks.into_iter().map(marker_dropped).filter(|block| block.contains(char::is_alphanumeric)).collect()
}

fn starts_item(line: &str) -> bool {
    line.starts_with('#') || ["- ", "* ", "+ ", "• "].iter().any(|marker| line.starts_with(marker))
}

fn marker_dropped(block: &str) -> &str {
    let block = block.trim();
    if starts_item(block) { block.trim_start_matches(['#', '-', '*', '+', '•', ' ']) } else { block }
}

fn is_heading(block: &&str) -> bool {
    let last = block.trim_end_matches(['"', '\'', '”', '’', ')', ']', '*', '_']).chars().next_back();
    !last.is_some_and(|last| matches!(last, '.' | '!' | '?' | '…' | '。' | '！' | '？' | '।' | ':' | ';'))
        && block.split_whitespace().count() < HEADING_WORDS
}

fn of_block(block: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let (mut start, mut position) = (0, 0);
    let mut pieces = block.split_sentence_bounds().peekable();
    while let Some(piece) = pieces.next() {
        position += piece.len();
        // UAX 29 ends a sentence at every line; inside a paragraph a line end is a space.
        let wrapped = piece.ends_with('\n') && !ends_with_stop(piece);
        let goes_on = pieces.peek().is_some_and(|next| next.starts_with(char::is_lowercase));
        if !wrapped && !goes_on && !ends_with_abbreviation(&block[start..position]) {
            push(&mut sentences, &block[start..position]);
            start = position;
        }
    }
    push(&mut sentences, &block[start..]);
    sentences
}

fn push<'a>(sentences: &mut Vec<&'a str>, sentence: &'a str) {
    let sentence = sentence.trim();
    if sentence.contains(char::is_alphanumeric) {
        sentences.push(sentence);
    }
}

fn ends_with_stop(piece: &str) -> bool {
    piece
        .trim_end()
        .trim_end_matches(['"', '\'', '”', '’', ')', ']'])
        .ends_with(['.', '!', '?', '…', '。', '！', '？', '।', ':'])
}

/// Whether the text so far ends with an abbreviation, a single initial (`J.`) or dotted letters (`U.S.`).
fn ends_with_abbreviation(text: &str) -> bool {
    let Some(body) = text.trim_end().strip_suffix('.') else { return false };
    let word = body.rsplit(|c: char| c.is_whitespace() || matches!(c, '(' | '[' | '"' | '“')).next().unwrap_or(body);
    let lower = word.to_lowercase();
    let single = word.chars().count() == 1 && word.chars().all(char::is_uppercase) && word != "I";
    single || ABBREVIATIONS.binary_search(&lower.as_str()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abbreviations_are_sorted() {
        assert!(ABBREVIATIONS.is_sorted());
    }

    #[test]
    fn abbreviations_and_decimals_do_not_split() {
        let text = "Dr. J. Smith paid 3.50 euros, e.g. for tea. Then he left! \"Did he?\" she asked.";
        assert_eq!(
            split(text),
            ["Dr. J. Smith paid 3.50 euros, e.g. for tea.", "Then he left!", "\"Did he?\" she asked."]
        );
    }

    #[test]
    fn wrapped_lines_join_and_headings_go() {
        let text = "# A title\n\nOne sentence that\nis wrapped. Another one.\n\n- first item is here.\n- second item\n";
        assert_eq!(split(text), ["One sentence that\nis wrapped.", "Another one.", "first item is here."]);
    }

    #[test]
    fn a_text_of_headings_only_keeps_them() {
        assert_eq!(split("hello world"), ["hello world"]);
        assert!(split(" \n\t…").is_empty());
    }

    #[test]
    fn other_scripts_split_too() {
        assert_eq!(split("今日は晴れです。明日は雨です。").len(), 2);
    }

    /// Texts of these pieces in every order that a generator comes up with.
    fn texts(pieces: &'static [&'static str]) -> impl Iterator<Item = String> {
        let mut state = 1_u64;
        let mut next = move |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        std::iter::repeat_with(move || (0..next(12)).map(|_| pieces[next(pieces.len())]).collect()).take(20_000)
    }

    #[test]
    fn no_text_panics_or_loses_words() {
        let pieces = &[
            "Word", "it", " ", ". ", "! ", "\n", "\n\n", "- ", "# ", "Dr.", "\"", "”", "…", "é", "。", ")", "1.5",
            "\r\n",
        ];
        for text in texts(pieces) {
            for sentence in split(&text) {
                assert!(text.contains(sentence) && sentence.contains(char::is_alphanumeric), "{text:?}");
            }
        }
    }
}
