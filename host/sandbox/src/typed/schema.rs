//! JSON schemas of shapes. The rules, which [`super::value`] follows in both directions:
//!
//! | WIT | JSON |
//! |---|---|
//! | `bool`, `string`, `char` | boolean, string, string of one character |
//! | integers of up to 32 bits | integer within the type's bounds |
//! | `s64`, `u64` | integer up to ±(2^53 − 1), beyond it a string of decimal digits |
//! | `f32`, `f64` | number, or one of `"NaN"`, `"Infinity"`, `"-Infinity"` |
//! | `list<u8>` | string: base64, or `blob:NAME` for an attachment |
//! | `list<T>`, `tuple<…>` | array |
//! | `map<string, T>` | object; with other keys an array of pairs |
//! | record | object |
//! | `enum` | string |
//! | variant | the case's name; with a payload an object of that one name |
//! | `option<T>` | `null` or the value; in an option again `{"some": …}` |
//! | `result<T, E>` | `{"ok": …}` or `{"err": …}`; `"ok"` or `"err"` without a payload |
//! | flags | array of the names that are set |
//!
//! Fields and parameters of an option type may be left out.

use super::shape::{Integer, Shape};
use serde_json::{Map, Value, json};

/// The integers that every reader of JSON keeps exact: up to 2^53 − 1.
pub(crate) const SAFE: i128 = (1 << 53) - 1;

/// The schema of an object of these properties and no other.
pub(super) fn closed(properties: Value, required: &[&str]) -> Value {
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

/// The schema of a result: its text, its value where that is short, and what else there is.
pub(super) fn result(more: Value, required: &[&str]) -> Value {
    let mut properties = json!({"text": {"type": "string"}, "value": {"type": "string"}});
    if let (Value::Object(properties), Value::Object(more)) = (&mut properties, more) {
        properties.extend(more);
    }
    let required = [&["text"], required].concat();
    json!({"type": "object", "properties": properties, "required": required})
}

impl Shape {
    /// The schema.
    pub(crate) fn schema(&self) -> Value {
        match self {
            Self::Bool => json!({"type": "boolean"}),
            Self::Integer(integer) => number(*integer),
            Self::Float32 | Self::Float64 => {
                json!({"anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}]})
            }
            Self::Char => json!({"type": "string", "minLength": 1, "maxLength": 1}),
            Self::String => json!({"type": "string"}),
            Self::Bytes => json!({"type": "string", "contentEncoding": "base64", "description": BYTES}),
            Self::List(item) => json!({"type": "array", "items": item.schema()}),
            Self::Array(item, length) => {
                json!({"type": "array", "items": item.schema(), "minItems": length, "maxItems": length})
            }
            Self::Map(key, value) if **key == Self::String => {
                json!({"type": "object", "additionalProperties": value.schema()})
            }
            Self::Map(key, value) => json!({"type": "array", "items": sequence(&[key.schema(), value.schema()])}),
            Self::Record(fields) => object(fields.iter().map(|(name, shape)| (name.as_str(), shape))),
            Self::Tuple(shapes) => sequence(&shapes.iter().map(Self::schema).collect::<Vec<_>>()),
            Self::Variant(cases) => choice(cases.iter().map(|(name, shape)| (name.as_str(), shape.as_ref()))),
            Self::Enum(names) => json!({"type": "string", "enum": names}),
            Self::Option(inner) => json!({"anyOf": [inner.inner_schema(), {"type": "null"}]}),
            Self::Result(ok, err) => choice([("ok", ok.as_deref()), ("err", err.as_deref())].into_iter()),
            Self::Flags(names) => {
                json!({"type": "array", "items": {"type": "string", "enum": names}, "uniqueItems": true})
            }
        }
    }

    /// The schema of what stands in an option: another option is wrapped, or `null` would be ambiguous.
    fn inner_schema(&self) -> Value {
        match self {
            Self::Option(_) => single("some", self.schema()),
            plain => plain.schema(),
        }
    }
}

/// What a byte list may be.
const BYTES: &str = "bytes in base64, or `blob:NAME` for the attachment of that name";

fn number(integer: Integer) -> Value {
    let (least, greatest) = integer.bounds();
    let (low, high) = (least.max(-SAFE), greatest.min(SAFE));
    let plain = json!({"type": "integer", "minimum": low as i64, "maximum": high as i64});
    match integer {
        Integer::S64 => json!({"anyOf": [plain, {"type": "string", "pattern": "^-?[0-9]{1,19}$"}]}),
        Integer::U64 => json!({"anyOf": [plain, {"type": "string", "pattern": "^[0-9]{1,20}$"}]}),
        _ => plain,
    }
}

/// An object of these fields. Those of an option type may be left out.
pub(crate) fn object<'a>(fields: impl Iterator<Item = (&'a str, &'a Shape)>) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for (name, shape) in fields {
        properties.insert(name.to_owned(), shape.schema());
        if !matches!(shape, Shape::Option(_)) {
            required.push(name);
        }
    }
    closed(properties.into(), &required)
}

fn single(name: &str, schema: Value) -> Value {
    closed(json!({ name: schema }), &[name])
}

fn sequence(schemas: &[Value]) -> Value {
    let n = schemas.len();
    json!({"type": "array", "prefixItems": schemas, "items": false, "minItems": n, "maxItems": n})
}

fn choice<'a>(cases: impl Iterator<Item = (&'a str, Option<&'a Shape>)> + Clone) -> Value {
    let plain: Vec<&str> = cases.clone().filter(|(_, shape)| shape.is_none()).map(|(name, _)| name).collect();
    let names = (!plain.is_empty()).then(|| json!({"type": "string", "enum": plain}));
    let loaded = cases.filter_map(|(name, shape)| Some(single(name, shape?.schema())));
    let all: Vec<Value> = names.into_iter().chain(loaded).collect();
    json!({"anyOf": all})
}
