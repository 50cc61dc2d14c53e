//! Registries that answer what they like: whatever comes, there is an error that says so, soon, and no panic.

use crate::{Access, Artifact, Credentials, Digest, MOST_IMAGE, Pulled, Reference, RegistryError, Session, image};
use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// Most bytes of a component in these tests.
const MOST: u64 = 1 << 20;

/// A registry on a thread.
struct Server {
    address: SocketAddr,
    /// The head of each request.
    heard: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers each request with what `answer` makes of its first line and its head, until the other side has enough.
    fn new(answer: impl Fn(&str, &str, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, answer) = (listener.local_addr().unwrap(), Arc::new(answer));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hearing = Arc::clone(&heard);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let (answer, hearing) = (Arc::clone(&answer), Arc::clone(&hearing));
                std::thread::spawn(move || {
                    let head = head(&stream);
                    hearing.lock().unwrap().push(head.clone());
                    answer(head.lines().next().unwrap_or_default(), &head, &mut stream);
                });
            }
        });
        Self { address, heard }
    }

    fn reference(&self, wanted: &str) -> Reference {
        format!("{}/tool{wanted}", self.address).parse().unwrap()
    }

    fn pull(&self) -> Result<Pulled, RegistryError> {
        pull(&self.reference(":1"), None)
    }

    /// Pulls what must be refused, soon.
    fn refuses(&self, says: &str) {
        let begun = Instant::now();
        let told = self.pull().unwrap_err().to_string();
        assert!(told.contains(says) && told.contains("\nhint: "), "{says}: {told}");
        assert!(!told.chars().any(|c| c.is_control() && c != '\n'), "{told:?}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    }
}

fn head(stream: &TcpStream) -> String {
    let mut head = String::new();
    let mut reader = BufReader::new(stream);
    while reader.read_line(&mut head).is_ok_and(|n| n > 2) {}
    // Bodies are not looked at, but must be taken.
    let length = head.lines().find_map(|l| l.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let _ = reader.take(length.unwrap_or(0)).read_to_end(&mut Vec::new());
    head
}

fn pull(reference: &Reference, credentials: Option<Credentials>) -> Result<Pulled, RegistryError> {
    let access = Access { credentials, plain_http: false };
    crate::pull(reference, &mut Session { access, most: MOST, progress: &mut |_, _| () })
}

fn push(reference: &Reference, artifact: &Artifact) -> Result<Digest, RegistryError> {
    let access = Access::default();
    crate::push(reference, artifact, &mut Session { access, most: MOST, progress: &mut |_, _| () })
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn component() -> Vec<u8> {
    [b"\0asm\x0d\0\x01\0".as_slice(), &[7; 5000]].concat()
}

fn artifact() -> Artifact {
    let annotations = BTreeMap::from([("org.example".to_owned(), "text".to_owned())]);
    Artifact { component: component(), annotations }
}

/// A registry that has one artifact, with this manifest and this layer.
fn serving(manifest: Vec<u8>, layer: Vec<u8>) -> Server {
    Server::new(move |line, _, stream| {
        let body = if line.contains("/manifests/") { &manifest } else { &layer };
        let _ = stream.write_all(&answer("200 OK", "", body));
    })
}

/// A registry that answers everything with the same bytes.
fn saying(bytes: Vec<u8>) -> Server {
    Server::new(move |_, _, stream| drop(stream.write_all(&bytes)))
}

/// Writes until nobody listens.
fn endless(stream: &mut TcpStream, head: &str) {
    let _ = stream.write_all(head.as_bytes());
    while stream.write_all(&[b' '; 4096]).is_ok() {}
}

fn manifest() -> String {
    String::from_utf8(image::encode(&artifact()).1).unwrap()
}

#[test]
fn an_artifact_is_pulled_by_tag_and_by_digest() {
    let server = serving(manifest().into(), component());
    let digest = Digest::of(manifest().as_bytes());
    let pulled = server.pull().unwrap();
    assert_eq!((pulled.artifact, pulled.digest), (artifact(), digest));
    assert_eq!(pull(&server.reference("").at(digest), None).unwrap().digest, digest);
    let other = pull(&server.reference("").at(Digest::of(b"")), None).unwrap_err();
    assert!(matches!(other, RegistryError::Digest { .. }), "{other}");
}

#[test]
fn other_bytes_than_the_digest_names_are_refused() {
    let mut layer = component();
    layer[100] ^= 1;
    serving(manifest().into(), layer).refuses("the component has digest");
    serving(manifest().into(), component()[..4000].to_vec()).refuses("ends after 4000 bytes");
    let long = [component(), vec![0]].concat();
    serving(manifest().into(), long).refuses("at most 5008 are accepted");
    let claim = format!("docker-content-digest: {}\r\n", Digest::of(b"other"));
    saying(answer("200 OK", &claim, manifest().as_bytes())).refuses("the artifact's manifest has digest");
}

#[test]
fn manifests_that_are_none_are_refused() {
    let refused = |manifest: String, says: &str| serving(manifest.into(), component()).refuses(says);
    refused(String::new(), "manifest is refused");
    refused("<html>\u{1b}[2J".to_owned(), "manifest is refused");
    refused("[".repeat(100_000), "manifest is refused");
    refused("{}".to_owned(), "schemaVersion");
    refused(r#"{"schemaVersion": 1}"#.to_owned(), "vnd.oci.image.manifest");
    refused(r#"{"schemaVersion": 2}"#.to_owned(), "has 0 layers");
    refused(manifest().replace(image::IMAGE, "application/vnd.oci.image.index.v1+json"), "image.index");
    refused(manifest().replace("\"application/wasm\"", "\"application/x-tar\""), "`application/x-tar`");
    refused(manifest().replace("sha256:", "sha512:"), "is not a digest");
    refused(manifest().replace("\"size\":5008", "\"size\":-1"), "manifest is refused");
    refused(manifest().replace("\"size\":5008", "\"size\":99999999999"), "the component has 99999999999 bytes");
    let layer = manifest();
    let layer = &layer[layer.find("\"layers\":[").unwrap() + 10..layer.find(']').unwrap()];
    refused(manifest().replace(layer, &format!("{layer},{layer}")), "has 2 layers");
}

#[test]
fn every_beginning_of_a_manifest_is_refused_without_panic() {
    let manifest = manifest();
    for end in 0..manifest.len() {
        assert!(image::decode(&manifest.as_bytes()[..end], None, "").is_err(), "{}", &manifest[..end]);
    }
    for at in 0..manifest.len() {
        let mut bytes = manifest.clone().into_bytes();
        bytes[at] ^= 0x11;
        drop(image::decode(&bytes, None, ""));
    }
}

#[test]
fn bodies_without_end_are_cut_off() {
    const OK: &str = "HTTP/1.1 200 OK\r\n\r\n";
    Server::new(|_, _, stream| endless(stream, OK)).refuses("at most 1048576 are accepted");
    Server::new(|line, _, stream| match line.contains("/manifests/") {
        true => drop(stream.write_all(&answer("200 OK", "", manifest().as_bytes()))),
        false => endless(stream, OK),
    })
    .refuses("at most 5008 are accepted");
    Server::new(|_, _, stream| endless(stream, "HTTP/1.1 500 No\r\n\r\n")).refuses("with status 500");
    Server::new(|_, _, stream| endless(stream, "HTTP/1.1 200 OK\r\nx: ")).refuses("cannot be reached");
    let huge = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", MOST_IMAGE + 1);
    saying(huge.into_bytes()).refuses("the artifact's manifest has 1048577 bytes");
}

#[test]
fn what_is_no_http_is_refused() {
    for bytes in
        [&b""[..], b"\0\xff\xfe", b"SSH-2.0-x\r\n", b"HTTP/1.1 999999 x\r\n\r\n", b"HTTP/1.1 200 OK\r\nx\r\n\r\n"]
    {
        saying(bytes.to_vec()).refuses("hint: ");
    }
    saying(b"HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551616\r\n\r\n".to_vec()).refuses("hint: ");
    saying(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".to_vec()).refuses("hint: ");
    saying(answer("404 No", "", b"")).refuses("is not in the registry");
    saying(answer("418 No", "", b"\x1b[31mno\x07")).refuses("[31mno");
}

#[test]
fn redirects_lead_to_https_or_nowhere() {
    let other = serving(manifest().into(), component());
    let there = format!("http://{}/v2/tool/manifests/1", other.address);
    for to in [&there, "file:///etc/passwd", "ftp://a.io/", "gopher://a", "//a.io", "http://a.io/", "", "x", "http:///"]
    {
        saying(answer("307 Go", &format!("location: {to}\r\n"), b"")).refuses("which is refused");
    }
    assert!(other.heard.lock().unwrap().is_empty());
    saying(answer("307 Go", "", b"")).refuses("no `Location`");
    saying(answer("302 Go", "location: /again\r\n", b"")).refuses("more than 5 times");
}

/// A registry that wants a token, and gives one out at `/token`.
fn guarded(token: &'static str) -> Server {
    Server::new(move |line, head, stream| {
        let host = head.lines().find_map(|l| l.to_lowercase().strip_prefix("host: ").map(str::to_owned)).unwrap();
        let challenge = format!("www-authenticate: Bearer realm=\"http://{host}/token\",service=\"a b\"\r\n");
        let bytes = if line.contains("/token") {
            answer("200 OK", "", format!(r#"{{"token": "{token}"}}"#).as_bytes())
        } else if !head.contains("Bearer t0ken") {
            answer("401 No", &challenge, b"")
        } else if line.contains("/manifests/") {
            answer("200 OK", "", manifest().as_bytes())
        } else {
            answer("200 OK", "", &component())
        };
        let _ = stream.write_all(&bytes);
    })
}

#[test]
fn a_token_is_asked_for_where_the_registry_wants_one() {
    let server = guarded("t0ken");
    assert_eq!(server.pull().unwrap().artifact, artifact());
    pull(&server.reference(":1"), Some(Credentials::new("ada".to_owned(), "pw".to_owned()))).unwrap();
    let heard = server.heard.lock().unwrap();
    let asked: Vec<&String> = heard.iter().filter(|head| head.starts_with("GET /token")).collect();
    assert!(asked[0].contains("?scope=repository:tool:pull&service=a%20b "), "{}", asked[0]);
    let basic = |head: &&String| head.to_lowercase().contains("authorization: basic ");
    assert_eq!(heard.iter().filter(basic).count(), 1, "the password goes to the token service and nowhere else");
    assert!(basic(&asked[1]));
}

#[test]
fn tokens_that_are_none_are_refused() {
    for token in ["", "a\\nb: c", "a\\u0000", "é"] {
        guarded(token).refuses("token is refused");
    }
    guarded("other").refuses("refuses access to `tool`");
    saying(answer("401 No", "www-authenticate: Basic realm=\"x\"\r\n", b"")).refuses("it wants a login");
    saying(answer("401 No", "", b"")).refuses("it wants a login");
    for realm in ["http://a.io/token", "file:///x", "", "x y", "https://"] {
        let challenge = format!("www-authenticate: Bearer realm=\"{realm}\"\r\n");
        saying(answer("401 No", &challenge, b"")).refuses("which is refused");
    }
    Server::new(|line, head, stream| {
        let host = head.lines().find_map(|l| l.to_lowercase().strip_prefix("host: ").map(str::to_owned)).unwrap();
        let challenge = format!("www-authenticate: Bearer realm=\"http://{host}/token\"\r\n");
        match line.contains("/token") {
            true => endless(stream, "HTTP/1.1 200 OK\r\n\r\n"),
            false => drop(stream.write_all(&answer("401 No", &challenge, b""))),
        }
    })
    .refuses("a token has");
}

#[test]
fn a_password_is_not_sent_before_it_is_asked_for_and_not_shown() {
    let credentials = || Some(Credentials::new("ada".to_owned(), "secret".to_owned()));
    let open = serving(manifest().into(), component());
    pull(&open.reference(":1"), credentials()).unwrap();
    assert!(!open.heard.lock().unwrap().iter().any(|head| head.to_lowercase().contains("authorization")));
    let closed = saying(answer("401 No", "www-authenticate: Basic realm=\"x\"\r\n", b"no"));
    let told = pull(&closed.reference(":1"), credentials()).unwrap_err();
    assert!(matches!(told, RegistryError::Unauthorized { .. }) && !told.to_string().contains("secret"), "{told}");
}

#[test]
fn nobody_at_home_is_said_so() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let told = pull(&format!("{address}/tool").parse().unwrap(), None).unwrap_err().to_string();
    assert!(told.contains("cannot be reached") && told.contains("--plain-http"), "{told}");
}

#[test]
fn what_is_no_component_is_neither_pulled_nor_pushed() {
    let shell = Artifact { component: b"#!/bin/sh".to_vec(), annotations: BTreeMap::new() };
    serving(image::encode(&shell).1, shell.component.clone()).refuses("the beginning of the component");
    let server = saying(answer("500 No", "", b""));
    let told = push(&server.reference(":1"), &shell).unwrap_err();
    assert!(matches!(told, RegistryError::Kind { .. }), "{told}");
    let large = Artifact { component: vec![0; MOST as usize + 1], annotations: BTreeMap::new() };
    assert!(matches!(push(&server.reference(":1"), &large), Err(RegistryError::TooLarge { .. })));
    let annotations = BTreeMap::from([("a".to_owned(), "a".repeat(MOST_IMAGE as usize))]);
    let wordy = Artifact { component: component(), annotations };
    assert!(matches!(push(&server.reference(":1"), &wordy), Err(RegistryError::TooLarge { .. })));
    assert!(server.heard.lock().unwrap().is_empty());
}

#[test]
fn an_upload_goes_where_the_registry_may_send_it() {
    for to in ["http://a.io/up", "file:///x", "", "x"] {
        let head = format!("location: {to}\r\n");
        let server = Server::new(move |line, _, stream| {
            let status = if line.starts_with("HEAD") { "404 No" } else { "202 Go" };
            let _ = stream.write_all(&answer(status, &head, b""));
        });
        let told = push(&server.reference(":1"), &artifact()).unwrap_err();
        assert!(matches!(told, RegistryError::Redirect { .. }), "{told}");
    }
    let server = saying(answer("307 Go", "location: https://a.io/\r\n", b""));
    let told = push(&server.reference(":1"), &artifact()).unwrap_err().to_string();
    assert!(told.contains("hint: "), "{told}");
}
