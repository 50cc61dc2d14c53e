use std::collections::HashSet;

use super::*;
use crate::prune::prune;
use crate::toy;

/// `TOMAS_MINILM` names the folder of the real model; without it only the toy vocabulary is tried.
fn vocabularies() -> Vec<Vec<u8>> {
    let real =
        std::env::var("TOMAS_MINILM").ok().map(|dir| std::fs::read(Path::new(&dir).join("tokenizer.json")).unwrap());
    real.into_iter()
        .chain([toy::tokenizer(&["convert", "miles", "to", "kilo", "##metre", "##s", "un", "##able", "cafe", "中"])])
        .collect()
}

fn encoder(limit: usize) -> PieceEncoder {
    PieceEncoder::from_json(
        &toy::tokenizer(&["convert", "miles", "to", "kilo", "##metre", "##s", "cafe", "naive"]),
        limit,
    )
    .unwrap()
}

fn texts(encoder: &PieceEncoder, request: &str) -> Vec<String> {
    let pieces = encoder.encode(request).unwrap();
    (1..pieces.len() - 1).map(|i| pieces.slice(request, i, i).unwrap().to_owned()).collect()
}

#[test]
fn offsets_are_those_of_the_original() {
    let e = encoder(160);
    assert_eq!(
        texts(&e, "Convert 26.2  MILES to kilometres"),
        ["Convert", "2", "6", ".", "2", "MILES", "to", "kilo", "metre", "s"]
    );
    assert_eq!(texts(&e, "Café naïve cafe\u{301}!"), ["Café", "naïve", "cafe\u{301}", "!"]);
    assert_eq!(texts(&e, "to\u{301}\u{302} ❤\u{fe0f} to\u{300}"), ["to\u{301}\u{302}", "❤\u{fe0f}", "to\u{300}"]);
    assert_eq!(texts(&e, "to\u{200b}中文 to🙂to"), ["to", "中", "文", "to🙂to"]);
    assert_eq!(texts(&e, "İ to ẞ to"), ["İ", "to", "ẞ", "to"]);
}

#[test]
fn a_spelled_special_piece_is_text() {
    let e = encoder(160);
    let ids = e.encode("to [SEP] [CLS] to").unwrap().ids;
    assert_eq!(
        ids.iter().filter(|id| **id == e.sep || **id == e.cls).count(),
        2,
        "one [CLS] and one [SEP] only: {ids:?}"
    );
}

#[test]
fn spans_are_found_and_sliced_back() {
    let e = encoder(160);
    let request = "convert 26.2 miles to Kilometres ";
    let pieces = e.encode(request).unwrap();
    for span in ["26.2", "miles", "26.2 miles", "Kilometres", "kilo", "Kilometres ", request] {
        let Some(from) = request.find(span) else { continue };
        let (start, end) = pieces.span(from, from + span.len()).unwrap();
        assert_eq!(pieces.slice(request, start, end), Some(span));
    }
    let inside = request.find("iles").unwrap();
    assert_eq!(pieces.span(inside, inside + 4), None, "no piece begins inside `miles`");
    assert_eq!(pieces.span(3, 3), None);
}

#[test]
fn a_long_request_keeps_both_ends() {
    let e = encoder(20);
    let request: String = (0..100).map(|i| format!("{} ", i % 10)).collect();
    let pieces = e.encode(&request).unwrap();
    assert_eq!(pieces.len(), 20);
    assert_eq!(pieces.slice(&request, 1, 13), Some("0 1 2 3 4 5 6 7 8 9 0 1 2"));
    assert_eq!(pieces.slice(&request, 14, 18), Some("5 6 7 8 9"));
    assert_eq!(pieces.offsets[13], (24, 25));
    assert_eq!(pieces.offsets[14], (190, 191));
    assert_eq!(pieces.slice(&request, 1, 19), Some(request.as_str()), "[SEP] as end means to the very end");
}

