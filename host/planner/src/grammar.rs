//! Grammars: arguments that satisfy a tool's JSON schema, byte by byte (llguidance).
//!
//! The vocabulary is the 256 bytes, so a mask is a set of bytes and a copied span is checked by asking whether its bytes
//! would be accepted.

use llguidance::{Matcher, ParserFactory, api::TopLevelGrammar};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use toktrie::{ApproximateTokEnv, TokenId};
use tomas_core::observation::BlobRef;

/// The longest `maxLength` that the grammar counts itself; its lexer gives up on copies of more. Longer limits of the
/// object's own properties are counted here, in bytes as written, which are never fewer than the characters.
const COUNTED: u64 = 1000;

/// Makes grammars.
pub struct Grammars {
    factory: ParserFactory,
}

/// A schema cannot be turned into a grammar, or a grammar failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the argument schema cannot be decoded under: {0}")]
pub struct GrammarError(String);

fn failed(error: impl std::fmt::Display) -> GrammarError {
    GrammarError(error.to_string())
}

impl Grammars {
    /// A factory over bytes.
    ///
    /// # Errors
    /// When llguidance refuses its own defaults.
    pub fn new() -> Result<Self, GrammarError> {
        let mut factory = ParserFactory::new_simple(&ApproximateTokEnv::single_byte_env()).map_err(failed)?;
        factory.quiet();
        Ok(Self { factory })
    }

    /// The grammar of a tool's arguments. Blob arguments can only name one of `attachments`.
    ///
    /// # Errors
    /// When the schema uses what llguidance does not support.
    pub fn arguments(&self, schema: &Value, attachments: &[BlobRef]) -> Result<Arguments, GrammarError> {
        let mut schema = narrowed(schema, attachments);
        if let Some(fields) = schema.as_object_mut() {
            fields.insert("x-guidance".to_owned(), json!({"whitespace_flexible": false}));
        }
        let limits = limits(&mut schema);
        let parser = self.factory.create_parser(TopLevelGrammar::from_json_schema(schema)).map_err(failed)?;
        Ok(Arguments { matcher: Matcher::new(Ok(parser)), bytes: Vec::new(), limits, string: None, escape: false })
    }
}

/// Arguments being written.
pub struct Arguments {
    matcher: Matcher,
    bytes: Vec<u8>,
    /// The most bytes of properties whose limit the grammar does not count.
    limits: BTreeMap<String, usize>,
    /// Where the content of the string that is being written began.
    string: Option<usize>,
    /// Whether the last byte opened an escape.
    escape: bool,
}

impl Arguments {
    /// Bytes that must come next; they are taken in.
    ///
    /// # Errors
    /// When the grammar fails.
    pub fn forced(&mut self) -> Result<Vec<u8>, GrammarError> {
        let bytes = self.matcher.compute_ff_bytes();
        self.push(&bytes)?;
        Ok(bytes)
    }

    /// Which bytes may come next.
    ///
    /// # Errors
    /// When the grammar fails.
    pub fn allowed(&mut self) -> Result<[bool; 256], GrammarError> {
        let mask = self.matcher.compute_mask().map_err(failed)?;
        let mut allowed = [false; 256];
        for (id, slot) in (0u32..).zip(allowed.iter_mut()) {
            *slot = mask.is_allowed(id);
        }
        let close = usize::from(b'"');
        if self.room() == 0 && allowed.get(close) == Some(&true) && !self.escape {
            allowed.iter_mut().enumerate().for_each(|(byte, slot)| *slot &= byte == close);
        }
        Ok(allowed)
    }

    /// Whether these bytes, the content of one string or less, could come next.
    ///
    /// # Errors
    /// When the grammar fails.
    pub fn accepts(&mut self, bytes: &[u8]) -> Result<bool, GrammarError> {
        if bytes.len() > self.room() {
            return Ok(false);
        }
        let tokens: Vec<TokenId> = bytes.iter().map(|&b| u32::from(b)).collect();
        Ok(self.matcher.validate_tokens(&tokens).map_err(failed)? == tokens.len())
    }

    /// Takes in bytes that were allowed.
    ///
    /// # Errors
    /// When they were not.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), GrammarError> {
        let tokens: Vec<TokenId> = bytes.iter().map(|&b| u32::from(b)).collect();
        self.matcher.consume_tokens(&tokens).map_err(failed)?;
        for &byte in bytes {
            self.bytes.push(byte);
            self.string = match (self.string, byte) {
                (None, b'"') => Some(self.bytes.len()),
                (Some(_), b'"') if !self.escape => None,
                (string, _) => string,
            };
            self.escape = self.string.is_some() && byte == b'\\' && !self.escape;
        }
        Ok(())
    }

    /// How many more bytes the string that is being written may have, as far as it is counted here.
    fn room(&self) -> usize {
        let Some(begin) = self.string else { return usize::MAX };
        let (before, content) = self.bytes.split_at_checked(begin).unwrap_or_default();
        match opened(before).and_then(|name| self.limits.get(name)) {
            Some(limit) => limit.saturating_sub(content.len()),
            None => usize::MAX,
        }
    }

    /// Whether the object is complete and nothing can follow.
    #[must_use]
    pub fn complete(&mut self) -> bool {
        self.matcher.is_stopped() || (self.bytes.ends_with(b"}") && self.matcher.is_accepting().unwrap_or(false))
    }

    /// What was written so far.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The property whose string value begins exactly here, if any: what was written ends in `"name":"`.
    #[must_use]
    pub fn opening(&self) -> Option<&str> {
        opened(&self.bytes)
    }
}

