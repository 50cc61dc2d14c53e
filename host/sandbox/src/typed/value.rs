//! Values: JSON to what the engine takes, and back, by the rules of [`super::schema`].

use super::{
    schema::SAFE,
    shape::{Integer, Shape},
};
use crate::context::Stop;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};
use std::{fmt, sync::Arc};
use wasmtime::component::Val;

/// JSON that does not have its shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{at}` is {found}; allowed is {allowed}")]
pub(crate) struct Mismatch {
    pub(crate) at: String,
    pub(crate) found: String,
    pub(crate) allowed: String,
}

/// A place in the arguments.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    outer: Option<&'a At<'a>>,
    name: Name<'a>,
}

#[derive(Clone, Copy)]
enum Name<'a> {
    Field(&'a str),
    Item(usize),
}

impl<'a> At<'a> {
    /// A parameter.
    pub(crate) const fn parameter(name: &'a str) -> Self {
        Self { outer: None, name: Name::Field(name) }
    }

    const fn field(&'a self, name: &'a str) -> Self {
        Self { outer: Some(self), name: Name::Field(name) }
    }

    const fn item(&'a self, index: usize) -> Self {
        Self { outer: Some(self), name: Name::Item(index) }
    }

    pub(crate) fn wrong(&self, found: &Value, allowed: impl Into<String>) -> Mismatch {
        let found: String = found.to_string().chars().take(80).collect();
        Mismatch { at: self.to_string(), found: format!("`{found}`"), allowed: allowed.into() }
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(outer) = self.outer {
            outer.fmt(f)?;
        }
        match (self.name, self.outer) {
            (Name::Field(name), Some(_)) => write!(f, ".{name}"),
            (Name::Field(name), None) => f.write_str(name),
            (Name::Item(index), _) => write!(f, "[{index}]"),
        }
    }
}

