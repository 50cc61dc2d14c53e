//! `wasi:http`, `wasi:config` and `wasi:keyvalue`: what a tool may send, read and keep.

use crate::support::{config, fixture, grant, quota, within};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::json;
use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned, crypto::ring, pki_types::PrivateKeyDer};
use tomas_core::{
    amount::Bytes,
    observation::{Observation, Outcome},
    quota::Quota,
};
use tomas_sandbox::{
    Call, CancelToken, KeyValue, LoadedComponent, Outside, Resolver, Resolving, Sandbox, SandboxConfig,
};

/// Names of these tests. `rebound.test` is public when first asked for, and inside the operator's network ever after.
#[derive(Debug, Default)]
struct Names(AtomicU32);

impl Resolver for Names {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Resolving<'a> {
        let address = match host {
            "inside.test" | "also.inside.test" => [127, 0, 0, 1],
            "cloud.test" => [169, 254, 169, 254],
            "rebound.test" if self.0.fetch_add(1, Ordering::AcqRel) == 0 => [192, 0, 2, 1],
            "rebound.test" => [127, 0, 0, 1],
            _ => return Box::pin(async { Err(std::io::Error::other("no such name")) }),
        };
        Box::pin(async move { Ok(vec![SocketAddr::from((address, port))]) })
    }
}

/// A certificate for `inside.test`, and the file that makes it an authority.
struct Authority {
    key: CertifiedKey<rcgen::KeyPair>,
    file: tempfile::NamedTempFile,
}

static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| {
    let key = generate_simple_self_signed(vec!["inside.test".to_owned()]).unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(key.cert.pem().as_bytes()).unwrap();
    Authority { key, file }
});

static SANDBOX: LazyLock<Sandbox> = LazyLock::new(|| {
    let certificates = Some(AUTHORITY.file.path().to_owned());
    let config = SandboxConfig { certificates, ..config() };
    let outside = Outside { resolver: Arc::new(Names::default()), ..Outside::default() };
    Sandbox::with_outside(config, outside).unwrap()
});

static FETCH: LazyLock<Arc<LoadedComponent>> = LazyLock::new(|| SANDBOX.load(&fixture("fetch")).unwrap());

/// A call of the fixture that may reach `network`.
pub(crate) fn fetch(words: &[&str], network: &[&str]) -> Call {
    let mut call = Call::new(Arc::clone(&FETCH), "run".parse().unwrap(), json!({ "arguments": words }).to_string());
    call.permissions.network = network.iter().map(|text| text.parse().unwrap()).collect();
    call
}

pub(crate) fn run(quota: Quota, call: Call) -> Observation {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(SANDBOX.call(grant(quota), call)).unwrap().observation
}

#[track_caller]
fn expect(outcome: Outcome, quota: Quota, call: Call) -> Observation {
    let observation = run(quota, call);
    assert_eq!(observation.outcome, outcome, "{observation:#?}");
    observation
}

/// Serves each connection on a thread of its own, for as long as the process lives.
pub(crate) fn serve(answer: impl Fn(TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            std::thread::spawn(move || answer(stream));
        }
    });
    port
}

/// Reads the head of a request.
pub(crate) fn head(stream: &mut impl std::io::Read) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).into_owned()
}

fn hello(mut stream: TcpStream) {
    let head = head(&mut stream);
    let line = head.lines().next().unwrap_or_default().to_owned();
    let host = head.lines().find(|line| line.to_lowercase().starts_with("host:")).unwrap_or_default().to_owned();
    let body = format!("{line}; {host}");
    let _ = write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
}

static HELLO: LazyLock<u16> = LazyLock::new(|| serve(hello));

#[test]
fn a_granted_destination_answers() {
    let port = *HELLO;
    let inside = format!("127.0.0.1:{port}");
    for (url, grants) in [
        (format!("http://{inside}/a?b=c"), vec![inside.clone()]),
        (format!("http://localhost:{port}/a?b=c"), vec![format!("localhost:{port}")]),
        (format!("http://inside.test:{port}/a?b=c"), vec![format!("inside.test:{port}"), inside.clone()]),
        (format!("http://also.inside.test:{port}/a?b=c"), vec![format!("*.inside.test:{port}"), inside.clone()]),
    ] {
        let grants: Vec<&str> = grants.iter().map(String::as_str).collect();
        let observation = expect(Outcome::Ok, quota(), fetch(&["get", &url], &grants));
        let text = observation.text();
        assert!(text.starts_with("200 GET /a?b=c HTTP/1.1; host: ") && text.contains(&port.to_string()), "{text}");
        assert!(observation.usage.input_bytes > 40, "{observation:#?}");
    }
}

