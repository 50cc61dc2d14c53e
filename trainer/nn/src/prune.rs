//! Making a WordPiece vocabulary small: fewer pieces, the same text.
//!
//! WordPiece takes the longest piece that fits, so dropping pieces changes nothing for words cut
//! into kept pieces, and cuts other words into smaller ones. All single characters stay, so no word
//! becomes unknown that was known before.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use crate::error::{Error, Result};

/// A smaller tokenizer.
#[derive(Clone, Debug)]
pub struct Pruned {
    /// The contents of its `tokenizer.json`.
    pub json: Vec<u8>,
    /// For each new id the old one: the rows of the embedding table to keep, in order.
    pub rows: Vec<u32>,
}

/// Keeps the pieces in `keep` (old ids), the special pieces that are in use, all single characters
/// and all `##` characters of a WordPiece `tokenizer.json`.
///
/// # Errors
/// [`Error::Tokenizer`] if the JSON is not a WordPiece tokenizer.
pub fn prune(tokenizer_json: &[u8], keep: &HashSet<u32>) -> Result<Pruned> {
    let mut root: Value = serde_json::from_slice(tokenizer_json).map_err(|e| Error::Tokenizer(e.to_string()))?;
    let specials = special_ids(&root)?;
    let (pieces, prefix) = vocabulary(&root)?;
    let kept = |piece: &str, id: u32| {
        let bare = piece.strip_prefix(&prefix).unwrap_or(piece);
        keep.contains(&id) || specials.contains(&id) || piece.chars().count() == 1 || bare.chars().count() == 1
    };
    let mut pieces: Vec<(String, u32)> = pieces.into_iter().filter(|(piece, id)| kept(piece, *id)).collect();
    pieces.sort_by_key(|(_, id)| *id);
    let new_ids: HashMap<u32, usize> = pieces.iter().enumerate().map(|(new, (_, old))| (*old, new)).collect();
    let rows = pieces.iter().map(|(_, id)| *id).collect();
    let vocabulary: Map<String, Value> =
        pieces.into_iter().enumerate().map(|(new, (piece, _))| (piece, json!(new))).collect();
    set(&mut root, "/model/vocab", Value::Object(vocabulary));
    set(&mut root, "/truncation", Value::Null);
    set(&mut root, "/padding", Value::Null);
    renumber(&mut root, &new_ids)?;
    let json = serde_json::to_vec(&root).map_err(|e| Error::Tokenizer(e.to_string()))?;
    Ok(Pruned { json, rows })
}

/// Ids of the added (special) tokens.
fn special_ids(root: &Value) -> Result<HashSet<u32>> {
    let added = root.pointer("/added_tokens").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    added.iter().map(|token| id(token.get("id"))).collect()
}

/// All pieces with their ids, and the prefix that marks a piece inside a word.
fn vocabulary(root: &Value) -> Result<(Vec<(String, u32)>, String)> {
    if root.pointer("/model/type").and_then(Value::as_str) != Some("WordPiece") {
        return Err(Error::Tokenizer("only a `WordPiece` model can be pruned".into()));
    }
    let vocabulary = root.pointer("/model/vocab").and_then(Value::as_object);
    let vocabulary = vocabulary.ok_or_else(|| Error::Tokenizer("`model.vocab` is missing".into()))?;
    let pieces =
        vocabulary.iter().map(|(piece, value)| Ok((piece.clone(), id(Some(value))?))).collect::<Result<_>>()?;
    let prefix = root.pointer("/model/continuing_subword_prefix").and_then(Value::as_str).unwrap_or("##");
    Ok((pieces, prefix.to_owned()))
}

/// Rewrites ids outside the vocabulary: added tokens and the post-processor.
fn renumber(root: &mut Value, new_ids: &HashMap<u32, usize>) -> Result<()> {
    let change = |value: &mut Value| -> Result<()> {
        let old = id(Some(value))?;
        let new = new_ids
            .get(&old)
            .ok_or_else(|| Error::Tokenizer(format!("special piece `{old}` is not in the vocabulary")))?;
        *value = json!(new);
        Ok(())
    };
    for token in root.pointer_mut("/added_tokens").and_then(Value::as_array_mut).into_iter().flatten() {
        token.get_mut("id").map_or(Ok(()), change)?;
    }
    // TemplateProcessing: {"special_tokens": {"[CLS]": {"ids": [101], ...}}}
    for special in
        root.pointer_mut("/post_processor/special_tokens").and_then(Value::as_object_mut).into_iter().flatten()
    {
        for value in special.1.get_mut("ids").and_then(Value::as_array_mut).into_iter().flatten() {
            change(value)?;
        }
    }
    // BertProcessing: {"cls": ["[CLS]", 101], "sep": ["[SEP]", 102]}
    for end in ["/post_processor/cls/1", "/post_processor/sep/1"] {
        root.pointer_mut(end).map_or(Ok(()), change)?;
    }
    Ok(())
}

fn id(value: Option<&Value>) -> Result<u32> {
    let id = value.and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok());
    id.ok_or_else(|| Error::Tokenizer(format!("`{}` is not a piece id", value.unwrap_or(&Value::Null))))
}

fn set(root: &mut Value, pointer: &str, new: Value) {
    if let Some(value) = root.pointer_mut(pointer) {
        *value = new;
    }
}
