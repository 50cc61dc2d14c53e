//! Services: a component that exports `wasi:http/incoming-handler` is a tool that is sent one request.
//!
//! There is no socket: the request is made of the call's arguments, and the answer is the call's result. Both count against
//! the call's memory while they are held, and what is answered counts as its output.

use super::{
    call::{Answer, Held, SAID, ended, found, given, said},
    schema,
    value::Source as _,
};
use crate::{
    context::{Context, Stop},
    state::State,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, pin::pin, sync::Arc};
use tokio::{sync::oneshot, task};
use tomas_bindings::ToolError;
use tomas_core::{name::ToolName, tool::Export};
use wasmtime::{
    Store,
    component::{ComponentExportIndex, Instance, Resource},
};
use wasmtime_wasi_http::{
    WasiBody,
    p2::{
        bindings::http::types::{ErrorCode, Scheme},
        types::{HostIncomingRequest, HostResponseOutparam},
    },
};

/// Who the service is told that it was asked as: a request must name somebody.
const AUTHORITY: &str = "localhost";

/// What a service is asked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    #[serde(default = "get")]
    method: String,
    #[serde(default = "root")]
    path: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: String,
}

fn get() -> String {
    Method::GET.to_string()
}

fn root() -> String {
    "/".to_owned()
}

/// The service as a tool.
pub(super) fn export(name: ToolName) -> Export {
    Export {
        name,
        description: "Sends the service an HTTP request and returns what it answers.".to_owned(),
        parameters: schema::closed(
            json!({
                "method": {"type": "string", "description": "GET when left out"},
                "path": {"type": "string", "description": "path and query; / when left out"},
                "headers": {"type": "object", "additionalProperties": {"type": "string"}},
                "body": {"type": "string", "description": "text, or `blob:NAME` for an attachment"},
            }),
            &[],
        ),
        result: schema::result(
            json!({
                "status": {"type": "integer"},
                "headers": {"type": "object", "additionalProperties": {"type": "string"}},
                "blob": {"type": "string", "description": "a body that is not text"},
            }),
            &["status", "headers"],
        ),
    }
}

/// Sends the service the request that the arguments spell.
///
/// # Errors
/// When the engine stops it, or the host is at fault.
pub(super) async fn call(
    store: &mut Store<State>,
    instance: &Instance,
    index: ComponentExportIndex,
    arguments: &str,
) -> Answer {
    let context = Arc::clone(&store.data().context);
    let held = Held::of(&context);
    let request = match request(arguments, &held)? {
        Ok(request) => request,
        Err(error) => return Ok(Err(error)),
    };
    let (send, receive) = oneshot::channel();
    let mut http = store.data_mut().http_view();
    let request = http.new_incoming_request(Scheme::Http, request)?;
    let out = http.new_response_outparam(send)?;
    let handle = found(instance, store, index)?
        .typed::<(Resource<HostIncomingRequest>, Resource<HostResponseOutparam>), ()>(&mut *store)?;
    let mut handling = pin!(handle.call_async(&mut *store, (request, out)));
    // An answer may be longer than what waits between guest and host, so it is read while it is written.
    let mut reading = pin!(task::unconstrained(read(receive, &held, &context)));
    let read = tokio::select! {
        biased;
        read = &mut reading => {
            let read = read?;
            handling.await?;
            Some(read)
        }
        handled = &mut handling => {
            handled?;
            // Nobody is left to write: what is not there now will never be.
            tokio::select! {
                biased;
                read = &mut reading => Some(read?),
                () = std::future::ready(()) => None,
            }
        }
    };
    match read {
        Some(Ok(answered)) => answered.observed(&context),
        Some(Err(error)) => Ok(Err(error)),
        None => Ok(Err(ToolError::Failed("the service left its answer unfinished".to_owned()))),
    }
}

/// The request that arguments spell.
fn request(arguments: &str, held: &Held<'_>) -> Result<Result<http::Request<Full<Bytes>>, ToolError>, Stop> {
    let refused = |what: String| Ok(Err(ToolError::InvalidArguments(what)));
    let allowed = r#"{"method": "POST", "path": "/a?b=c", "headers": {}, "body": "text"}"#;
    let given: Request = match given(arguments, allowed) {
        Ok(given) => given,
        Err(error) => return Ok(Err(error)),
    };
    let body = match given.body.strip_prefix("blob:") {
        None => Bytes::from(given.body),
        Some(name) => match held.blob(name) {
            Some(bytes) => Bytes::from_owner(bytes),
            None => return refused(format!("`body` names an attachment `{name}`, which there is not")),
        },
    };
    held.hold(body.len())?;
    if !given.path.starts_with('/') {
        return refused(format!("`path` is `{}`; allowed is what begins with `/`", given.path));
    }
    let uri = http::Uri::builder().scheme("http").authority(AUTHORITY).path_and_query(given.path);
    let uri = match uri.build() {
        Ok(uri) => uri,
        Err(error) => return refused(format!("`path` is refused: {error}")),
    };
    let Ok(method) = Method::from_bytes(given.method.as_bytes()) else {
        return refused(format!("`method` is `{}`; allowed are names such as `GET` and `POST`", given.method));
    };
    let mut request = http::Request::new(Full::new(body));
    (*request.method_mut(), *request.uri_mut()) = (method, uri);
    for (name, value) in &given.headers {
        match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            (Ok(name), Ok(value)) => drop(request.headers_mut().append(name, value)),
            _ => return refused(format!("`headers` has `{name}`, which is no header, or has no value of one")),
        }
    }
    Ok(Ok(request))
}

/// What a service answered.
struct Answered {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// Reads the answer to its end.
async fn read(
    receive: oneshot::Receiver<Result<Response<WasiBody>, ErrorCode>>,
    held: &Held<'_>,
    context: &Context,
) -> Result<Result<Answered, ToolError>, Stop> {
    let failed = |what: String| Ok(Err(ToolError::Failed(what)));
    let (parts, mut body) = match receive.await {
        Ok(Ok(response)) => response.into_parts(),
        Ok(Err(code)) => return failed(format!("the service failed: {code:?}")),
        Err(_) => return failed("the service did not answer".to_owned()),
    };
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let data = match frame.map(http_body::Frame::into_data) {
            Ok(Ok(data)) => data,
            Ok(Err(_trailers)) => continue,
            Err(error) => return failed(format!("the service broke off its answer: {error}")),
        };
        held.hold(data.len())?;
        bytes.extend_from_slice(&data);
        if bytes.len() as u64 > context.output.left() {
            return Err(context.stop(Stop::Output));
        }
    }
    Ok(Ok(Answered { status: parts.status, headers: parts.headers, body: bytes }))
}

impl Answered {
    /// The answer as a result; one that says that the request failed is an error of the tool.
    fn observed(self, context: &Context) -> Answer {
        let text = String::from_utf8(self.body);
        if self.status.is_client_error() || self.status.is_server_error() {
            let start: String = text.unwrap_or_default().trim().chars().take(SAID).collect();
            return Ok(Err(ended(&format!("the service answered {}", self.status), &start)));
        }
        let mut headers: Map<String, Value> = Map::new();
        for name in self.headers.keys() {
            let values: Vec<_> =
                self.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
            headers.insert(name.to_string(), values.join(", ").into());
        }
        let mut result = said(context, text, "body.bin")?;
        result["status"] = self.status.as_u16().into();
        result["headers"] = headers.into();
        Ok(Ok(result.to_string()))
    }
}
