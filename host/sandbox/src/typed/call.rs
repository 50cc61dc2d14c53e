//! Calling a typed function with JSON.

use super::{
    functions::{Constructor, Function, Functions, Parameter, Wasi},
    program, service,
    shape::Shape,
    value::{self, At, Mismatch, Source, Unread},
};
use crate::{
    context::{Context, Stop},
    state::State,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::{
    io,
    string::FromUtf8Error,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tomas_bindings::ToolError;
use tomas_core::name::ToolName;
use wasmtime::{
    Store,
    component::{ComponentExportIndex, Func, Instance, Val},
};

/// Most characters of what a program or a service said in the error of a call.
pub(super) const SAID: usize = 2000;

/// Most characters of a result that a later step is offered as a value.
const VALUE: usize = 256;

/// What a function came to: its JSON, or an error of the tool.
pub(super) type Answer = wasmtime::Result<Result<String, ToolError>>;

/// What goes in and comes out as bytes without a value for each of them.
enum Bytes {
    /// `func(list<u8>) -> list<u8>` and the like, with or without a result around.
    Plain,
    Fallible,
}

impl Functions {
    /// Calls a tool in an instance of its own.
    ///
    /// # Errors
    /// When the engine stops the guest, or the host is at fault.
    pub(crate) async fn call(
        &self,
        store: &mut Store<State>,
        instance: &Instance,
        tool: &ToolName,
        arguments: &str,
    ) -> Answer {
        match self.wasi.get(tool) {
            Some((Wasi::Program, index)) => return program::call(store, instance, *index).await,
            Some((Wasi::Service, index)) => return service::call(store, instance, *index, arguments).await,
            None => {}
        }
        let Some(function) = self.tools.get(tool) else {
            let names: Vec<String> = self.exports().iter().map(|export| format!("`{}`", export.name)).collect();
            return Ok(Err(ToolError::NotFound(format!("there is no tool `{tool}`; there are {}", names.join(", ")))));
        };
        let given: Map<String, Value> = match serde_json::from_str(arguments) {
            Ok(given) => given,
            Err(error) => {
                return Ok(Err(ToolError::InvalidArguments(format!("the arguments are not a JSON object: {error}"))));
            }
        };
        let context = Arc::clone(&store.data().context);
        let returned = match function.bytes() {
            Some(kind) => function.call_bytes(&kind, store, instance, &given, &context).await?,
            None => self.call_values(function, store, instance, &given, &context).await?,
        };
        Ok(match returned {
            Ok(returned) => Ok(observed(&returned)),
            Err(error) => Err(error),
        })
    }

    /// By a value of the engine for each value.
    async fn call_values(
        &self,
        function: &Function,
        store: &mut Store<State>,
        instance: &Instance,
        given: &Map<String, Value>,
        context: &Arc<Context>,
    ) -> wasmtime::Result<Result<Value, ToolError>> {
        let source = Held::of(context);
        let parameters = match self.read(function, store, instance, given, &source).await? {
            Ok(parameters) => parameters,
            Err(Unread::Wrong(wrong)) => return Ok(Err(ToolError::InvalidArguments(wrong.to_string()))),
            Err(Unread::Stopped(stop)) => return Err(stop.into()),
        };
        let mut results = vec![Val::Bool(false); usize::from(function.result.is_some())];
        found(instance, store, function.index)?.call_async(&mut *store, &parameters, &mut results).await?;
        drop((parameters, source));
        function.answer(results.first(), context)
    }

    /// The parameters that the arguments spell. Handles are made by their constructors.
    async fn read(
        &self,
        function: &Function,
        store: &mut Store<State>,
        instance: &Instance,
        given: &Map<String, Value>,
        source: &Held<'_>,
    ) -> wasmtime::Result<Result<Vec<Val>, Unread>> {
        if let Err(wrong) = value::check_names(function.parameters.iter().map(|(name, _)| name.as_str()), given, None) {
            return Ok(Err(wrong.into()));
        }
        let mut parameters = Vec::with_capacity(function.parameters.len());
        for (name, parameter) in &function.parameters {
            let val = match parameter {
                Parameter::Value(shape) => value::read_field(name, shape, given, None, source),
                Parameter::Handle(number) => {
                    let Some(constructor) = self.constructors.get(*number) else { continue };
                    match constructor.read(name, given.get(name), source) {
                        Err(unread) => Err(unread),
                        Ok(values) => {
                            let mut made = [Val::Bool(false)];
                            let construct = found(instance, store, constructor.index)?;
                            construct.call_async(&mut *store, &values, &mut made).await?;
                            let [handle] = made;
                            Ok(handle)
                        }
                    }
                }
            };
            match val {
                Ok(val) => parameters.push(val),
                Err(unread) => return Ok(Err(unread)),
            }
        }
        Ok(Ok(parameters))
    }
}

impl Constructor {
    /// What the constructor of the parameter `name` is given.
    fn read(&self, name: &str, json: Option<&Value>, source: &Held<'_>) -> Result<Vec<Val>, Unread> {
        let (at, nothing) = (At::parameter(name), Map::new());
        let given = match json {
            None => &nothing,
            Some(Value::Object(given)) => given,
            Some(other) => return Err(at.wrong(other, "an object of what its constructor takes").into()),
        };
        Ok(value::read_fields(self.fields(), given, Some(&at), source)?.into_iter().map(|(_, val)| val).collect())
    }
}

/// Memory of the call that its values take, given back when they are gone; and its attachments.
pub(super) struct Held<'c> {
    context: &'c Context,
    bytes: AtomicUsize,
}

impl<'c> Held<'c> {
    pub(super) const fn of(context: &'c Context) -> Self {
        Self { context, bytes: AtomicUsize::new(0) }
    }
}

impl Source for Held<'_> {
    fn hold(&self, bytes: usize) -> Result<(), Stop> {
        self.context.hold(bytes)?;
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }

    fn blob(&self, name: &str) -> Option<Arc<[u8]>> {
        let bytes = self.context.given.blobs.get(name)?;
        self.context.input.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Some(Arc::clone(bytes))
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.context.release(*self.bytes.get_mut());
    }
}