#[test]
fn a_huge_request_is_cut_like_a_long_one() {
    let e = encoder(160);
    let long: String = (0..30_000).map(|i| format!("{} ", i % 10)).collect();
    let huge = format!("{}{}", long, "é".repeat(10) + &long.repeat(20));
    let (a, b) = (e.encode(&long).unwrap(), e.encode(&huge).unwrap());
    assert_eq!(a.ids, b.ids);
    assert_eq!(b.slice(&huge, 1, 159), Some(huge.as_str()));
    let shift = huge.len() - long.len();
    assert_eq!(a.offsets[158].0 + shift, b.offsets[158].0);
}

#[test]
fn pruned_vocabularies_agree_on_kept_pieces() {
    for json in vocabularies() {
        let full = PieceEncoder::from_json(&json, 160).unwrap();
        let keep: HashSet<u32> =
            full.encode("Convert 26.2 miles to kilometres, café 中文").unwrap().ids.into_iter().collect();
        let pruned = prune(&json, &keep).unwrap();
        let small = PieceEncoder::from_json(&pruned.json, 160).unwrap();
        assert_eq!(small.vocabulary(), pruned.rows.len());
        for text in ["miles to kilometres", "26 cafe café", "中文 to MILES"] {
            let (a, b) = (full.encode(text).unwrap(), small.encode(text).unwrap());
            let old: Vec<u32> = b.ids.iter().map(|id| pruned.rows[*id as usize]).collect();
            assert_eq!((a.ids, a.offsets), (old, b.offsets), "{text}");
        }
        let fallback = small.encode("unable").unwrap();
        assert_eq!(fallback.len(), 8, "letters of a dropped piece: {:?}", fallback.ids);
        let unknown = small.tokenizer.token_to_id("[UNK]").unwrap();
        assert!(!fallback.ids.contains(&unknown));
        assert!(prune(&pruned.json, &HashSet::new()).is_ok(), "what was pruned can be pruned again");
    }
}

#[test]
fn a_file_that_is_no_tokenizer_is_a_clean_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokenizer.json");
    let whole = toy::tokenizer(&["a"]);
    for bytes in [
        &b"garbage"[..],
        b"{}",
        b"",
        &whole[..whole.len() / 2],
        b"\xff\xfe",
        br#"{"model":{"type":"WordPiece","vocab":{}}}"#,
    ] {
        std::fs::write(&path, bytes).unwrap();
        assert!(matches!(PieceEncoder::open(&path, 160), Err(Error::Malformed { .. })));
        assert!(prune(bytes, &HashSet::new()).is_err() || bytes.starts_with(b"{\"model\""));
    }
    assert!(matches!(PieceEncoder::from_json(&whole, 3), Err(Error::Config(_))));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(500))]
    #[test]
    fn pieces_of_any_text_lie_on_character_boundaries(text in "(\\PC|[ \\t\\n\\r\\u{0}-\\u{1f}\\u{300}-\\u{36f}\\u{ac00}-\\u{ac80}\\u{1f600}-\\u{1f64f}éàüßİŒﬁ中文]|convert|miles){0,60}") {
        for json in vocabularies_once() {
            let pieces = json.encode(&text).unwrap();
            assert_eq!(pieces.ids.len(), pieces.offsets.len());
            assert!(pieces.len() >= 2 && pieces.len() <= 30);
            let mut last = 0;
            for i in 0..pieces.len() {
                assert!(pieces.slice(&text, i, i).is_some(), "piece {i} of {text:?}: {:?}", pieces.offsets);
                assert!(pieces.offsets[i].0 >= last, "{:?}", pieces.offsets);
                last = pieces.offsets[i].0;
                let (from, to) = pieces.offsets[i];
                if from < to {
                    let (start, end) = pieces.span(from, to).unwrap();
                    assert_eq!(pieces.slice(&text, start, end), text.get(from..to));
                }
            }
        }
    }
}

fn vocabularies_once() -> &'static [PieceEncoder] {
    static ALL: std::sync::OnceLock<Vec<PieceEncoder>> = std::sync::OnceLock::new();
    ALL.get_or_init(|| vocabularies().iter().map(|json| PieceEncoder::from_json(json, 30).unwrap()).collect())
}
