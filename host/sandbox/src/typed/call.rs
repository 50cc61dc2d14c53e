//! Calling a typed function with JSON.

use super::{
    functions::{Function, Functions, Parameter},
    shape::Shape,
    value::{self, At, Blobs, Mismatch},
};
use crate::{context::Context, state::State};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use tomas_bindings::ToolError;
use tomas_core::name::ToolName;
use wasmtime::{
    Store,
    component::{Func, Instance, Val},
};

/// Most characters of a result that a later step is offered as a value.
const VALUE: usize = 256;

/// What a function came to: its JSON, or an error of the tool.
type Answer = wasmtime::Result<Result<String, ToolError>>;

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
        let Some(function) = self.tools.get(tool) else {
            let names: Vec<String> = self.tools.keys().map(|name| format!("`{name}`")).collect();
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
        let weight = given.values().map(value::weight).sum();
        context.hold(weight)?;
        let read = self.read(function, store, instance, given, context).await;
        let parameters = match read? {
            Ok(parameters) => parameters,
            Err(wrong) => return Ok(Err(ToolError::InvalidArguments(wrong.to_string()))),
        };
        let mut results = vec![Val::Bool(false); usize::from(function.result.is_some())];
        found(instance, store, function)?.call_async(&mut *store, &parameters, &mut results).await?;
        drop(parameters);
        context.release(weight);
        function.answer(results.first(), context)
    }

    /// The parameters that the arguments spell. Handles are made by their constructors.
    async fn read(
        &self,
        function: &Function,
        store: &mut Store<State>,
        instance: &Instance,
        given: &Map<String, Value>,
        context: &Arc<Context>,
    ) -> wasmtime::Result<Result<Vec<Val>, Mismatch>> {
        let blobs = |name: &str| context.given.blobs.get(name).cloned();
        let known = |name: &str| function.parameters.iter().any(|(n, _)| n == name);
        if let Some(unknown) = given.keys().find(|name| !known(name)) {
            let names: Vec<String> = function.parameters.iter().map(|(name, _)| format!("`{name}`")).collect();
            let allowed = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
            return Ok(Err(Mismatch { at: unknown.clone(), found: "given".to_owned(), allowed }));
        }
        let mut parameters = Vec::with_capacity(function.parameters.len());
        for (name, parameter) in &function.parameters {
            let val = match parameter {
                Parameter::Value(shape) => {
                    let one = std::iter::once((name.as_str(), shape));
                    let only: Map<String, Value> =
                        given.get_key_value(name).map(|(k, v)| (k.clone(), v.clone())).into_iter().collect();
                    value::read_fields(one, &only, None, &blobs).map(|mut read| read.pop().map(|(_, val)| val))
                }
                Parameter::Handle(number) => {
                    let Some(constructor) = self.constructors.get(*number) else { continue };
                    let nothing = Value::Object(Map::new());
                    match constructor.constructed(name, given.get(name).unwrap_or(&nothing), &blobs) {
                        Err(wrong) => Err(wrong),
                        Ok(values) => {
                            let mut made = vec![Val::Bool(false)];
                            let construct = found(instance, store, constructor)?;
                            construct.call_async(&mut *store, &values, &mut made).await?;
                            Ok(made.pop())
                        }
                    }
                }
            };
            match val {
                Ok(val) => parameters.extend(val),
                Err(wrong) => return Ok(Err(wrong)),
            }
        }
        Ok(Ok(parameters))
    }
}

impl Function {
    /// The parameters of a constructor.
    fn constructed(&self, name: &str, json: &Value, blobs: &Blobs<'_>) -> Result<Vec<Val>, Mismatch> {
        let at = At::parameter(name);
        let Value::Object(given) = json else {
            let allowed = "an object of what its constructor takes".to_owned();
            return Err(Mismatch { at: at.to_string(), found: "something else".to_owned(), allowed });
        };
        let shape = |(name, parameter): &'_ (String, Parameter)| match parameter {
            Parameter::Value(shape) => Some((name.clone(), shape.clone())),
            Parameter::Handle(_) => None,
        };
        let shapes: Vec<(String, Shape)> = self.parameters.iter().filter_map(shape).collect();
        let fields = shapes.iter().map(|(name, shape)| (name.as_str(), shape));
        Ok(value::read_fields(fields, given, Some(&at), blobs)?.into_iter().map(|(_, val)| val).collect())
    }

    /// What a value comes to as the answer of a tool: the error of a result is the error of the tool.
    fn answer(&self, returned: Option<&Val>, context: &Arc<Context>) -> wasmtime::Result<Result<Value, ToolError>> {
        let mut kept = 0usize;
        let mut keep = |bytes: Vec<u8>| keep(context, &mut kept, bytes);
        let (Some(shape), Some(val)) = (&self.result, returned) else { return Ok(Ok(Value::Null)) };
        Ok(match (shape, val) {
            (Shape::Result(ok, _), Val::Result(Ok(val))) => Ok(written(ok.as_deref(), val.as_deref(), &mut keep)?),
            (Shape::Result(_, err), Val::Result(Err(val))) => {
                Err(failed(&written(err.as_deref(), val.as_deref(), &mut keep)?))
            }
            (shape, val) => Ok(shape.write(val, &mut keep)?),
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
        let blobs = |name: &str| context.given.blobs.get(name).cloned();
        let name = self.parameters.first().map_or("", |(name, _)| name.as_str());
        let bytes = match given.get(name).filter(|_| given.len() == 1) {
            Some(json) => value::read_bytes(json, &At::parameter(name), &blobs),
            None => Err(Mismatch {
                at: name.to_owned(),
                found: "missing, or not alone".to_owned(),
                allowed: format!("`{name}` and nothing else"),
            }),
        };
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(wrong) => return Ok(Err(ToolError::InvalidArguments(wrong.to_string()))),
        };
        context.hold(bytes.len())?;
        let function = found(instance, store, self)?;
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
        context.release(bytes.len());
        let mut kept = 0;
        Ok(match returned {
            Ok(bytes) => Ok(value::write_bytes(bytes, &mut |bytes| keep(context, &mut kept, bytes))?),
            Err(message) => Err(ToolError::Failed(message)),
        })
    }
}

fn found(instance: &Instance, store: &mut Store<State>, function: &Function) -> wasmtime::Result<Func> {
    let found = instance.get_func(&mut *store, function.index);
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
    let mut result = json!({ "text": text, "returned": returned });
    if text.chars().count() <= VALUE
        && let Some(fields) = result.as_object_mut()
    {
        fields.insert("value".to_owned(), Value::String(text));
    }
    result.to_string()
}
