//! Requests to a registry: bounded bodies, redirects of our own choosing, and credentials where they belong.

use crate::{
    challenge::Challenge,
    credentials::Credentials,
    digest::Digest,
    error::{RegistryError, printable},
    reference::Reference,
    transfer::Progress,
};
use std::{
    io::{self, Read},
    sync::Arc,
    time::Duration,
};
use ureq::{
    Agent, Body, SendBody,
    http::{Response, Uri, header, request},
    tls::{RootCerts, TlsConfig},
};

/// The longest that connecting takes, and that nothing is heard.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest that one body takes, so that one that drips ends too.
const BODY: Duration = Duration::from_secs(15 * 60);

/// Most redirects of one request.
const REDIRECTS: usize = 5;

/// Bytes that are read at a time.
const PIECE: usize = 64 << 10;

/// How a registry is asked.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Who asks, where the registry wants to know.
    pub credentials: Option<Credentials>,
    /// Plain HTTP instead of HTTPS. A registry on this machine is always asked so.
    pub plain_http: bool,
}

/// What is done with a repository; tokens are given out for it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Right {
    Pull,
    Push,
}

/// A registry that is being asked about one repository.
pub(crate) struct Http {
    pub(crate) agent: Agent,
    pub(crate) registry: String,
    pub(crate) repository: String,
    /// Scheme and authority.
    origin: String,
    pub(crate) scope: &'static str,
    pub(crate) credentials: Option<Credentials>,
    authorization: Option<String>,
}

/// One request.
pub(crate) struct Request<'a> {
    pub(crate) method: &'static str,
    pub(crate) url: String,
    pub(crate) accept: Option<&'static str>,
    /// The body and its type.
    pub(crate) body: Option<(&'a [u8], &'static str)>,
}

impl<'a> Request<'a> {
    pub(crate) fn get(url: String, accept: &'static str) -> Self {
        Self { method: "GET", url, accept: Some(accept), body: None }
    }

    pub(crate) fn send(method: &'static str, url: String, body: &'a [u8], kind: &'static str) -> Self {
        Self { method, url, accept: None, body: Some((body, kind)) }
    }
}

impl Http {
    pub(crate) fn new(reference: &Reference, right: Right, access: &Access) -> Self {
        let scheme = if access.plain_http || reference.is_local() { "http" } else { "https" };
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()));
        let mut config = Agent::config_builder()
            .tls_config(tls.build())
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("tomas-host/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(PATIENCE))
            .timeout_recv_response(Some(PATIENCE))
            .timeout_per_read(Some(PATIENCE))
            .timeout_per_write(Some(PATIENCE))
            .timeout_send_body(Some(BODY))
            .timeout_recv_body(Some(BODY));
        if reference.is_local() {
            config = config.proxy(None);
        }
        Self {
            agent: config.build().new_agent(),
            registry: reference.registry().to_owned(),
            repository: reference.repository().to_owned(),
            origin: format!("{scheme}://{}", reference.host()),
            scope: match right {
                Right::Pull => "pull",
                Right::Push => "pull,push",
            },
            credentials: access.credentials.clone(),
            authorization: None,
        }
    }

    /// An address of the repository.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}/v2/{}/{path}", self.origin, self.repository)
    }

    /// Sends a request, and once more with a login where the registry wants one.
    pub(crate) fn send(
        &mut self,
        request: &Request<'_>,
        progress: Progress<'_>,
    ) -> Result<Response<Body>, RegistryError> {
        let response = self.follow(request, progress)?;
        if response.status() != 401 {
            return Ok(response);
        }
        let headers = response.headers().get_all(header::WWW_AUTHENTICATE);
        let challenges: Vec<Challenge> =
            headers.iter().take(8).filter_map(|h| Challenge::parse(h.to_str().ok()?)).collect();
        self.authorization = Some(self.log_in(&challenges)?);
        let response = self.follow(request, progress)?;
        if matches!(response.status().as_u16(), 401 | 403) {
            return Err(self.unauthorized(said(response)));
        }
        Ok(response)
    }

    /// Follows redirects of what is only read. What is written is not sent elsewhere.
    fn follow(&self, request: &Request<'_>, progress: Progress<'_>) -> Result<Response<Body>, RegistryError> {
        let mut url = request.url.clone();
        for _ in 0..=REDIRECTS {
            let response = self.once(&url, request, progress)?;
            let redirects = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
            if !redirects || request.body.is_some() {
                return Ok(response);
            }
            url = self.location(&response, &url)?;
        }
        Err(RegistryError::Redirects(REDIRECTS))
    }

    /// Where a response says to go on, if that is a place to go to.
    pub(crate) fn location(&self, response: &Response<Body>, url: &str) -> Result<String, RegistryError> {
        let answer = |why: &str| RegistryError::Answer { what: "answer", why: why.to_owned(), url: url.to_owned() };
        let location = response.headers().get(header::LOCATION).ok_or_else(|| answer("it has no `Location`"))?;
        let location = location.to_str().map_err(|_| answer("its `Location` is no text"))?;
        // Relative to the same origin, which is all that registries use.
        let absolute = match location.strip_prefix('/') {
            Some(rest) if !rest.starts_with('/') => format!("{}{location}", origin(url)),
            _ => location.to_owned(),
        };
        self.permitted(&absolute)?;
        Ok(absolute)
    }

    /// HTTPS to anywhere; anything else only to the registry itself.
    pub(crate) fn permitted(&self, url: &str) -> Result<(), RegistryError> {
        let refused = || RegistryError::Redirect { to: printable(url, 200) };
        let uri: Uri = url.parse().map_err(|_| refused())?;
        let authority = uri.authority().ok_or_else(refused)?;
        let ours = origin(url) == self.origin;
        let allowed = !authority.as_str().contains('@') && (ours || uri.scheme_str() == Some("https"));
        if allowed { Ok(()) } else { Err(refused()) }
    }

    fn once(&self, url: &str, request: &Request<'_>, progress: Progress<'_>) -> Result<Response<Body>, RegistryError> {
        let mut builder = request::Builder::new().method(request.method).uri(url);
        if let Some(accept) = request.accept {
            builder = builder.header(header::ACCEPT, accept);
        }
        // Tokens and passwords are for the registry, not for where it keeps its files.
        if let Some(authorization) = &self.authorization
            && origin(url) == self.origin
        {
            builder = builder.header(header::AUTHORIZATION, authorization);
        }
        let unreachable = |why: ureq::Error| self.unreachable(url, &why);
        let Some((bytes, kind)) = request.body else {
            let request = builder.body(()).map_err(|e| unreachable(e.into()))?;
            let answered = match self.agent.run(request.clone()) {
                // A connection that was kept may have been closed meanwhile; what only reads can be asked again.
                Err(ureq::Error::Io(lost)) if was_lost(&lost) => self.agent.run(request),
                answered => answered,
            };
            return answered.map_err(unreachable);
        };
        let builder = builder.header(header::CONTENT_TYPE, kind).header(header::CONTENT_LENGTH, bytes.len());
        let mut reader = Counted { bytes, sent: 0, progress };
        let request = builder.body(SendBody::from_reader(&mut reader)).map_err(|e| unreachable(e.into()))?;
        self.agent.run(request).map_err(unreachable)
    }

    pub(crate) fn unreachable(&self, url: &str, why: &ureq::Error) -> RegistryError {
        let ours = origin(url) == self.origin;
        let registry = if ours { self.registry.clone() } else { printable(origin(url), 200) };
        RegistryError::Unreachable { registry, why: printable(&why.to_string(), 300) }
    }
}

