//! Programs: a component that exports `wasi:cli/run` is a tool that takes arguments and standard input.

use super::{
    call::{Answer, SAID, ended, found, given, said},
    schema,
};
use crate::state::State;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use tomas_bindings::ToolError;
use tomas_core::{name::ToolName, tool::Export};
use wasmtime::{
    Store,
    component::{ComponentExportIndex, Instance},
};
use wasmtime_wasi::I32Exit;

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
        let line: Self = given(arguments, r#"{"arguments": ["-n", "3"], "stdin": "text"}"#)?;
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
        parameters: schema::closed(
            json!({
                "arguments": {"type": "array", "items": {"type": "string"}, "description": "what follows the program's name"},
                "stdin": {"type": "string", "description": "standard input"},
            }),
            &[],
        ),
        result: schema::result(
            json!({
                "blob": {"type": "string", "description": "standard output that is not text"},
            }),
            &[],
        ),
    }
}

/// Runs the program to its end.
///
/// # Errors
/// When the engine stops it, or the host is at fault.
pub(super) async fn call(store: &mut Store<State>, instance: &Instance, index: ComponentExportIndex) -> Answer {
    let context = Arc::clone(&store.data().context);
    let run = found(instance, store, index)?.typed::<(), (Result<(), ()>,)>(&mut *store)?;
    let code = match run.call_async(&mut *store, ()).await {
        Ok((Ok(()),)) => 0,
        Ok((Err(()),)) => 1,
        Err(error) => match error.downcast_ref::<I32Exit>() {
            Some(exit) if context.stopped().is_none() => exit.0,
            _ => return Err(error),
        },
    };
    if code != 0 {
        return Ok(Err(ended(&format!("the program ended with exit code {code}"), &context.log_end(SAID))));
    }
    let text = String::from_utf8(context.take_stdout()).map(|mut text| {
        // Programs end their last line; a value does not.
        text.truncate(text.trim_end_matches('\n').len());
        text
    });
    Ok(Ok(said(&context, text, "stdout.bin")?.to_string()))
}

/// Standard input of a call.
pub(crate) fn stdin(line: &CommandLine) -> Bytes {
    Bytes::from(line.stdin.clone().into_bytes())
}
