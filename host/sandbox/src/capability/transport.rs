//! How a granted request reaches its destination: resolved, checked, connected to the address that was checked, encrypted
//! where it asks for it, sent, and answered.
//!
//! The name is resolved once, and the connection made to an address that passed the check: a name that resolves to something
//! else a moment later (DNS rebinding) gains nothing.

use super::http::{Leaving, boxed, headers};
use crate::context::{Context, Denied};
use bytes::Bytes;
use http_body::{Body, Frame};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{self, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::{Sleep, timeout},
};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};
use tomas_core::network::{self, Lead};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

/// Most connections that a call may have at once.
const CONNECTIONS: u32 = 16;

/// Most bytes of a response's headers, which is also what is read ahead of its body.
const BUFFER: usize = 16 << 10;

/// How long connecting may take where neither the guest nor the deadline says.
const CONNECT: Duration = Duration::from_secs(30);

/// Where a request goes.
pub(crate) struct Target {
    /// A name, or an address without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: bool,
    pub(crate) lead: Lead,
}

/// A response, and what keeps its connection going.
pub(crate) type Sent = (http::Response<WasiBody>, Going);

/// What a connection does until it is done.
pub(crate) type Going = Box<dyn Future<Output = Result<(), Error>> + Send>;

/// Sends a request and waits for the head of its response.
pub(crate) async fn send(
    context: Arc<Context>,
    target: Target,
    mut request: http::Request<WasiBody>,
    options: Option<RequestOptions>,
) -> Result<Sent, Error> {
    let connection = Connection::of(&context)?;
    let limits = Limits::of(options);
    context.emit(line(&request) + headers(request.headers())).map_err(|_| Error::HttpRequestHeaderSectionSize(None))?;
    let stream = timeout(limits.connect, connect(&context, &target)).await.map_err(|_| Error::ConnectionTimeout)??;
    // Only proxies are told the whole address.
    let path = request.uri().path_and_query().cloned().unwrap_or_else(|| http::uri::PathAndQuery::from_static("/"));
    *request.uri_mut() = path.into();
    let request = request.map(|body| Leaving { body, context: Arc::clone(&context) });
    let mut builder = hyper::client::conn::http1::Builder::new();
    let (mut sender, io) = builder.max_buf_size(BUFFER).handshake(TokioIo::new(stream)).await?;
    let mut io = Box::pin(io);
    let response = async {
        let mut sending = std::pin::pin!(sender.send_request(request));
        // Until the answer is there the connection lives in this future, so that dropping the request drops it.
        tokio::select! {
            biased;
            response = &mut sending => Ok((response?, true)),
            // A server that hangs up without a word may have answered before.
            done = &mut io => match (sending.await, done) {
                (Ok(response), _) => Ok((response, false)),
                (Err(_), Err(error)) | (Err(error), Ok(())) => Err(Error::from(error)),
            },
        }
    };
    let (response, going) = timeout(limits.first_byte, response).await.map_err(|_| Error::ConnectionReadTimeout)??;
    context.input.fetch_add(headers(response.headers()) as u64, Ordering::AcqRel);
    let response = response.map(|body| {
        boxed(Arriving { body, context, patience: limits.between_bytes, silence: None, _connection: connection })
    });
    Ok((response, Box::new(async move { if going { Ok(io.await?) } else { Ok(()) } })))
}

/// Bytes of the line that begins a request, as far as the guest says them.
pub(crate) fn line<B>(request: &http::Request<B>) -> usize {
    request.method().as_str().len() + request.uri().path_and_query().map_or(1, |path| path.as_str().len())
}

/// How long a guest lets a request take.
struct Limits {
    connect: Duration,
    first_byte: Duration,
    between_bytes: Option<Duration>,
}

impl Limits {
    fn of(options: Option<RequestOptions>) -> Self {
        let options = options.unwrap_or_default();
        Self {
            connect: options.connect_timeout.unwrap_or(CONNECT),
            // The deadline of the call ends what a guest would wait for.
            first_byte: options.first_byte_timeout.unwrap_or(Duration::from_secs(86_400)),
            between_bytes: options.between_bytes_timeout,
        }
    }
}

/// One of the connections that a call may have.
struct Connection(Arc<Context>);

impl Connection {
    fn of(context: &Arc<Context>) -> Result<Self, Error> {
        let connection = Self(Arc::clone(context));
        context.connected.store(true, Ordering::Relaxed);
        let before = context.connections.fetch_add(1, Ordering::AcqRel);
        if before < CONNECTIONS { Ok(connection) } else { Err(Error::ConnectionLimitReached) }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::AcqRel);
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

async fn connect(context: &Context, target: &Target) -> Result<Box<dyn Stream>, Error> {
    let mut failed = Error::DestinationNotFound;
    for address in addresses(context, target).await? {
        match TcpStream::connect(address).await {
            Ok(stream) if target.tls => return encrypt(context, target, stream).await,
            Ok(stream) => return Ok(Box::new(stream)),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => failed = Error::ConnectionRefused,
            Err(error) => failed = Error::Connect(error),
        }
    }
    Err(failed)
}

async fn encrypt(context: &Context, target: &Target, stream: TcpStream) -> Result<Box<dyn Stream>, Error> {
    let config = context.core.tls.client().map_err(|error| Error::InternalError(Some(error)))?;
    let name = ServerName::try_from(target.host.clone()).map_err(|_| Error::HttpRequestUriInvalid)?;
    match TlsConnector::from(config).connect(name, stream).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => {
            tracing::debug!(host = target.host, %error, "no TLS");
            Err(Error::TlsCertificateError)
        }
    }
}

/// The addresses that a request may be sent to.
async fn addresses(context: &Context, target: &Target) -> Result<Vec<SocketAddr>, Error> {
    let port = target.port;
    let at = |ip: IpAddr| SocketAddr::new(ip, port);
    let found = match target.lead {
        Lead::Address(address) => return Ok(vec![at(address)]),
        Lead::Loopback => return Ok(vec![at(Ipv4Addr::LOCALHOST.into()), at(Ipv6Addr::LOCALHOST.into())]),
        Lead::Resolve => context.core.outside.resolver.resolve(&target.host, port).await,
    };
    let found = found.map_err(|error| Error::DnsError { rcode: Some(error.to_string()), info_code: None })?;
    let granted = &context.given.permissions.network;
    let allowed: Vec<_> = found.iter().copied().filter(|address| network::may_lead_to(granted, *address)).collect();
    if let (true, Some(inside)) = (allowed.is_empty(), found.first()) {
        let host = &target.host;
        context.deny(Denied::Network);
        context.note_network(format!(
            "`{host}:{port}` leads to `{}`, which is not a public address\n\
             hint: where that is meant, add `{inside}` to `network` under [permissions] of its tool.toml",
            inside.ip()
        ));
        return Err(Error::DestinationIpProhibited);
    }
    Ok(allowed)
}

/// The body of a response, counted as input.
struct Arriving {
    body: Incoming,
    context: Arc<Context>,
    patience: Option<Duration>,
    silence: Option<Pin<Box<Sleep>>>,
    _connection: Connection,
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(task) else {
            let Some(patience) = self.patience else { return Poll::Pending };
            let silence = self.silence.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
            task::ready!(silence.as_mut().poll(task));
            return Poll::Ready(Some(Err(Error::ConnectionReadTimeout)));
        };
        self.silence = None;
        if let Some(Ok(frame)) = &frame {
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            self.context.input.fetch_add(bytes as u64, Ordering::AcqRel);
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Error::from)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}