/// Whether a connection broke, rather than none could be made.
fn was_lost(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), ConnectionReset | ConnectionAborted | BrokenPipe | UnexpectedEof)
}

/// A body whose sending is watched.
struct Counted<'a, 'p> {
    bytes: &'a [u8],
    sent: u64,
    progress: &'p mut dyn FnMut(u64),
}

impl Read for Counted<'_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(into)?;
        self.sent += count as u64;
        (self.progress)(self.sent);
        Ok(count)
    }
}

/// Scheme and authority of an address.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url.get(host..).and_then(|rest| rest.find(['/', '?', '#'])).map_or(url.len(), |at| host + at);
    url.get(..end).unwrap_or(url)
}

/// Reads a body of at most `most` bytes, and not one piece more.
pub(crate) fn read(
    response: Response<Body>,
    most: u64,
    what: &'static str,
    hint: &'static str,
    progress: Progress<'_>,
) -> Result<Vec<u8>, RegistryError> {
    let large = |found| RegistryError::TooLarge { what, found, most, hint };
    let promised = response.body().content_length();
    if let Some(length) = promised.filter(|length| *length > most) {
        return Err(large(length));
    }
    let mut reader = response.into_body().into_reader();
    let (mut bytes, mut piece) = (Vec::new(), vec![0; PIECE]);
    loop {
        let found = bytes.len() as u64;
        let count = reader.read(&mut piece).map_err(|_| RegistryError::Short {
            what,
            found,
            wanted: promised.unwrap_or(most),
        })?;
        let Some(read) = piece.get(..count).filter(|read| !read.is_empty()) else { return Ok(bytes) };
        if found + count as u64 > most {
            return Err(large(found + count as u64));
        }
        bytes.extend_from_slice(read);
        progress(bytes.len() as u64);
    }
}

/// The beginning of a body that says what went wrong.
pub(crate) fn said(response: Response<Body>) -> String {
    let status = response.status();
    let mut bytes = Vec::new();
    // Whatever comes is quoted; when nothing does, the status must do.
    drop(response.into_body().into_reader().take(2048).read_to_end(&mut bytes));
    let said = printable(&String::from_utf8_lossy(&bytes), 300);
    if said.is_empty() { status.to_string() } else { said }
}

/// The digest that a registry claims for what it sends.
pub(crate) fn claimed(response: &Response<Body>) -> Option<Digest> {
    response.headers().get("docker-content-digest")?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http(reference: &str) -> Http {
        Http::new(&reference.parse().unwrap(), Right::Pull, &Access::default())
    }

    #[test]
    fn only_https_and_the_registry_itself_are_gone_to() {
        let (local, remote) = (http("localhost:5000/t"), http("a.io/t"));
        assert!(local.permitted("http://localhost:5000/x").is_ok());
        assert!(remote.permitted("https://b.io/x?y").is_ok() && local.permitted("https://b.io").is_ok());
        for url in [
            "http://b.io/x",
            "http://a.io/x",
            "http://localhost:5001/x",
            "http://localhost:5000@b.io/x",
            "https://a.io@b.io/",
            "file:///etc/passwd",
            "ftp://b.io/x",
            "//b.io/x",
            "https://",
            "x",
            "",
            "https://a b/",
        ] {
            assert!(remote.permitted(url).is_err() && local.permitted(url).is_err(), "{url}");
        }
    }

    #[test]
    fn an_origin_ends_where_the_path_begins() {
        assert_eq!(origin("https://a.io:1/b/c"), "https://a.io:1");
        assert_eq!(origin("https://a.io?b"), "https://a.io");
        assert_eq!(origin("https://a.io"), "https://a.io");
        assert_eq!(origin("é"), "é");
    }
}
