use super::*;
use proptest::prelude::*;

/// No attachments, and all the memory there is.
struct Nothing;

impl Source for Nothing {
    fn hold(&self, _: usize) -> Result<(), Stop> {
        Ok(())
    }

    fn blob(&self, _: &str) -> Option<Arc<[u8]>> {
        None
    }
}

fn keep_none(_: Vec<u8>) -> wasmtime::Result<String> {
    Err(wasmtime::Error::msg("too long to be inline"))
}

fn read(shape: &Shape, json: &Value) -> Result<Val, Unread> {
    shape.read(json, &At::parameter("x"), &Nothing)
}

fn integer() -> impl Strategy<Value = Integer> {
    use Integer::{S8, S16, S32, S64, U8, U16, U32, U64};
    prop::sample::select(vec![S8, U8, S16, U16, S32, U32, S64, U64])
}

/// Distinct names, as WIT demands.
fn names(count: usize) -> Vec<String> {
    ["a", "b-c", "ok", "some", "err-or"].iter().take(count).map(|name| (*name).to_owned()).collect()
}

fn shape() -> impl Strategy<Value = Shape> {
    let leaf = prop_oneof![
        Just(Shape::Bool),
        integer().prop_map(Shape::Integer),
        Just(Shape::Float32),
        Just(Shape::Float64),
        Just(Shape::Char),
        Just(Shape::String),
        Just(Shape::Bytes),
        (1usize..5).prop_map(|n| Shape::Enum(names(n))),
        (1usize..5).prop_map(|n| Shape::Flags(names(n))),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let some = || prop::collection::vec(inner.clone(), 1..4);
        let maybe = || prop::option::of(inner.clone());
        prop_oneof![
            inner.clone().prop_map(|s| Shape::List(Box::new(s))),
            (inner.clone(), 1u32..4).prop_map(|(s, n)| Shape::Array(Box::new(s), n)),
            inner.clone().prop_map(|s| Shape::Map(Box::new(Shape::String), Box::new(s))),
            (integer(), inner.clone()).prop_map(|(k, s)| Shape::Map(Box::new(Shape::Integer(k)), Box::new(s))),
            some().prop_map(|s| Shape::Record(names(s.len()).into_iter().zip(s).collect())),
            some().prop_map(Shape::Tuple),
            prop::collection::vec(maybe(), 1..4)
                .prop_map(|s| Shape::Variant(names(s.len()).into_iter().zip(s).collect())),
            inner.clone().prop_map(|s| Shape::Option(Box::new(s))),
            (maybe(), maybe()).prop_map(|(ok, err)| Shape::Result(ok.map(Box::new), err.map(Box::new))),
        ]
    })
}

fn payload(shape: Option<&Shape>) -> BoxedStrategy<Option<Box<Val>>> {
    shape.map_or_else(|| Just(None).boxed(), |shape| val(shape).prop_map(|v| Some(Box::new(v))).boxed())
}

/// Every value of a shape.
fn val(shape: &Shape) -> BoxedStrategy<Val> {
    let list = |shape: &Shape| prop::collection::vec(val(shape), 0..3);
    match shape {
        Shape::Bool => any::<bool>().prop_map(Val::Bool).boxed(),
        Shape::Integer(Integer::S8) => any::<i8>().prop_map(Val::S8).boxed(),
        Shape::Integer(Integer::U8) => any::<u8>().prop_map(Val::U8).boxed(),
        Shape::Integer(Integer::S16) => any::<i16>().prop_map(Val::S16).boxed(),
        Shape::Integer(Integer::U16) => any::<u16>().prop_map(Val::U16).boxed(),
        Shape::Integer(Integer::S32) => any::<i32>().prop_map(Val::S32).boxed(),
        Shape::Integer(Integer::U32) => any::<u32>().prop_map(Val::U32).boxed(),
        Shape::Integer(Integer::S64) => any::<i64>().prop_map(Val::S64).boxed(),
        Shape::Integer(Integer::U64) => any::<u64>().prop_map(Val::U64).boxed(),
        Shape::Float32 => any::<f32>().prop_map(Val::Float32).boxed(),
        Shape::Float64 => any::<f64>().prop_map(Val::Float64).boxed(),
        Shape::Char => any::<char>().prop_map(Val::Char).boxed(),
        Shape::String => any::<String>().prop_map(Val::String).boxed(),
        Shape::Bytes => prop::collection::vec(any::<u8>().prop_map(Val::U8), 0..9).prop_map(Val::List).boxed(),
        Shape::List(item) => list(item).prop_map(Val::List).boxed(),
        Shape::Array(item, n) => prop::collection::vec(val(item), *n as usize).prop_map(Val::FixedLengthList).boxed(),
        Shape::Map(key, value) => {
            // Keys once each: an object cannot repeat them.
            let distinct = |pairs: Vec<(Val, Val)>| {
                let mut seen: Vec<(Val, Val)> = Vec::new();
                for pair in pairs {
                    if !seen.iter().any(|(k, _)| *k == pair.0) {
                        seen.push(pair);
                    }
                }
                Val::Map(seen)
            };
            prop::collection::vec((val(key), val(value)), 0..3).prop_map(distinct).boxed()
        }
        Shape::Record(fields) => {
            let names: Vec<String> = fields.iter().map(|(name, _)| name.clone()).collect();
            let vals: Vec<_> = fields.iter().map(|(_, shape)| val(shape)).collect();
            vals.prop_map(move |vals| Val::Record(names.iter().cloned().zip(vals).collect())).boxed()
        }
        Shape::Tuple(shapes) => shapes.iter().map(val).collect::<Vec<_>>().prop_map(Val::Tuple).boxed(),
        Shape::Variant(cases) => {
            let case = |(name, shape): &(String, Option<Shape>)| {
                let name = name.clone();
                payload(shape.as_ref()).prop_map(move |v| Val::Variant(name.clone(), v)).boxed()
            };
            proptest::strategy::Union::new(cases.iter().map(case)).boxed()
        }
        Shape::Enum(names) => prop::sample::select(names.clone()).prop_map(Val::Enum).boxed(),
        Shape::Option(inner) => prop::option::of(val(inner)).prop_map(|v| Val::Option(v.map(Box::new))).boxed(),
        Shape::Result(ok, err) => prop_oneof![
            payload(ok.as_deref()).prop_map(|v| Val::Result(Ok(v))),
            payload(err.as_deref()).prop_map(|v| Val::Result(Err(v))),
        ]
        .boxed(),
        Shape::Flags(names) => prop::sample::subsequence(names.clone(), 0..=names.len()).prop_map(Val::Flags).boxed(),
    }
}

