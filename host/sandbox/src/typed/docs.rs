//! Documentation that a component carries: the custom section `package-docs` of the WIT tools, a version byte and JSON.
//!
//! No toolchain writes it into what it builds (facts of 2026), but `wasm-tools` can, and so may whoever builds a tool.

use serde_json::Value;

/// Documentation longer than this is not read.
const MOST: usize = 1 << 20;

/// What a component says of its functions; nothing where it says nothing.
pub(crate) struct Docs(Value);

impl Docs {
    /// Reads the section, if there is one that can be read.
    pub(crate) fn of(component: &[u8]) -> Self {
        let json = section(component, "package-docs").filter(|content| content.len() <= MOST);
        // The first byte is a version; 0 and 1 differ in what is documented, not in where.
        let json = json.and_then(|content| content.split_first()).filter(|(version, _)| **version <= 1);
        Self(json.and_then(|(_, json)| serde_json::from_slice(json).ok()).unwrap_or_default())
    }

    /// The documentation of a function that `interface` exports, or the world itself.
    pub(crate) fn function(&self, interface: Option<&str>, name: &str) -> Option<String> {
        let found = match interface {
            Some(path) => {
                let local = super::functions::local(path);
                function(self.0.get("interfaces")?.get(local)?, name)
            }
            None => self.0.get("worlds")?.as_object()?.values().find_map(|world| function(world, name)),
        }?;
        let text = found.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }
}

/// `funcs` holds functions of an interface, `func_exports` those of a world; each is a text or an object with one.
fn function<'v>(of: &'v Value, name: &str) -> Option<&'v str> {
    let documented = ["funcs", "func_exports"].into_iter().find_map(|key| of.get(key)?.get(name))?;
    documented.as_str().or_else(|| documented.get("docs")?.as_str())
}

/// The content of the first custom section of a name. Components that do not parse have none; they were checked before.
fn section<'b>(component: &'b [u8], name: &str) -> Option<&'b [u8]> {
    let mut rest = component.get(8..)?;
    while let Some((&id, after)) = rest.split_first() {
        let (size, content) = length(after)?;
        let (content, following) = content.split_at_checked(size)?;
        rest = following;
        if id == 0 {
            let (size, content) = length(content)?;
            if content.get(..size)? == name.as_bytes() {
                return content.get(size..);
            }
        }
    }
    None
}

/// An unsigned LEB128 number of at most 32 bits, and what follows.
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0u64;
    for (n, &byte) in bytes.iter().take(5).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * n);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(u32::try_from(value).ok()?).ok()?, bytes.get(n + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(sections: &[(&str, &[u8])]) -> Vec<u8> {
        let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
        for (name, content) in sections {
            let inner: Vec<u8> = [&[name.len() as u8], name.as_bytes(), content].concat();
            bytes.push(0);
            // Two bytes of length, as tools write it that fill it in later.
            bytes.extend([(inner.len() & 0x7f) as u8 | 0x80, (inner.len() >> 7) as u8]);
            bytes.extend(inner);
        }
        bytes
    }

    #[test]
    fn functions_of_interfaces_and_worlds_are_found() {
        let json = br#"{"interfaces":{"math":{"funcs":{"add":" Adds. ","sub":{"docs":"Subtracts."},"none":""}}},
            "worlds":{"w":{"func_exports":{"run":"Runs."}}}}"#;
        let bytes = component(&[("name", b"x"), ("package-docs", &[&[1], &json[..]].concat())]);
        let docs = Docs::of(&bytes);
        assert_eq!(docs.function(Some("a:b/math@1.0.0"), "add").as_deref(), Some("Adds."));
        assert_eq!(docs.function(Some("a:b/math"), "sub").as_deref(), Some("Subtracts."));
        assert_eq!(docs.function(None, "run").as_deref(), Some("Runs."));
        for (interface, name) in [(Some("a:b/math"), "none"), (Some("a:b/other"), "add"), (None, "add")] {
            assert_eq!(docs.function(interface, name), None);
        }
    }

    #[test]
    fn damaged_sections_are_no_documentation() {
        let whole = component(&[("package-docs", b"\x00{\"worlds\":{}}")]);
        for end in 0..=whole.len() {
            assert_eq!(Docs::of(&whole[..end]).function(None, "x"), None);
        }
        for content in [&b""[..], b"\x07{}", b"\x00[", b"\x00{\"worlds\":7}"] {
            assert_eq!(Docs::of(&component(&[("package-docs", content)])).function(None, "x"), None);
        }
        assert_eq!(Docs::of(b"\0asm\x0d\0\x01\0\x00\xff\xff\xff\xff\xff").function(None, "x"), None);
    }
}