/// Why JSON is not read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unread {
    /// It does not have its shape.
    #[error(transparent)]
    Wrong(#[from] Mismatch),
    /// There is no memory for its values.
    #[error(transparent)]
    Stopped(#[from] Stop),
}

/// What reading needs of the call.
pub(crate) trait Source {
    /// Takes bytes of the call's memory, before what needs them is made.
    fn hold(&self, bytes: usize) -> Result<(), Stop>;
    /// Bytes of an attachment by name, or `None`.
    fn blob(&self, name: &str) -> Option<Arc<[u8]>>;
}

/// Keeps bytes that leave a call under a name of their own and returns the name, or says why not.
pub(crate) type Keep<'a> = dyn FnMut(Vec<u8>) -> wasmtime::Result<String> + Send + 'a;

/// Byte lists up to this length leave as base64, longer ones as blobs.
pub(crate) const INLINE: usize = 1024;

impl Shape {
    /// The value that JSON spells.
    ///
    /// # Errors
    /// When it spells none of this shape; says where, what was found and what is allowed.
    pub(crate) fn read(&self, json: &Value, at: &At<'_>, source: &dyn Source) -> Result<Val, Unread> {
        source.hold(size_of::<Val>())?;
        Ok(match self {
            Self::Bool => Val::Bool(json.as_bool().ok_or_else(|| at.wrong(json, "true or false"))?),
            Self::Integer(integer) => read_integer(*integer, json, at)?,
            Self::Float32 => {
                let wide = read_float(json, at)?;
                #[expect(clippy::cast_possible_truncation, reason = "rounding is what the type does")]
                let narrow = wide as f32;
                if narrow.is_infinite() && wide.is_finite() {
                    return Err(at.wrong(json, "a number that 32 bits can hold").into());
                }
                Val::Float32(narrow)
            }
            Self::Float64 => Val::Float64(read_float(json, at)?),
            Self::Char => {
                let text = json.as_str().unwrap_or_default();
                let mut chars = text.chars();
                match (chars.next(), chars.next()) {
                    (Some(only), None) => Val::Char(only),
                    _ => return Err(at.wrong(json, "a string of one character").into()),
                }
            }
            Self::String => {
                let text = string(json, at)?;
                source.hold(text.len())?;
                Val::String(text.to_owned())
            }
            Self::Bytes => {
                let bytes = read_bytes(json, at, source)?;
                // A value for each: lists that stand alone take another way.
                source.hold(bytes.len().saturating_mul(size_of::<Val>()))?;
                Val::List(bytes.iter().map(|&byte| Val::U8(byte)).collect())
            }
            Self::List(item) => Val::List(read_items(array(json, at)?, |_| Some(item), at, source)?),
            Self::Array(item, length) => {
                let items = array(json, at)?;
                if items.len() != *length as usize {
                    return Err(at.wrong(json, format!("an array of {length}")).into());
                }
                Val::FixedLengthList(read_items(items, |_| Some(item), at, source)?)
            }
            Self::Map(key, value) => Val::Map(read_map(key, value, json, at, source)?),
            Self::Record(fields) => {
                let given = json.as_object().ok_or_else(|| at.wrong(json, "an object"))?;
                let fields = fields.iter().map(|(name, shape)| (name.as_str(), shape));
                Val::Record(read_fields(fields, given, Some(at), source)?)
            }
            Self::Tuple(shapes) => {
                let items = array(json, at)?;
                if items.len() != shapes.len() {
                    return Err(at.wrong(json, format!("an array of {}", shapes.len())).into());
                }
                Val::Tuple(read_items(items, |n| shapes.get(n), at, source)?)
            }
            Self::Variant(cases) => {
                let cases = cases.iter().map(|(name, shape)| (name.as_str(), shape.as_ref()));
                let (name, payload) = read_case(cases, json, at, source)?;
                Val::Variant(name, payload)
            }
            Self::Enum(names) => match json.as_str().filter(|name| names.iter().any(|n| n == name)) {
                Some(name) => Val::Enum(name.to_owned()),
                None => return Err(at.wrong(json, one_of(names.iter().map(String::as_str))).into()),
            },
            Self::Option(inner) => Val::Option(match (json, inner.as_ref()) {
                (Value::Null, _) => None,
                (json, Self::Option(_)) => {
                    match json.as_object().filter(|o| o.len() == 1).and_then(|o| o.get("some")) {
                        Some(some) => Some(Box::new(inner.read(some, &at.field("some"), source)?)),
                        None => return Err(at.wrong(json, "null or {\"some\": …}").into()),
                    }
                }
                (json, inner) => Some(Box::new(inner.read(json, at, source)?)),
            }),
            Self::Result(ok, err) => {
                let cases = [("ok", ok.as_deref()), ("err", err.as_deref())];
                let (name, payload) = read_case(cases.into_iter(), json, at, source)?;
                Val::Result(if name == "ok" { Ok(payload) } else { Err(payload) })
            }
            Self::Flags(names) => {
                let wanted = array(json, at)?;
                for (n, flag) in wanted.iter().enumerate() {
                    if !names.iter().any(|name| flag.as_str() == Some(name)) {
                        return Err(at.item(n).wrong(flag, one_of(names.iter().map(String::as_str))).into());
                    }
                }
                let set = |name: &&String| wanted.iter().any(|flag| flag.as_str() == Some(name));
                Val::Flags(names.iter().filter(set).cloned().collect())
            }
        })
    }

    /// The JSON that spells a value of this shape. A value of another shape, which the engine never returns, is `null`.
    ///
    /// # Errors
    /// When a long byte list cannot be kept.
    pub(crate) fn write(&self, val: &Val, keep: &mut Keep<'_>) -> wasmtime::Result<Value> {
        Ok(match (self, val) {
            (Self::Float32, Val::Float32(x)) => write_float(shortest(*x)),
            (Self::Float64, Val::Float64(x)) => write_float(*x),
            (Self::Bytes, Val::List(items)) => {
                let byte = |v: &Val| if let Val::U8(byte) = v { *byte } else { 0 };
                write_bytes(items.iter().map(byte).collect(), keep)?
            }
            (Self::List(item) | Self::Array(item, _), Val::List(items) | Val::FixedLengthList(items)) => {
                Value::Array(items.iter().map(|v| item.write(v, keep)).collect::<Result<_, _>>()?)
            }
            (Self::Map(key, value), Val::Map(pairs)) if **key == Self::String => {
                let mut object = Map::new();
                for (k, v) in pairs {
                    let Val::String(name) = k else { continue };
                    object.insert(name.clone(), value.write(v, keep)?);
                }
                Value::Object(object)
            }
            (Self::Map(key, value), Val::Map(pairs)) => {
                let mut list = Vec::with_capacity(pairs.len());
                for (k, v) in pairs {
                    list.push(json!([key.write(k, keep)?, value.write(v, keep)?]));
                }
                Value::Array(list)
            }
            (Self::Record(shapes), Val::Record(fields)) => {
                let mut object = Map::new();
                for ((_, shape), (name, v)) in shapes.iter().zip(fields) {
                    object.insert(name.clone(), shape.write(v, keep)?);
                }
                Value::Object(object)
            }
            (Self::Tuple(shapes), Val::Tuple(items)) => {
                let items = shapes.iter().zip(items);
                Value::Array(items.map(|(shape, v)| shape.write(v, keep)).collect::<Result<_, _>>()?)
            }
            (Self::Variant(cases), Val::Variant(name, payload)) => {
                let shape = cases.iter().find(|(case, _)| case == name).and_then(|(_, shape)| shape.as_ref());
                write_case(name, shape, payload.as_deref(), keep)?
            }
            (Self::Option(_), Val::Option(None)) => Value::Null,
            (Self::Option(inner), Val::Option(Some(v))) => match inner.as_ref() {
                Self::Option(_) => json!({ "some": inner.write(v, keep)? }),
                inner => inner.write(v, keep)?,
            },
            (Self::Result(ok, _), Val::Result(Ok(v))) => write_case("ok", ok.as_deref(), v.as_deref(), keep)?,
            (Self::Result(_, err), Val::Result(Err(v))) => write_case("err", err.as_deref(), v.as_deref(), keep)?,
            (Self::Flags(_), Val::Flags(names)) => json!(names),
            (_, Val::Bool(x)) => json!(x),
            (_, Val::S8(x)) => json!(x),
            (_, Val::U8(x)) => json!(x),
            (_, Val::S16(x)) => json!(x),
            (_, Val::U16(x)) => json!(x),
            (_, Val::S32(x)) => json!(x),
            (_, Val::U32(x)) => json!(x),
            (_, Val::S64(x)) => write_long(i128::from(*x)),
            (_, Val::U64(x)) => write_long(i128::from(*x)),
            (_, Val::Char(c)) => json!(c),
            (_, Val::String(text) | Val::Enum(text)) => json!(text),
            _ => Value::Null,
        })
    }
}

/// The fields of a record, or the parameters of a constructor. Options may be left out, nothing else.
///
/// # Errors
/// As [`Shape::read`], and when there are others.
pub(crate) fn read_fields<'s>(
    shapes: impl Iterator<Item = (&'s str, &'s Shape)> + Clone,
    given: &Map<String, Value>,
    at: Option<&At<'_>>,
    source: &dyn Source,
) -> Result<Vec<(String, Val)>, Unread> {
    check_names(shapes.clone().map(|(name, _)| name), given, at)?;
    let read = |(name, shape): (&str, &Shape)| Ok((name.to_owned(), read_field(name, shape, given, at, source)?));
    shapes.map(read).collect()
}

