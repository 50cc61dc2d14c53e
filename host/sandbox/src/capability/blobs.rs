//! `tomas:tool/blobs`: the attachments of the call to read, and new blobs to write.
//!
//! Defined by hand instead of through the generated trait, because a shared slice is lowered into the guest without a
//! copy on the host, which the trait's `Vec` would need.

use crate::{context::Context, state::State};
use std::sync::{Arc, atomic::Ordering};
use wasmtime::{StoreContextMut, component::Linker};

/// The interface's name in WIT.
const INTERFACE: &str = "tomas:tool/blobs@0.1.0";

/// Longest name of a blob, in bytes.
const NAME: usize = 255;

/// Defines `read`, `write` and `size`.
///
/// # Errors
/// When wasmtime refuses the definition.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut interface = linker.instance(INTERFACE)?;
    interface.func_wrap("read", |store: StoreContextMut<'_, State>, (name,): (String,)| {
        Ok((read(&store.data().context, &name)?,))
    })?;
    interface.func_wrap("write", |store: StoreContextMut<'_, State>, (name, data): (String, Vec<u8>)| {
        Ok((write(&store.data().context, name, data)?,))
    })?;
    interface.func_wrap("size", |store: StoreContextMut<'_, State>, (name,): (String,)| {
        Ok((find(&store.data().context, &name).map(|blob| blob.len() as u64),))
    })
}

fn find<'a>(context: &'a Context, name: &str) -> Result<&'a Arc<[u8]>, String> {
    context.given.blobs.get(name).ok_or_else(|| {
        let found: String = name.chars().take(80).collect();
        let names = context.given.blobs.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let names = if names.is_empty() { "nothing".to_owned() } else { names };
        format!("no blob `{found}`: the call has {names}\nhint: attach the file, or use one of these names")
    })
}

/// The guest's own memory is charged while the bytes are copied in; a blob that cannot fit ends the call at once.
fn read(context: &Context, name: &str) -> wasmtime::Result<Result<Arc<[u8]>, String>> {
    let blob = match find(context, name) {
        Ok(blob) => Arc::clone(blob),
        Err(message) => return Ok(Err(message)),
    };
    if blob.len() as u64 > context.quota.memory.0 {
        context.hold(blob.len())?;
    }
    context.input.fetch_add(blob.len() as u64, Ordering::Relaxed);
    Ok(Ok(blob))
}

fn write(context: &Context, name: String, data: Vec<u8>) -> wasmtime::Result<Result<String, String>> {
    if let Err(why) = check_name(&name) {
        let found: String = name.chars().take(80).collect();
        return Ok(Err(format!(
            "`{}` is not a blob name: {why}\nhint: use a plain file name such as `out.png`",
            found.escape_debug()
        )));
    }
    Ok(Ok(context.keep(name, data)?.to_hex().to_string()))
}

/// Names end up as file names somewhere: no separators, no control characters, nothing hidden or relative.
fn check_name(name: &str) -> Result<(), &'static str> {
    match name {
        "" => Err("it is empty"),
        _ if name.len() > NAME => Err("it is longer than 255 bytes"),
        _ if name.starts_with('.') => Err("it begins with a dot"),
        _ if name.contains(['/', '\\', ':']) => Err("it contains `/`, `\\` or `:`"),
        _ if name.chars().any(char::is_control) => Err("it contains control characters"),
        _ if name.contains('\u{fffd}') => Err("it contains U+FFFD, which stands for what is not UTF-8"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_can_be_written() {
        for name in ["out.png", "a b (1).txt", "übersicht.csv", &"x".repeat(255)] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in ["", ".", "..", "../x", "a/b", "a\\b", "C:x", "a\0b", "a\nb", ".hidden", &"x".repeat(256)] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
    }
}