/// JSON of any kind, with the strings that mean something among it.
fn json() -> impl Strategy<Value = Value> {
    let words = ["", "a", "b-c", "ok", "err", "NaN", "12", "-7", "blob:x", "AAE=", "99999999999999999999"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(words.to_vec()).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let keys = prop::sample::select(vec!["a", "b-c", "ok", "err", "some", "other"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((keys.prop_map(str::to_owned), inner), 0..3)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn values_survive_json_and_text((shape, val) in shape().prop_flat_map(|shape| (Just(shape.clone()), val(&shape)))) {
        let json = shape.write(&val, &mut keep_none).unwrap();
        let text: Value = serde_json::from_str(&json.to_string()).unwrap();
        let back = read(&shape, &text);
        prop_assert_eq!(back.as_ref(), Ok(&val), "{:?} spelled {}", shape, text);
    }

    #[test]
    fn whatever_reads_is_written_so_that_it_reads_the_same((shape, json) in (shape(), json())) {
        if let Ok(val) = read(&shape, &json) {
            let written = shape.write(&val, &mut keep_none).unwrap();
            prop_assert_eq!(read(&shape, &written), Ok(val), "{} became {}", json, written);
        }
    }
}

#[test]
fn what_is_wrong_says_where_and_what_is_allowed() {
    let point = Shape::Record(vec![
        ("x".to_owned(), Shape::Integer(Integer::U8)),
        ("tags".to_owned(), Shape::List(Box::new(Shape::Enum(names(2))))),
    ]);
    for (json, says) in [
        (json!({"x": 300, "tags": []}), "`x.x` is `300`; allowed is an integer from 0 to 255"),
        (json!({"x": 1.5, "tags": []}), "`x.x` is `1.5`; allowed is an integer from 0 to 255"),
        (json!({"x": 3.0, "tags": ["a", "z"]}), "`x.tags[1]` is `\"z\"`; allowed is one of `a`, `b-c`"),
        (json!({"x": 3}), "`x.tags` is missing; allowed is a value"),
        (json!({"x": 3, "tags": [], "y": 1}), "`x.y` is given; allowed is one of `x`, `tags`"),
        (json!([]), "`x` is `[]`; allowed is an object"),
    ] {
        assert_eq!(read(&point, &json).unwrap_err().to_string(), says);
    }
    let long = Shape::Integer(Integer::U64);
    assert_eq!(read(&long, &json!("18446744073709551615")), Ok(Val::U64(u64::MAX)));
    assert!(read(&long, &json!("18446744073709551616")).is_err());
    assert!(read(&Shape::Integer(Integer::U32), &json!("7")).is_err());
    assert_eq!(Shape::Float32.write(&Val::Float32(0.1), &mut keep_none).unwrap(), json!(0.1));
    assert!(read(&Shape::Float32, &json!(1e300)).is_err());
    assert!(read(&Shape::Bytes, &json!("blob:x")).unwrap_err().to_string().contains("the name of an attachment"));
}