/// One field or parameter.
///
/// # Errors
/// As [`Shape::read`], and when it is missing.
pub(crate) fn read_field(
    name: &str,
    shape: &Shape,
    given: &Map<String, Value>,
    at: Option<&At<'_>>,
    source: &dyn Source,
) -> Result<Val, Unread> {
    source.hold(size_of::<String>() + name.len())?;
    let place = At { outer: at, name: Name::Field(name) };
    match (given.get(name), shape) {
        (Some(json), shape) => shape.read(json, &place, source),
        (None, Shape::Option(_)) => {
            source.hold(size_of::<Val>())?;
            Ok(Val::Option(None))
        }
        (None, _) => {
            Err(Mismatch { at: place.to_string(), found: "missing".to_owned(), allowed: "a value".to_owned() }.into())
        }
    }
}

/// Refuses what nobody asked for.
///
/// # Errors
/// Names the first field that is none of `names`.
pub(crate) fn check_names<'s>(
    names: impl Iterator<Item = &'s str> + Clone,
    given: &Map<String, Value>,
    at: Option<&At<'_>>,
) -> Result<(), Mismatch> {
    match given.keys().find(|key| !names.clone().any(|name| name == *key)) {
        None => Ok(()),
        Some(unknown) => Err(Mismatch {
            at: at.map_or_else(|| unknown.clone(), |at| at.field(unknown).to_string()),
            found: "given".to_owned(),
            allowed: one_of(names),
        }),
    }
}

