//! Loaded components: checked, compiled, linked, and asked what they are.

use crate::{
    capability::PACKAGES,
    compile::compile,
    error::LoadError,
    pace::Pace,
    sandbox::Core,
    state::State,
    typed::{docs::Docs, functions::Functions},
};
use std::{fmt, sync::Arc};
use tomas_bindings::{Tool, ToolPre};
use tomas_core::{name::ToolName, tool::Export};
use wasmtime::{
    Store,
    component::{Component, Instance, InstancePre, types::ComponentItem},
};

/// First bytes of every wasm binary.
const MAGIC: [u8; 4] = *b"\0asm";

/// Version and layer of a core module, and of a component.
const CORE: [u8; 4] = [1, 0, 0, 0];
const COMPONENT: [u8; 4] = [0x0d, 0, 1, 0];

/// Most names in an error message.
const NAMES: usize = 12;

/// Functions that the world `tool` exports.
const FUNCTIONS: [&str; 3] = ["describe", "invoke", "worker"];

/// Functions by which a component shows that it means that world.
const WORLD: [&str; 2] = ["describe", "invoke"];

/// A component that can be called.
pub struct LoadedComponent {
    digest: blake3::Hash,
    bytes: u64,
    imports: Arc<[String]>,
    exports: Vec<Export>,
    pre: Pre,
    pub(crate) pace: Pace,
}

/// A component ready to be instantiated.
#[derive(Clone)]
enum Pre {
    /// It exports the world `tool`: JSON in, JSON out.
    World(ToolPre<State>),
    /// It exports functions of its own types.
    Typed(InstancePre<State>, Arc<Functions>),
}

/// A fresh instance.
pub(crate) enum Fresh<'c> {
    /// Of the world `tool`.
    World(Tool),
    /// Of plain functions.
    Typed(Instance, &'c Functions),
}

impl LoadedComponent {
    /// BLAKE3 of the component's bytes, in hex.
    #[must_use]
    pub fn digest(&self) -> String {
        self.digest.to_hex().to_string()
    }

    pub(crate) const fn hash(&self) -> blake3::Hash {
        self.digest
    }

    /// Length of the component in bytes.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The interfaces that it imports, by name and version.
    #[must_use]
    pub fn imports(&self) -> &[String] {
        &self.imports
    }

    /// What the component says of its tools.
    #[must_use]
    pub fn exports(&self) -> &[Export] {
        &self.exports
    }

    /// The same component, now that it said what it exports.
    pub(crate) fn with_exports(&self, exports: Vec<Export>) -> Self {
        let imports = Arc::clone(&self.imports);
        let pre = self.pre.clone();
        Self { digest: self.digest, bytes: self.bytes, imports, exports, pre, pace: Pace::default() }
    }

    /// A fresh instance from the pool.
    pub(crate) async fn instantiate(&self, store: &mut Store<State>) -> wasmtime::Result<Fresh<'_>> {
        Ok(match &self.pre {
            Pre::World(pre) => Fresh::World(pre.instantiate_async(store).await?),
            Pre::Typed(pre, functions) => Fresh::Typed(pre.instantiate_async(store).await?, functions),
        })
    }

    /// Whether this tool is a program, which is started with a command line.
    pub(crate) fn is_program(&self, tool: &ToolName) -> bool {
        matches!(&self.pre, Pre::Typed(_, functions) if functions.is_program(tool))
    }

    /// Whether it must be asked what it exports; of plain functions the types say it.
    pub(crate) const fn describes(&self) -> bool {
        matches!(self.pre, Pre::World(_))
    }
}

impl fmt::Debug for LoadedComponent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.exports.iter().map(|export| export.name.as_str()).collect();
        f.debug_struct("LoadedComponent").field("digest", &self.digest()).field("tools", &names).finish_non_exhaustive()
    }
}

/// Checks, compiles (or takes from the cache) and links a component.
///
/// # Errors
/// When it is not a component that this host can run.
pub(crate) fn link(core: &Core, bytes: &[u8]) -> Result<LoadedComponent, LoadError> {
    check(bytes, core)?;
    let digest = blake3::hash(bytes);
    let component = compiled(core, bytes, digest)?;
    let pre = core.linker.instantiate_pre(&component).map_err(|error| imports(core, &component, &error))?;
    let length = bytes.len() as u64;
    let imports = component.component_type().imports(&core.engine).map(|(name, _)| name.to_owned()).collect();
    if WORLD.iter().all(|name| component.get_export_index(None, name).is_some()) {
        let pre = ToolPre::new(pre).map_err(|error| exports(core, &component, &error))?;
        return Ok(LoadedComponent {
            digest,
            bytes: length,
            imports,
            exports: Vec::new(),
            pre: Pre::World(pre),
            pace: Pace::default(),
        });
    }
    let functions = Functions::of(&core.engine, &component, &Docs::of(bytes));
    for left_out in &functions.left_out {
        tracing::info!(%digest, "a function is no tool: {left_out}");
    }
    let exports = functions.exports();
    if exports.is_empty() {
        return Err(no_tools(core, &component, &functions));
    }
    Ok(LoadedComponent {
        digest,
        bytes: length,
        imports,
        exports,
        pre: Pre::Typed(pre, Arc::new(functions)),
        pace: Pace::default(),
    })
}

