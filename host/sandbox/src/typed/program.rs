//! Programs: a component that exports `wasi:cli/run` is a tool that takes arguments and standard input.

use super::call::{Answer, given, short_value};
use crate::{context::Context, state::State};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tomas_bindings::ToolError;
use tomas_core::{name::ToolName, tool::Export};
use wasmtime::{
    Store,
    component::{ComponentExportIndex, Instance},
};
use wasmtime_wasi::I32Exit;

/// Most characters of standard error in the error of a call.
const SAID: usize = 2000;

/// What a program is started with.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommandLine {
    /// What follows the program's name.
    #[serde(default)]
    pub(crate) arguments: Vec<String>,
    /// Standard input.
    #[serde(default)]
    pub(crate) stdin: String,
}

impl CommandLine {
    /// Reads a call's arguments.
    ///
    /// # Errors
    /// An error of the caller, in words.
    pub(crate) fn read(arguments: &str) -> Result<Self, ToolError> {
        let line: Self = given(arguments).map_err(|error| {
            let allowed = r#"an object such as {"arguments": ["-n", "3"], "stdin": "text"}"#;
            ToolError::InvalidArguments(format!("the arguments are refused: {error}; allowed is {allowed}"))
        })?;
        match line.arguments.iter().find(|argument| argument.contains('\0')) {
            Some(_) => {
                Err(ToolError::InvalidArguments("an argument of a program cannot contain a zero byte".to_owned()))
            }
            None => Ok(line),
        }
    }
}

/// The program as a tool.
pub(super) fn export(name: ToolName) -> Export {
    Export {
        name,
        description: "Runs the program with arguments and standard input, and returns its standard output.".to_owned(),
        parameters: json!({
            "type": "object",
            "properties": {
                "arguments": {"type": "array", "items": {"type": "string"}, "description": "what follows the program's name"},
                "stdin": {"type": "string", "description": "standard input"},
            },
            "required": [],
            "additionalProperties": false,
        }),
        result: json!({
            "type": "object",
            "properties": {
                "text": {"type": "string"},
                "value": {"type": "string"},
                "blob": {"type": "string", "description": "standard output that is not text"},
            },
            "required": ["text"],
        }),
    }
}

/// Runs the program to its end.
///
/// # Errors
/// When the engine stops it, or the host is at fault.
pub(super) async fn call(store: &mut Store<State>, instance: &Instance, index: ComponentExportIndex) -> Answer {
    let context = Arc::clone(&store.data().context);
    let run = super::call::found(instance, store, index)?.typed::<(), (Result<(), ()>,)>(&mut *store)?;
    let code = match run.call_async(&mut *store, ()).await {
        Ok((Ok(()),)) => 0,
        Ok((Err(()),)) => 1,
        Err(error) => match error.downcast_ref::<I32Exit>() {
            Some(exit) if context.stopped().is_none() => exit.0,
            _ => return Err(error),
        },
    };
    Ok(if code == 0 { said(&context)? } else { Err(failed(&context, code)) })
}

/// Standard output as a result: text, or a blob when it is none.
fn said(context: &Context) -> Answer {
    let result = match String::from_utf8(context.take_stdout()) {
        Ok(mut text) => {
            // Programs end their last line; a value does not.
            text.truncate(text.trim_end_matches('\n').len());
            short_value(&text, json!({ "text": text }))
        }
        Err(error) => {
            let bytes = error.into_bytes();
            let (name, length) = ("stdout.bin", bytes.len());
            context.keep(name.to_owned(), bytes)?;
            json!({"text": format!("{length} bytes that are not text, in `blob:{name}`"), "blob": format!("blob:{name}")})
        }
    };
    Ok(Ok(Value::to_string(&result)))
}

fn failed(context: &Context, code: i32) -> ToolError {
    let said = context.log_end(SAID);
    let said = said.trim();
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    ToolError::Failed(format!("the program ended with exit code {code}{said}"))
}

/// Standard input of a call.
pub(crate) fn stdin(line: &CommandLine) -> Bytes {
    Bytes::from(line.stdin.clone().into_bytes())
}