/// The bytes that a string of base64 or the name of a blob stands for.
///
/// # Errors
/// When it is neither.
pub(crate) fn read_bytes(json: &Value, at: &At<'_>, source: &dyn Source) -> Result<Arc<[u8]>, Unread> {
    let text = string(json, at)?;
    match text.strip_prefix("blob:") {
        Some(name) => Ok(source.blob(name).ok_or_else(|| at.wrong(json, "the name of an attachment"))?),
        None => {
            source.hold(text.len())?;
            Ok(STANDARD.decode(text).map(Arc::from).map_err(|_| at.wrong(json, "base64, or `blob:NAME`"))?)
        }
    }
}

/// The string that stands for bytes which leave a call.
///
/// # Errors
/// When they cannot be kept.
pub(crate) fn write_bytes(bytes: Vec<u8>, keep: &mut Keep<'_>) -> wasmtime::Result<Value> {
    Ok(Value::String(if bytes.len() <= INLINE { STANDARD.encode(bytes) } else { format!("blob:{}", keep(bytes)?) }))
}

fn read_items<'s>(
    items: &[Value],
    shape: impl Fn(usize) -> Option<&'s Shape>,
    at: &At<'_>,
    source: &dyn Source,
) -> Result<Vec<Val>, Unread> {
    let item = |(n, json): (usize, &Value)| shape(n).map(|shape| shape.read(json, &at.item(n), source));
    items.iter().enumerate().filter_map(item).collect()
}

fn read_map(
    key: &Shape,
    value: &Shape,
    json: &Value,
    at: &At<'_>,
    source: &dyn Source,
) -> Result<Vec<(Val, Val)>, Unread> {
    if *key == Shape::String {
        let given = json.as_object().ok_or_else(|| at.wrong(json, "an object"))?;
        let pair =
            |(name, v): (&String, &Value)| Ok((Val::String(name.clone()), value.read(v, &at.field(name), source)?));
        return given.iter().map(pair).collect();
    }
    let pair = |(n, json): (usize, &Value)| match array(json, &at.item(n))? {
        [k, v] => Ok((key.read(k, &at.item(n), source)?, value.read(v, &at.item(n), source)?)),
        _ => Err(at.item(n).wrong(json, "a pair").into()),
    };
    array(json, at)?.iter().enumerate().map(pair).collect()
}

type Case = (String, Option<Box<Val>>);

fn read_case<'s>(
    mut cases: impl Iterator<Item = (&'s str, Option<&'s Shape>)> + Clone,
    json: &Value,
    at: &At<'_>,
    source: &dyn Source,
) -> Result<Case, Unread> {
    let all = cases.clone();
    let (name, payload) = match json {
        Value::String(name) => (name, None),
        Value::Object(fields) if fields.len() == 1 => match fields.iter().next() {
            Some((name, payload)) => (name, Some(payload)),
            None => return Err(at.wrong(json, allowed_cases(all)).into()),
        },
        _ => return Err(at.wrong(json, allowed_cases(all)).into()),
    };
    match (cases.find(|(case, _)| case == name), payload) {
        (Some((_, None)), None) => Ok((name.clone(), None)),
        (Some((_, Some(shape))), Some(payload)) => {
            Ok((name.clone(), Some(Box::new(shape.read(payload, &at.field(name), source)?))))
        }
        _ => Err(at.wrong(json, allowed_cases(all)).into()),
    }
}

