//! What a fuzzer reaches of this crate: bytes in, and a panic where something is wrong. Only built for fuzzing and for the
//! tests below, which run the same functions on seeds and mutations of them.

use crate::{
    context::Stop,
    engine,
    typed::{
        docs::Docs,
        functions::Functions,
        shape::{Integer, Shape},
        value::{At, Source},
    },
};
use serde_json::Value;
use std::sync::{Arc, LazyLock};
use wasmtime::{Engine, component::Component};

/// Largest component that is compiled here: what compiling costs is bounded by the child elsewhere.
const COMPONENT: usize = 8 << 10;

/// Shapes in shapes.
const DEPTH: u32 = 4;

/// Attachments that hold something for every name that begins with `a`, and little memory.
struct Little(std::sync::atomic::AtomicUsize);

impl Source for Little {
    fn hold(&self, bytes: usize) -> Result<(), Stop> {
        let held = self.0.fetch_add(bytes, std::sync::atomic::Ordering::Relaxed);
        if held > 1 << 20 { Err(Stop::Memory) } else { Ok(()) }
    }

    fn blob(&self, name: &str) -> Option<Arc<[u8]>> {
        name.starts_with('a').then(|| Arc::from(name.as_bytes()))
    }
}

/// JSON to values and back: the JSON of a value spells that value. The first bytes spell a shape, the others the JSON.
pub fn values(data: &[u8]) {
    let mut rest = data;
    let shape = shape(&mut rest, DEPTH);
    drop(shape.schema());
    let Ok(json) = serde_json::from_slice::<Value>(rest) else { return };
    let read = |json: &Value| shape.read(json, &At::parameter("x"), &Little(0.into()));
    let mut keep = |_: Vec<u8>| Err(wasmtime::Error::msg("too long to be spelled out"));
    let Ok(val) = read(&json) else { return };
    let Ok(written) = shape.write(&val, &mut keep) else { return };
    let again = match read(&written) {
        Ok(again) => again,
        Err(super::typed::value::Unread::Stopped(_)) => return,
        Err(unread) => panic!("{unread}: {json} came to {written}"),
    };
    // Values may be NaN, which is not itself; its JSON is.
    let rewritten = shape.write(&again, &mut keep).ok();
    assert_eq!(rewritten.as_ref(), Some(&written), "from {json}");
}

/// A shape that bytes spell.
fn shape(bytes: &mut &[u8], depth: u32) -> Shape {
    let Some((&first, rest)) = bytes.split_first() else { return Shape::Bool };
    *bytes = rest;
    let some = usize::from(first >> 5);
    let names = |count: usize| ["a", "b-c", "ok", "err", "some", "null", "x1", "y"].into_iter().take(count + 1);
    let named = |bytes: &mut &[u8]| names(some).map(|name| (name.to_owned(), shape(bytes, depth - 1))).collect();
    let boxed = |bytes: &mut &[u8]| Box::new(shape(bytes, depth - 1));
    match first & 0x1f {
        14.. if depth == 0 => Shape::String,
        0 => Shape::Bool,
        1 => Shape::Integer(Integer::S8),
        2 => Shape::Integer(Integer::U8),
        3 => Shape::Integer(Integer::S16),
        4 => Shape::Integer(Integer::U16),
        5 => Shape::Integer(Integer::S32),
        6 => Shape::Integer(Integer::U32),
        7 => Shape::Integer(Integer::S64),
        8 => Shape::Integer(Integer::U64),
        9 => Shape::Float32,
        10 => Shape::Float64,
        11 => Shape::Char,
        12 => Shape::Bytes,
        13 => Shape::Enum(names(some).map(str::to_owned).collect()),
        14 => Shape::Flags(names(some).map(str::to_owned).collect()),
        15 => Shape::List(boxed(bytes)),
        16 => Shape::Array(boxed(bytes), u32::from(first >> 5)),
        17 => Shape::Map(Box::new(Shape::String), boxed(bytes)),
        18 => Shape::Map(Box::new(Shape::Integer(Integer::S64)), boxed(bytes)),
        19 => Shape::Record(named(bytes)),
        20 => Shape::Tuple((0..=some).map(|_| shape(bytes, depth - 1)).collect()),
        21 => Shape::Variant(
            names(some)
                .enumerate()
                .map(|(n, name)| (name.to_owned(), (n % 2 == 0).then(|| shape(bytes, depth - 1))))
                .collect(),
        ),
        22 => Shape::Option(boxed(bytes)),
        23 => Shape::Result(Some(boxed(bytes)), (some > 3).then(|| boxed(bytes))),
        24 => Shape::Result(None, (some > 3).then(|| boxed(bytes))),
        _ => Shape::String,
    }
}

/// Bytes as a component: its documentation, its validation, its code, and its exports as tools.
///
/// The real host compiles in a child; here that is done in place, because the types that come after it are the host's work.
pub fn component(data: &[u8]) {
    static ENGINE: LazyLock<Option<Engine>> = LazyLock::new(|| engine::compiling(512 << 10).ok());
    let docs = Docs::of(data);
    let Some(engine) = ENGINE.as_ref().filter(|_| data.len() <= COMPONENT) else { return };
    let Ok(component) = Component::from_binary(engine, data) else { return };
    let functions = Functions::of(engine, &component, &docs);
    for export in functions.exports() {
        assert_eq!(export.parameters["type"], "object", "{}", export.name);
        assert!(export.name.as_str().len() <= 64);
    }
}

#[cfg(test)]
#[path = "../../../tests/fuzz/replay.rs"]
mod replay;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_of_values_and_what_becomes_of_them() {
        replay::replay("values", values);
    }

    #[test]
    fn seeds_of_components_and_what_becomes_of_them() {
        replay::replay("component", component);
    }
}