impl Function {
    /// What a value comes to as the answer of a tool: the error of a result is the error of the tool.
    fn answer(&self, returned: Option<&Val>, context: &Arc<Context>) -> wasmtime::Result<Result<Value, ToolError>> {
        let mut kept = 0usize;
        let mut keep = |bytes: Vec<u8>| keep(context, &mut kept, bytes);
        let (Some(shape), Some(val)) = (&self.result, returned) else { return Ok(Ok(Value::Null)) };
        let mut said = |shape: Option<&Shape>, val: Option<&Val>| -> wasmtime::Result<Value> {
            let said = written(shape, val, &mut keep)?;
            leaves(context, &said)?;
            Ok(said)
        };
        Ok(match (shape, val) {
            (Shape::Result(ok, _), Val::Result(Ok(val))) => Ok(said(ok.as_deref(), val.as_deref())?),
            (Shape::Result(_, err), Val::Result(Err(val))) => Err(failed(&said(err.as_deref(), val.as_deref())?)),
            (shape, val) => Ok(said(Some(shape), Some(val))?),
        })
    }

    /// Whether one byte list goes in and one comes out, which need no value for each byte.
    fn bytes(&self) -> Option<Bytes> {
        let [(_, Parameter::Value(Shape::Bytes))] = self.parameters.as_slice() else { return None };
        match self.result.as_ref()? {
            Shape::Bytes => Some(Bytes::Plain),
            Shape::Result(Some(ok), Some(err)) if **ok == Shape::Bytes && **err == Shape::String => {
                Some(Bytes::Fallible)
            }
            _ => None,
        }
    }

    /// By static types, in two copies.
    async fn call_bytes(
        &self,
        kind: &Bytes,
        store: &mut Store<State>,
        instance: &Instance,
        given: &Map<String, Value>,
        context: &Arc<Context>,
    ) -> wasmtime::Result<Result<Value, ToolError>> {
        let source = Held::of(context);
        let name = self.parameters.first().map_or("", |(name, _)| name.as_str());
        let missing = || Mismatch { at: name.to_owned(), found: "missing".to_owned(), allowed: "a value".to_owned() };
        let read = || {
            value::check_names(std::iter::once(name), given, None)?;
            let bytes = value::read_bytes(given.get(name).ok_or_else(missing)?, &At::parameter(name), &source)?;
            // What the guest is given is a copy.
            source.hold(bytes.len())?;
            Ok(bytes)
        };
        let bytes = match read() {
            Ok(bytes) => bytes,
            Err(Unread::Wrong(wrong)) => return Ok(Err(ToolError::InvalidArguments(wrong.to_string()))),
            Err(Unread::Stopped(stop)) => return Err(stop.into()),
        };
        let function = found(instance, store, self.index)?;
        let returned = match kind {
            Bytes::Plain => {
                let function = function.typed::<(&[u8],), (Vec<u8>,)>(&mut *store)?;
                Ok(function.call_async(&mut *store, (&bytes,)).await?.0)
            }
            Bytes::Fallible => {
                let function = function.typed::<(&[u8],), (Result<Vec<u8>, String>,)>(&mut *store)?;
                function.call_async(&mut *store, (&bytes,)).await?.0
            }
        };
        drop((bytes, source));
        let mut kept = 0;
        Ok(match returned {
            Ok(bytes) => Ok(value::write_bytes(bytes, &mut |bytes| keep(context, &mut kept, bytes))?),
            Err(message) => Err(ToolError::Failed(message)),
        })
    }
}