#[test]
fn what_is_not_granted_is_refused_and_named() {
    let port = *HELLO;
    let (other, inside) = (format!("127.0.0.1:{}", port ^ 1), format!("127.0.0.1:{port}"));
    for (url, grants, asked) in [
        (format!("http://{inside}/"), vec![], &*inside),
        (format!("http://{inside}/"), vec![&*other], &*inside),
        ("http://10.0.0.1/".to_owned(), vec![&*inside], "10.0.0.1:80"),
        ("https://example.org/".to_owned(), vec!["example.org:80"], "example.org:443"),
        (
            "http://example.org.evil.test/".to_owned(),
            vec!["example.org:80", "*.example.org:80"],
            "example.org.evil.test:80",
        ),
        ("http://2130706433/".to_owned(), vec!["127.0.0.1:80"], "2130706433:80"),
        ("http://[::1]/".to_owned(), vec!["127.0.0.1:80", "localhost:80"], "[::1]:80"),
    ] {
        let error = expect(Outcome::PermissionDenied, quota(), fetch(&["get", &url], &grants)).error.unwrap();
        assert!(error.contains(&format!("network = [\"{asked}\"]")), "{url}: {error}");
    }
    // What only looks like a granted host.
    let url = format!("http://{inside}@evil.test/");
    expect(Outcome::ToolError, quota(), fetch(&["get", &url], &[&inside]));
}

#[test]
fn a_name_that_leads_inside_is_refused_however_it_comes_there() {
    let port = *HELLO;
    let url = format!("http://inside.test:{port}/");
    let error = expect(Outcome::PermissionDenied, quota(), fetch(&["get", &url], &[&format!("inside.test:{port}")]));
    let error = error.error.unwrap();
    assert!(error.contains("leads to `127.0.0.1`") && error.contains(&format!("`127.0.0.1:{port}`")), "{error}");
    let error = expect(Outcome::PermissionDenied, quota(), fetch(&["get", "http://cloud.test/"], &["cloud.test:80"]));
    assert!(error.error.unwrap().contains("169.254.169.254"));
    // Whatever it resolves to the second time, the second time is checked like the first.
    for _ in 0..2 {
        let url = format!("http://rebound.test:{port}/");
        let call = fetch(&["get", &url], &[&format!("rebound.test:{port}")]);
        expect(Outcome::PermissionDenied, quota(), call);
    }
}

#[test]
fn encryption_is_verified() {
    let key = PrivateKeyDer::try_from(AUTHORITY.key.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![AUTHORITY.key.cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let port = serve(move |stream| {
        let Ok(connection) = ServerConnection::new(Arc::clone(&config)) else { return };
        let mut stream = StreamOwned::new(connection, stream);
        head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret");
        let _ = stream.flush();
    });
    let inside = format!("127.0.0.1:{port}");
    let named = format!("inside.test:{port}");
    let url = format!("https://{named}/");
    assert_eq!(expect(Outcome::Ok, quota(), fetch(&["get", &url], &[&named, &inside])).text(), "200 secret");
    // The certificate is for the name, not for the address.
    let url = format!("https://{inside}/");
    let error = expect(Outcome::ToolError, quota(), fetch(&["get", &url], &[&inside])).error.unwrap();
    assert!(error.contains("TlsCertificateError"), "{error}");
}

#[test]
fn what_goes_out_counts_as_output() {
    let port = serve(|mut stream| {
        head(&mut stream);
        let mut sink = [0; 4096];
        while stream.read(&mut sink).is_ok_and(|n| n > 0) {}
    });
    let (inside, url) = (format!("127.0.0.1:{port}"), format!("http://127.0.0.1:{port}/"));
    let small = Quota { output: Bytes(100_000), ..within(20_000) };
    expect(Outcome::OutputExceeded, small, fetch(&["post", &url, "1000000"], &[&inside]));
    let path = format!("{url}{}", "x".repeat(5000));
    let smaller = Quota { output: Bytes(4000), ..within(20_000) };
    expect(Outcome::OutputExceeded, smaller, fetch(&["get", &path], &[&inside]));
}

#[test]
fn a_server_that_floods_or_stalls_costs_the_call_alone() {
    // A body without end meets the memory of whoever keeps it.
    let endless = serve(|mut stream| {
        head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(&[b'x'; 65536]).is_ok() {}
    });
    let (inside, url) = (format!("127.0.0.1:{endless}"), format!("http://127.0.0.1:{endless}/"));
    expect(Outcome::MemoryExceeded, quota(), fetch(&["get", &url], &[&inside]));

    let headers = serve(|mut stream| {
        head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"x-header: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n").is_ok() {}
    });
    let (inside, url) = (format!("127.0.0.1:{headers}"), format!("http://127.0.0.1:{headers}/"));
    expect(Outcome::ToolError, quota(), fetch(&["get", &url], &[&inside]));

    let nonsense = serve(|mut stream| {
        head(&mut stream);
        let _ = stream.write_all(b"\x16\x03\x01 what?\r\n\r\n");
    });
    let (inside, url) = (format!("127.0.0.1:{nonsense}"), format!("http://127.0.0.1:{nonsense}/"));
    expect(Outcome::ToolError, quota(), fetch(&["get", &url], &[&inside]));

    let silent = serve(|mut stream| {
        head(&mut stream);
        std::thread::sleep(Duration::from_secs(60));
    });
    let (inside, url) = (format!("127.0.0.1:{silent}"), format!("http://127.0.0.1:{silent}/"));
    expect(Outcome::DeadlineExceeded, within(200), fetch(&["get", &url], &[&inside]));
    let mut call = fetch(&["get", &url], &[&inside]);
    call.cancel = CancelToken::new();
    let cancel = call.cancel.clone();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        cancel.cancel();
    });
    expect(Outcome::Cancelled, quota(), call);
}