fn allowed_cases<'s>(cases: impl Iterator<Item = (&'s str, Option<&'s Shape>)>) -> String {
    let spelled = |(name, shape): (&str, Option<&Shape>)| match shape {
        None => format!("\"{name}\""),
        Some(_) => format!("{{\"{name}\": …}}"),
    };
    format!("one of {}", cases.map(spelled).collect::<Vec<_>>().join(", "))
}

fn write_case(
    name: &str,
    shape: Option<&Shape>,
    payload: Option<&Val>,
    keep: &mut Keep<'_>,
) -> wasmtime::Result<Value> {
    Ok(match (shape, payload) {
        (Some(shape), Some(val)) => json!({ name: shape.write(val, keep)? }),
        _ => json!(name),
    })
}

fn read_integer(integer: Integer, json: &Value, at: &At<'_>) -> Result<Val, Mismatch> {
    let (least, greatest) = integer.bounds();
    let digits = |text: &str| matches!(integer, Integer::S64 | Integer::U64).then(|| text.parse::<i128>().ok())?;
    let whole = |x: f64| {
        // 3.0 is an integer of JSON schema; above 2^53 a float no longer says which one.
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "within 2^53")]
        (x.fract() == 0.0 && x.abs() <= SAFE as f64).then_some(x as i128)
    };
    let found = match json {
        Value::Number(n) => {
            n.as_i64().map(i128::from).or_else(|| n.as_u64().map(i128::from)).or_else(|| n.as_f64().and_then(whole))
        }
        Value::String(text) => digits(text),
        _ => None,
    };
    let wrong = || at.wrong(json, format!("an integer from {least} to {greatest}"));
    let x = found.filter(|x| (least..=greatest).contains(x)).ok_or_else(wrong)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the bounds of the type")]
    Ok(match integer {
        Integer::S8 => Val::S8(x as i8),
        Integer::U8 => Val::U8(x as u8),
        Integer::S16 => Val::S16(x as i16),
        Integer::U16 => Val::U16(x as u16),
        Integer::S32 => Val::S32(x as i32),
        Integer::U32 => Val::U32(x as u32),
        Integer::S64 => Val::S64(x as i64),
        Integer::U64 => Val::U64(x as u64),
    })
}

fn write_long(x: i128) -> Value {
    match i64::try_from(x) {
        Ok(small) if x.abs() <= SAFE => json!(small),
        _ => json!(x.to_string()),
    }
}

fn read_float(json: &Value, at: &At<'_>) -> Result<f64, Mismatch> {
    match json {
        Value::Number(n) => n.as_f64(),
        Value::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
    .ok_or_else(|| at.wrong(json, "a number, \"NaN\", \"Infinity\" or \"-Infinity\""))
}

fn write_float(x: f64) -> Value {
    match serde_json::Number::from_f64(x) {
        Some(number) => Value::Number(number),
        None if x.is_nan() => json!("NaN"),
        None if x > 0.0 => json!("Infinity"),
        None => json!("-Infinity"),
    }
}

/// The double that prints as shortly as the float does: 0.1 and not 0.10000000149011612.
fn shortest(x: f32) -> f64 {
    #[expect(clippy::cast_possible_truncation, reason = "checks that nothing is lost")]
    let same = |wide: &f64| (*wide as f32).to_bits() == x.to_bits();
    x.to_string().parse().ok().filter(same).unwrap_or_else(|| f64::from(x))
}

fn string<'v>(json: &'v Value, at: &At<'_>) -> Result<&'v str, Mismatch> {
    json.as_str().ok_or_else(|| at.wrong(json, "a string"))
}

fn array<'v>(json: &'v Value, at: &At<'_>) -> Result<&'v [Value], Mismatch> {
    json.as_array().map(Vec::as_slice).ok_or_else(|| at.wrong(json, "an array"))
}

fn one_of<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    if names.is_empty() { "nothing".to_owned() } else { format!("one of {}", names.join(", ")) }
}

#[cfg(test)]
#[path = "value_tests.rs"]
mod tests;