/// The property whose string value begins where `text` ends.
fn opened(text: &[u8]) -> Option<&str> {
    let before = text.strip_suffix(b"\":\"")?;
    let name = before.rsplit(|&b| b == b'"').next()?;
    std::str::from_utf8(name).ok()
}

/// Takes the limits that the grammar cannot count out of the schema.
fn limits(schema: &mut Value) -> BTreeMap<String, usize> {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return BTreeMap::new() };
    let limit = |(name, property): (&String, &mut Value)| {
        let property = property.as_object_mut()?;
        let limit = property.get("maxLength").and_then(Value::as_u64).filter(|&limit| limit > COUNTED)?;
        property.remove("maxLength");
        Some((name.clone(), usize::try_from(limit).unwrap_or(usize::MAX)))
    };
    properties.iter_mut().filter_map(limit).collect()
}

/// The schema with blob arguments narrowed to the attachments, and without what only people read.
fn narrowed(schema: &Value, attachments: &[BlobRef]) -> Value {
    match schema {
        Value::Object(fields) => {
            let source = fields.get("x-tomas-source").and_then(Value::as_str);
            let names: Vec<String> = attachments.iter().map(|b| format!("blob:{}", b.name)).collect();
            match source {
                Some("blob") if !names.is_empty() => return json!({"type": "string", "enum": names}),
                _ => {}
            }
            let kept = fields
                .iter()
                .filter(|(k, _)| !matches!(k.as_str(), "x-tomas-source" | "description" | "title" | "examples"));
            Value::Object(
                kept.map(|(k, v)| {
                    (k.clone(), if k == "properties" { properties(v, attachments) } else { narrowed(v, attachments) })
                })
                .collect(),
            )
        }
        other => other.clone(),
    }
}

/// A property may be called `description`, so names are kept whatever they are.
fn properties(value: &Value, attachments: &[BlobRef]) -> Value {
    let Some(fields) = value.as_object() else { return value.clone() };
    Value::Object(fields.iter().map(|(k, v)| (k.clone(), narrowed(v, attachments))).collect::<Map<_, _>>())
}

/// A text as it stands inside a JSON string, without the quotes.
#[must_use]
pub fn escaped(text: &str) -> String {
    let quoted = Value::String(text.to_owned()).to_string();
    quoted.strip_prefix('"').and_then(|q| q.strip_suffix('"')).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Value {
        json!({"type": "object", "additionalProperties": false, "required": ["operation", "text"], "properties": {
            "operation": {"type": "string", "enum": ["now", "info"]},
            "text": {"type": "string", "x-tomas-source": "quote", "description": "what to read"},
            "sentences": {"type": "integer", "minimum": 1, "maximum": 50},
            "image": {"type": "string", "x-tomas-source": "blob"}}})
    }

    fn blob(name: &str) -> BlobRef {
        BlobRef { name: name.to_owned(), digest: String::new(), bytes: 1, pixels: None }
    }

    #[test]
    fn only_schema_valid_arguments_come_out() {
        let grammars = Grammars::new().unwrap();
        let mut a = grammars.arguments(&schema(), &[blob("a.png")]).unwrap();
        assert_eq!(a.forced().unwrap(), br#"{"operation":""#);
        assert_eq!(a.opening(), Some("operation"));
        assert!(a.accepts(b"info").unwrap());
        assert!(!a.accepts(b"nope").unwrap());
        a.push(b"info\"").unwrap();
        assert_eq!(a.forced().unwrap(), br#","text":""#);
        assert!(!a.accepts(b"a\"b\"").unwrap());
        a.push(escaped("say \"hi\"\n").as_bytes()).unwrap();
        a.push(b"\",\"image\":\"").unwrap();
        assert!(!a.accepts(b"blob:b.png\"").unwrap());
        a.push(b"blob:a.png\"}").unwrap();
        assert!(a.complete());
        let value: Value = serde_json::from_slice(a.bytes()).unwrap();
        assert_eq!(value, json!({"operation": "info", "text": "say \"hi\"\n", "image": "blob:a.png"}));
    }

    #[test]
    fn long_limits_hold_to_the_byte() {
        let grammars = Grammars::new().unwrap();
        let schema = json!({"type": "object", "additionalProperties": false, "required": ["a", "b"], "properties": {
            "a": {"type": "string", "maxLength": 20000}, "b": {"type": "string"}}});
        let mut a = grammars.arguments(&schema, &[]).unwrap();
        a.forced().unwrap();
        assert!(a.accepts(&[b'x'; 20000]).unwrap());
        assert!(!a.accepts(&[b'x'; 20001]).unwrap());
        a.push(&[b'x'; 19998]).unwrap();
        assert!(a.accepts(br#"\""#).unwrap() && !a.accepts(b"xxx").unwrap());
        a.push(br#"\""#).unwrap();
        let allowed = a.allowed().unwrap();
        assert_eq!((0..=255u8).filter(|&b| allowed[usize::from(b)]).collect::<Vec<_>>(), b"\"");
        a.push(b"\"").unwrap();
        a.forced().unwrap();
        assert_eq!(a.opening(), Some("b"));
        assert!(a.accepts(&[b'x'; 40000]).unwrap());
    }

    #[test]
    fn unsupported_schemas_are_an_error() {
        let grammars = Grammars::new().unwrap();
        assert!(grammars.arguments(&json!({"type": "nonsense"}), &[]).is_err());
    }
}
