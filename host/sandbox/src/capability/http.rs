//! `wasi:http`: requests to the destinations that the call is granted, and to no other.
//!
//! Whether a request may go out is decided by the name and port that it asks for, before anything is resolved; which
//! addresses that name may lead to, when it is ([`transport`](super::transport)). What goes out counts against the call's
//! output quota, what comes in is measured as its input, and what encryption costs is charged to its CPU quota, because it
//! happens on the call's own thread. Redirects are not followed: a guest that does so asks again, and is judged again.

use super::{
    taped,
    transport::{self, Target},
};
use crate::{
    context::{Context, Denied},
    state::State,
};
use bytes::Bytes;
use http_body::{Body, Frame};
use http_body_util::BodyExt as _;
use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{self, Poll},
};
use tomas_core::network;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttp, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
    p2::{
        HttpResult,
        bindings::http::{
            outgoing_handler::{self, Host as _},
            types,
        },
        types::HostOutgoingRequest,
    },
};

/// The interface whose `handle` is replaced, spelled as `wasmtime_wasi_http` links it.
const HANDLER: &str = "wasi:http/outgoing-handler@0.2.12";

/// Host memory that a handle may stand for, in bytes: headers, or a body on its way. A call may hold as many handles as its
/// memory quota has room for.
pub(crate) const HANDLE: u64 = 32 << 10;

/// Most bytes of headers that a guest may put together.
const FIELDS: usize = 16 << 10;

/// Most bytes of a body written at once.
const CHUNK: usize = 16 << 10;

/// Most bytes of a host's name shown.
const SHOWN: usize = 120;

/// Defines `wasi:http` as far as it sends requests.
///
/// # Errors
/// When wasmtime refuses the definition.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    types::add_to_linker::<State, WasiHttp>(linker, &types::LinkOptions::default(), State::http)?;
    outgoing_handler::add_to_linker::<State, WasiHttp>(linker, State::http)?;
    linker.allow_shadowing(true);
    linker.instance(HANDLER)?.func_wrap_async("handle", |mut store, (request, options): Handle| {
        Box::new(async move {
            let state: &mut State = store.data_mut();
            // The connection belongs to the runtime of the thread that makes it.
            state.at_home().await;
            let sent = state.http().handle(request, options);
            Ok((answer(sent)?,))
        })
    })?;
    linker.allow_shadowing(false);
    Ok(())
}

/// Parameters of `handle`.
type Handle = (Resource<HostOutgoingRequest>, Option<Resource<types::RequestOptions>>);

/// Parts what the guest is told from what ends it.
fn answer<T>(done: HttpResult<T>) -> wasmtime::Result<Result<T, types::ErrorCode>> {
    match done {
        Ok(value) => Ok(Ok(value)),
        Err(error) => Ok(Err(error.downcast()?)),
    }
}

/// What a store knows of HTTP.
pub(crate) struct Http {
    limits: WasiHttpCtx,
    outgoing: Outgoing,
}

impl Http {
    pub(crate) fn new(context: &Arc<Context>, lane: &Arc<AtomicU64>) -> Self {
        let mut limits = WasiHttpCtx::new();
        limits.set_field_size_limit(FIELDS);
        Self { limits, outgoing: Outgoing { context: Arc::clone(context), lane: Arc::clone(lane) } }
    }

    /// The view that `wasmtime_wasi_http` works on.
    pub(crate) fn view<'a>(&'a mut self, table: &'a mut wasmtime_wasi::ResourceTable) -> WasiHttpCtxView<'a> {
        WasiHttpCtxView { hooks: &mut self.outgoing, table, ctx: &mut self.limits }
    }
}

/// Sends requests for a call.
struct Outgoing {
    context: Arc<Context>,
    /// What of the call runs now.
    lane: Arc<AtomicU64>,
}

impl WasiHttpHooks for Outgoing {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<transport::Sent, Error>> + Send> {
        let (context, lane) = (Arc::clone(&self.context), self.lane.load(Ordering::Relaxed));
        match target(&context, &request) {
            Ok(target) => Box::new(taped::send(context, lane, target, request, options)),
            Err(error) => Box::new(async { Err(error) }),
        }
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        CHUNK
    }
}

/// Where a request may go, or why it may not.
fn target(context: &Context, request: &http::Request<WasiBody>) -> Result<Target, Error> {
    let authority = request.uri().authority().ok_or(Error::HttpRequestUriInvalid)?;
    if authority.as_str().contains('@') {
        return Err(Error::HttpRequestUriInvalid);
    }
    if request.method() == http::Method::CONNECT {
        return Err(Error::HttpRequestMethodInvalid);
    }
    let tls = request.uri().scheme() == Some(&http::uri::Scheme::HTTPS);
    let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
    let host = authority.host();
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let Some(lead) = network::lead(&context.given.permissions.network, bare, port) else {
        context.deny(Denied::Network);
        let asked: String = host.chars().take(SHOWN).collect();
        context.note_network(format!(
            "the tool asked for `{asked}:{port}`, which it may not\n\
             hint: `network = [\"{asked}:{port}\"]` under [permissions] of its tool.toml allows it"
        ));
        return Err(Error::HttpRequestDenied);
    };
    Ok(Target { host: bare.to_owned(), port, tls, lead })
}

/// A body whose bytes are counted on their way out.
pub(crate) struct Leaving {
    pub(crate) body: WasiBody,
    pub(crate) context: Arc<Context>,
}

impl Body for Leaving {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = task::ready!(Pin::new(&mut self.body).poll_frame(task));
        if let Some(Ok(frame)) = &frame {
            let bytes = frame.data_ref().map_or(0, Bytes::len) + frame.trailers_ref().map_or(0, headers);
            if self.context.emit(bytes).is_err() {
                return Poll::Ready(Some(Err(Error::HttpRequestBodySize(None))));
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

/// Bytes of headers as they are written.
pub(crate) fn headers(headers: &http::HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        self.http_view()
    }
}

/// A body in the type that guests read.
pub(crate) fn boxed(body: impl Body<Data = Bytes, Error = Error> + Send + 'static) -> WasiBody {
    body.boxed_unsync()
}
