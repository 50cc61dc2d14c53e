//! Components that are too large, or too broken, to write down.

use crate::support::fixture;

/// The header of a component.
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// The header of a core module.
const MODULE: &[u8] = b"\0asm\x01\0\0\0";

fn assembled(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

/// A component whose core module has these fields, one of which exports `attack`.
fn around(fields: &str) -> Vec<u8> {
    assembled(&format!(
        "(component (core module $m {fields}) (core instance $i (instantiate $m))
         (func (export \"attack\") (canon lift (core func $i \"attack\"))))"
    ))
}

/// A component that exports `attack` of a type, and `types` before it.
fn typed(types: &str, ty: &str) -> Vec<u8> {
    assembled(&format!(
        "(component {types}
           (core module $m (memory (export \"memory\") 1) (func (export \"attack\") (result i32) (i32.const 0)))
           (core instance $i (instantiate $m))
           (func $f (result {ty}) (canon lift (core func $i \"attack\") (memory $i \"memory\")))
           (export \"attack\" (func $f)))"
    ))
}

/// An unsigned LEB128 number.
fn number(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn section(id: u8, content: &[u8]) -> Vec<u8> {
    [&[id], number(content.len()).as_slice(), content].concat()
}

/// So many functions with nothing in them.
pub(crate) fn many_functions() -> Vec<u8> {
    const COUNT: usize = 400_000;
    let types = [number(COUNT), vec![0; COUNT]].concat();
    let bodies = [number(COUNT), [2, 0, 0x0b].repeat(COUNT)].concat();
    let parts = [section(1, &[1, 0x60, 0, 0]), section(3, &types), section(10, &bodies)].concat();
    [COMPONENT, &section(1, &[MODULE, &parts].concat())].concat()
}

/// Functions of as many locals as there may be.
pub(crate) fn many_locals() -> Vec<u8> {
    const COUNT: usize = 20_000;
    // One run of 49,000 locals, and a use of the first.
    let body = [&[1][..], &number(49_000), &[0x7e, 0x20, 0, 0x1a, 0x0b]].concat();
    let body = [number(body.len()), body].concat();
    let parts = [
        section(1, &[1, 0x60, 0, 0]),
        section(3, &[number(COUNT), vec![0; COUNT]].concat()),
        section(10, &[number(COUNT), body.repeat(COUNT)].concat()),
    ];
    [COMPONENT, &section(1, &[MODULE, &parts.concat()].concat())].concat()
}

/// Jumps to a million places.
pub(crate) fn huge_br_table() -> Vec<u8> {
    let mut one = String::from("(func (param i32) ");
    one.push_str(&"(block ".repeat(2000));
    one.push_str("(br_table ");
    one.extend((0..60_000).map(|n| format!("{} ", n % 2000)));
    one.push_str("(local.get 0))");
    one.push_str(&")".repeat(2000));
    one.push(')');
    around(&format!("{} (func (export \"attack\"))", one.repeat(40)))
}

/// One function of a million instructions on floating-point numbers, all of them needed.
pub(crate) fn long_function() -> Vec<u8> {
    let body = "(local.set 0 (i64.rem_s (local.get 1) (i64.mul (local.get 0) (local.get 2))))
                (local.set 1 (i64.rotl (local.get 0) (local.get 2)))
                (if (i64.eqz (local.get 1)) (then (local.set 2 (local.get 0))))"
        .repeat(40_000);
    around(&format!("(func (export \"attack\") (local i64 i64 i64) {body})"))
}

/// Blocks in blocks, as deep as bytes allow.
pub(crate) fn deep_blocks() -> Vec<u8> {
    const DEEP: usize = 300_000;
    let body = [&[0][..], &[2, 0x40].repeat(DEEP), &[0x0b].repeat(DEEP), &[0x0b]].concat();
    let body = [number(body.len()), body].concat();
    let parts = [section(1, &[1, 0x60, 0, 0]), section(3, &[1, 0]), section(10, &[&[1][..], &body].concat())];
    [COMPONENT, &section(1, &[MODULE, &parts.concat()].concat())].concat()
}

/// Components in components, so many deep.
fn nested(deep: usize) -> Vec<u8> {
    (0..deep).fold(COMPONENT.to_vec(), |inner, _| [COMPONENT, &section(4, &inner)].concat())
}

pub(crate) fn nested_100() -> Vec<u8> {
    nested(100)
}

pub(crate) fn nested_5000() -> Vec<u8> {
    nested(5000)
}

/// Components that each instantiate the one inside of them ten times.
pub(crate) fn instance_bomb() -> Vec<u8> {
    let mut text = String::from("(component $c0 (core module $m) (core instance (instantiate $m)))");
    for level in 1..8 {
        let instances = format!("(instance (instantiate $c{}))", level - 1).repeat(10);
        text = format!("(component $c{level} {text} {instances})");
    }
    assembled(&text)
}

pub(crate) fn many_imports() -> Vec<u8> {
    let imports: String = (0..10_000).map(|n| format!("(import \"acme:rocket/launch{n}@1.0.0\" (instance))")).collect();
    assembled(&format!("(component {imports})"))
}

pub(crate) fn many_function_imports() -> Vec<u8> {
    let imports: String = (0..10_000).map(|n| format!("(import \"f{n}\" (func))")).collect();
    assembled(&format!("(component {imports})"))
}

pub(crate) fn many_exports() -> Vec<u8> {
    let exports: String = (0..10_000).map(|n| format!("(export \"f{n}\" (func $f))")).collect();
    assembled(&format!(
        "(component (core module $m (func (export \"attack\"))) (core instance $i (instantiate $m))
         (func $f (canon lift (core func $i \"attack\"))) (export \"attack\" (func $f)) {exports})"
    ))
}

/// A name of so many letters that no tool can have it.
pub(crate) fn long_name() -> Vec<u8> {
    assembled(&format!(
        "(component (core module $m (func (export \"attack\"))) (core instance $i (instantiate $m))
         (func (export \"{}\") (canon lift (core func $i \"attack\"))))",
        "attack-".repeat(8000) + "x"
    ))
}

/// A function that takes so many values that their names alone fill a page.
pub(crate) fn long_parameters() -> Vec<u8> {
    let parameters: String = (0..16).map(|n| format!("(param \"{}{n}\" u8) ", "long-".repeat(10_000))).collect();
    assembled(&format!(
        "(component (core module $m (func (export \"attack\") (param {})))
         (core instance $i (instantiate $m))
         (func (export \"attack\") {parameters} (canon lift (core func $i \"attack\"))))",
        "i32 ".repeat(16)
    ))
}

/// Tuples of tuples: two to the power of `deep` bytes.
fn doubled(deep: usize) -> Vec<u8> {
    let mut types = String::from("(type $t0 (tuple u8 u8))");
    types.extend((1..deep).map(|n| format!("(type $t{n} (tuple $t{0} $t{0}))", n - 1)));
    typed(&types, &format!("$t{}", deep - 1))
}

/// A type of a billion parts.
pub(crate) fn type_of_billions() -> Vec<u8> {
    doubled(30)
}

/// A type of half a million parts, which is still valid.
pub(crate) fn type_of_many() -> Vec<u8> {
    doubled(18)
}

/// A type of few parts whose names are as long as names may be, 22,500 times.
pub(crate) fn type_of_long_names() -> Vec<u8> {
    let name = "long-".repeat(18_000) + "x";
    let all = |of: &str| format!("{of} ").repeat(150);
    let types = format!(
        "(type $record' (record (field \"{name}\" u8))) (export $record \"record\" (type $record'))
         (type $row (tuple {})) (type $rows (tuple {}))",
        all("$record"),
        all("$row")
    );
    typed(&types, "$rows")
}

/// A list of lists of lists, a hundred deep.
pub(crate) fn type_of_depth() -> Vec<u8> {
    let mut types = String::from("(type $t0 (list u16))");
    types.extend((1..90).map(|n| format!("(type $t{n} (list $t{}))", n - 1)));
    typed(&types, "$t89")
}

/// Documentation that is a hundred thousand arrays in one another.
pub(crate) fn deep_docs() -> Vec<u8> {
    let json = "[".repeat(100_000);
    let content = [&[12][..], b"package-docs", &[1], json.as_bytes()].concat();
    [around("(func (export \"attack\"))"), section(0, &content)].concat()
}

/// The first half of a component.
pub(crate) fn truncated() -> Vec<u8> {
    let whole = fixture("noop");
    whole[..whole.len() / 2].to_vec()
}

pub(crate) fn truncated_header() -> Vec<u8> {
    b"\0asm\x0d\0".to_vec()
}

pub(crate) fn nothing() -> Vec<u8> {
    Vec::new()
}

pub(crate) fn header_alone() -> Vec<u8> {
    COMPONENT.to_vec()
}

pub(crate) fn other_version() -> Vec<u8> {
    b"\0asm\x0e\0\x01\0".to_vec()
}

/// A component each of whose bytes is inverted, but for the header.
pub(crate) fn inverted() -> Vec<u8> {
    fixture("noop").iter().enumerate().map(|(at, byte)| if at < 8 { *byte } else { !byte }).collect()
}

/// A section that says that it has four billion bytes.
pub(crate) fn forged_section() -> Vec<u8> {
    [COMPONENT, &[7, 0xff, 0xff, 0xff, 0xff, 0x0f]].concat()
}

/// A section that says that it has four billion types.
pub(crate) fn forged_count() -> Vec<u8> {
    [COMPONENT, &section(7, &[0xff, 0xff, 0xff, 0xff, 0x0f])].concat()
}

/// A length of more bytes than a number has.
pub(crate) fn forged_number() -> Vec<u8> {
    [COMPONENT, &[7], &[0x80; 64]].concat()
}

/// A component behind which another one begins.
pub(crate) fn twice() -> Vec<u8> {
    fixture("noop").repeat(2)
}