/// Reads the arguments of a call, which are an object even where a list would do for serde, such as `allowed`.
///
/// # Errors
/// An error of the caller, in words.
pub(super) fn given<T: DeserializeOwned>(arguments: &str, allowed: &str) -> Result<T, ToolError> {
    let given = serde_json::from_str::<Map<String, Value>>(arguments);
    given.and_then(|given| serde_json::from_value(Value::Object(given))).map_err(|error| {
        ToolError::InvalidArguments(format!(
            "the arguments are refused: {error}; allowed is an object such as {allowed}"
        ))
    })
}

/// What a program or a service said, as the result of a tool: text, or where it is none a blob of this name.
///
/// # Errors
/// When the blob cannot be kept.
pub(super) fn said(context: &Context, text: Result<String, FromUtf8Error>, name: &str) -> Result<Value, Stop> {
    Ok(match text {
        Ok(text) => short_value(&text, json!({ "text": text })),
        Err(error) => {
            let bytes = error.into_bytes();
            let length = bytes.len();
            context.keep(name.to_owned(), bytes)?;
            json!({"text": format!("{length} bytes that are not text, in `blob:{name}`"), "blob": format!("blob:{name}")})
        }
    })
}

/// How a program or a service ended, and what it said of that.
pub(super) fn ended(how: &str, said: &str) -> ToolError {
    let said = said.trim();
    ToolError::Failed(if said.is_empty() { how.to_owned() } else { format!("{how}: {said}") })
}

/// A function of an instance.
///
/// # Errors
/// When there is none, which would be the engine's fault.
pub(super) fn found(
    instance: &Instance,
    store: &mut Store<State>,
    index: ComponentExportIndex,
) -> wasmtime::Result<Func> {
    let found = instance.get_func(&mut *store, index);
    found.ok_or_else(|| wasmtime::Error::msg("the instance lacks a function that its component exports"))
}

/// Keeps bytes as a blob of the call.
fn keep(context: &Context, kept: &mut usize, bytes: Vec<u8>) -> wasmtime::Result<String> {
    *kept += 1;
    let name = if *kept == 1 { "result.bin".to_owned() } else { format!("result-{kept}.bin") };
    context.keep(name.clone(), bytes)?;
    Ok(name)
}

fn written(shape: Option<&Shape>, val: Option<&Val>, keep: &mut value::Keep<'_>) -> wasmtime::Result<Value> {
    match (shape, val) {
        (Some(shape), Some(val)) => shape.write(val, keep),
        _ => Ok(Value::Null),
    }
}

/// Ends the call when a value is too long to leave it, before it is spelled out: its JSON is several times as large as the
/// memory that the guest had for it, and the result holds it twice.
fn leaves(context: &Context, value: &Value) -> Result<(), Stop> {
    struct Left(u64);
    impl io::Write for Left {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len() as u64).ok_or(io::ErrorKind::FileTooLarge)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    serde_json::to_writer(Left(context.output.left()), value).map_err(|_| context.stop(Stop::Output))
}

/// An error of the tool's own in words.
fn failed(error: &Value) -> ToolError {
    ToolError::Failed(match error {
        Value::String(message) => message.clone(),
        Value::Null => "the tool failed without a reason".to_owned(),
        other => other.to_string(),
    })
}

/// A returned value as the result of a tool.
fn observed(returned: &Value) -> String {
    let text = match returned {
        Value::Null => "done".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    short_value(&text, json!({ "text": text, "returned": returned })).to_string()
}

/// Adds the text of a result as a value where it is short enough to be one.
fn short_value(text: &str, mut result: Value) -> Value {
    if text.chars().count() <= VALUE
        && let Some(fields) = result.as_object_mut()
    {
        fields.insert("value".to_owned(), Value::String(text.to_owned()));
    }
    result
}