#[test]
fn connections_are_few_and_end_with_their_call() {
    static OPEN: AtomicU32 = AtomicU32::new(0);
    let port = serve(|mut stream| {
        OPEN.fetch_add(1, Ordering::AcqRel);
        head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\nx");
        let _ = stream.read(&mut [0]);
        OPEN.fetch_sub(1, Ordering::AcqRel);
    });
    let (inside, url) = (format!("127.0.0.1:{port}"), format!("http://127.0.0.1:{port}/"));
    assert_eq!(expect(Outcome::Ok, quota(), fetch(&["open", &url, "16"], &[&inside])).text(), "16 open");
    let error = expect(Outcome::ToolError, quota(), fetch(&["open", &url, "17"], &[&inside])).error.unwrap();
    assert!(error.contains("ConnectionLimitReached"), "{error}");
    let begun = Instant::now();
    while OPEN.load(Ordering::Acquire) > 0 {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "{} connections outlive their call",
            OPEN.load(Ordering::Acquire)
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn handles_and_headers_are_bounded_by_memory() {
    let small = Quota { memory: Bytes::mib(16), ..quota() };
    expect(Outcome::Ok, small, fetch(&["requests", "100"], &[]));
    let error = expect(Outcome::MemoryExceeded, small, fetch(&["requests", "1000"], &[])).error.unwrap();
    assert!(error.contains("handles"), "{error}");
    expect(Outcome::Ok, quota(), fetch(&["fields", "20"], &[]));
    // This version of WASI has no word for it.
    let error = expect(Outcome::Trapped, quota(), fetch(&["fields", "1000"], &[])).error.unwrap();
    assert!(error.contains("total size of fields"), "{error}");
}

#[test]
fn configuration_is_what_the_call_was_given() {
    let mut call = fetch(&["config", "greeting"], &[]);
    call.config = vec![("greeting".to_owned(), "hello".to_owned())];
    assert_eq!(expect(Outcome::Ok, quota(), call).text(), "hello");
    assert_eq!(expect(Outcome::Ok, quota(), fetch(&["config", "greeting"], &[])).text(), "none");
}

#[test]
fn values_are_kept_where_that_is_granted_and_there_is_room() {
    let store = KeyValue::new(Bytes(10_000));
    let keeping = |words: &[&str]| {
        let mut call = fetch(words, &[]);
        call.permissions.keyvalue = true;
        call.keyvalue = Some(store.clone());
        call
    };
    let ok = |words: &[&str]| expect(Outcome::Ok, quota(), keeping(words)).text();
    assert_eq!(ok(&["kept", "a"]), "none");
    ok(&["keep", "a", "one"]);
    assert_eq!(ok(&["kept", "a"]), "one");
    assert_eq!((&*ok(&["count", "n", "3"]), &*ok(&["count", "n", "4"])), ("3", "7"));
    let error = expect(Outcome::ToolError, quota(), keeping(&["count", "a", "1"])).error.unwrap();
    assert!(error.contains("not a number"), "{error}");
    assert_eq!(ok(&["keys"]), "a n");
    let error = expect(Outcome::ToolError, quota(), keeping(&["flood", "100"])).error.unwrap();
    assert!(error.contains("room for 10000 bytes"), "{error}");
    assert_eq!(ok(&["kept", "a"]), "one");

    let error = expect(Outcome::PermissionDenied, quota(), fetch(&["kept", "a"], &[])).error.unwrap();
    assert!(error.contains("keyvalue = true"), "{error}");
    let mut unpermitted = fetch(&["kept", "a"], &[]);
    unpermitted.keyvalue = Some(store);
    expect(Outcome::PermissionDenied, quota(), unpermitted);
}