/// Says what the bytes are when they cannot be a component, before a process is started for them.
fn check(bytes: &[u8], core: &Core) -> Result<(), LoadError> {
    let most = core.config.max_component;
    if bytes.is_empty() {
        return Err(LoadError::Empty);
    }
    if bytes.len() as u64 > most.0 {
        return Err(LoadError::TooLarge { found: bytes.len() as u64, most });
    }
    let (magic, rest) = bytes.split_at(bytes.len().min(4));
    if magic != MAGIC {
        return Err(LoadError::NotWasm(hex(magic)));
    }
    match rest.get(..4) {
        Some(version) if version == COMPONENT => Ok(()),
        Some(version) if version == CORE => Err(LoadError::CoreModule),
        Some(version) => Err(LoadError::Version(hex(version))),
        None => Err(crate::compile::CompileError::Invalid("it ends within the header".to_owned()).into()),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

fn compiled(core: &Core, bytes: &[u8], digest: blake3::Hash) -> Result<Component, LoadError> {
    let name = format!("{}-{}", digest.to_hex(), core.compatibility.to_hex());
    if let Some(component) = core.cache.as_ref().and_then(|cache| cache.get(&name)).and_then(|code| {
        deserialize(core, &code).inspect_err(|error| tracing::warn!(%error, "cached machine code does not load")).ok()
    }) {
        return Ok(component);
    }
    let _turn = core.turns.take(core.config.compile.at_once);
    let code = compile(bytes, &core.config.compile, core.config.wasm_stack.0)?;
    // Compiled by the same engine a moment ago: what does not load is larger than an instance slot.
    let component = deserialize(core, &code).map_err(|error| LoadError::Instance(short(&error)))?;
    if let Some(cache) = &core.cache {
        cache.put(&name, &code);
    }
    Ok(component)
}

fn deserialize(core: &Core, code: &[u8]) -> wasmtime::Result<Component> {
    #[expect(
        unsafe_code,
        reason = "the code comes from our compiling child, directly or through the authenticated cache"
    )]
    unsafe {
        Component::deserialize(&core.engine, code)
    }
}

fn imports(core: &Core, component: &Component, error: &wasmtime::Error) -> LoadError {
    let ty = component.component_type();
    let names = ty.imports(&core.engine).map(|(name, _)| name);
    let unknown = listed(names.filter(|name| !PACKAGES.iter().any(|package| name.starts_with(package))));
    let unknown = if unknown.is_empty() { "another version of an interface".to_owned() } else { unknown };
    LoadError::Imports { unknown, reason: short(error) }
}

fn exports(core: &Core, component: &Component, error: &wasmtime::Error) -> LoadError {
    let ty = component.component_type();
    let found: Vec<_> = ty.exports(&core.engine).collect();
    let is_function = |name: &str| {
        found.iter().any(|(export, item)| *export == name && matches!(item.ty, ComponentItem::ComponentFunc(_)))
    };
    let missing: Vec<_> =
        FUNCTIONS.iter().filter(|name| !is_function(name)).map(|name| format!("the function `{name}`")).collect();
    let missing =
        if missing.is_empty() { format!("the right types ({})", short(error)) } else { missing.join(" and ") };
    let found = listed(found.iter().map(|(name, _)| *name));
    LoadError::Exports { missing, found: if found.is_empty() { "nothing".to_owned() } else { found } }
}

/// Says why nothing that a component exports is a tool.
fn no_tools(core: &Core, component: &Component, functions: &Functions) -> LoadError {
    let ty = component.component_type();
    let found = listed(ty.exports(&core.engine).map(|(name, _)| name));
    let why = functions.left_out.iter().take(NAMES).cloned().collect::<Vec<_>>().join("; ");
    LoadError::NoTools {
        found: if found.is_empty() { "nothing".to_owned() } else { found },
        why: if why.is_empty() { String::new() } else { format!(" ({why})") },
    }
}

/// The first names in backticks, each cut to a readable length.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names = names.map(|name| format!("`{}`", name.chars().take(80).collect::<String>()));
    let shown = names.by_ref().take(NAMES).collect::<Vec<_>>().join(", ");
    match names.count() {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// The first 300 characters of an error, in one line.
pub(crate) fn short(error: &wasmtime::Error) -> String {
    format!("{error:#}").replace('\n', " ").chars().take(300).collect()
}

/// Reads the answer of `describe`.
pub(crate) fn described(answer: &str) -> Result<Vec<Export>, LoadError> {
    let exports: Vec<Export> = serde_json::from_str(answer)
        .map_err(|error| LoadError::Describe(format!("is not what it should be: {error}")))?;
    if exports.is_empty() {
        return Err(LoadError::Describe("names no tool".to_owned()));
    }
    let mut names: Vec<&ToolName> = exports.iter().map(|export| &export.name).collect();
    names.sort();
    if let Some([twice, _]) = names.array_windows().find(|[left, right]| left == right) {
        return Err(LoadError::Describe(format!("names `{twice}` twice")));
    }
    if let Some(export) = exports
        .iter()
        .find(|export| export.parameters.get("type").and_then(serde_json::Value::as_str) != Some("object"))
    {
        return Err(LoadError::Describe(format!("gives `{}` parameters that are not an object schema", export.name)));
    }
    Ok(exports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn describe_must_name_tools_once_with_object_schemas() {
        let tool = |name: &str| format!(r#"{{"name":"{name}","description":"d","parameters":{{"type":"object"}}}}"#);
        assert_eq!(described(&format!("[{}]", tool("a"))).unwrap().len(), 1);
        for (answer, says) in [
            (String::new(), "is not what it should be"),
            ("{}".to_owned(), "is not what it should be"),
            ("[]".to_owned(), "names no tool"),
            (format!("[{},{}]", tool("a"), tool("a")), "names `a` twice"),
            (format!("[{}]", tool("../a")), "not a tool name"),
            (r#"[{"name":"a","parameters":{"type":"array"}}]"#.to_owned(), "not an object schema"),
            (r#"[{"name":"a","parameters":{"type":"object"},"surprise":1}]"#.to_owned(), "unknown field"),
        ] {
            let error = described(&answer).unwrap_err().to_string();
            assert!(error.contains(says), "{answer}: {error}");
        }
    }
}
