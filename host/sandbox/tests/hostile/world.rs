//! Where attacks happen: a sandbox with small limits, a folder beside a secret, and a neighbour.

use super::{
    entry::{Ends, Entry, Folder, Made},
    folder,
    neighbour::{self, Seen},
};
use crate::support::{config, fixture, grant};
use std::{
    fs,
    net::TcpListener,
    os::unix::fs::symlink,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};
use tempfile::TempDir;
use tomas_core::{
    amount::{Bytes, MilliCpu, Span},
    manifest::FileAccess,
    observation::Outcome,
    quota::Quota,
};
use tomas_sandbox::{
    Call, CompileConfig, LoadError, LoadedComponent, Room, Sandbox, SandboxConfig, SandboxError, Workspace,
};

/// What every attack gets.
const QUOTA: Quota = Quota {
    cpu: MilliCpu(1000),
    memory: Bytes::mib(16),
    gpu_sms: 0,
    gpu_memory: Bytes(0),
    deadline: Span(Duration::from_millis(300)),
    output: Bytes(64 << 10),
};

/// See the module.
pub(crate) struct World {
    sandbox: Sandbox,
    noop: Arc<LoadedComponent>,
    /// Where a server reads all that it is sent, and says nothing.
    drain: u16,
    _cache: TempDir,
}

/// A folder that a call may have, and what is beside it and must stay as it is.
struct Ground(TempDir);

impl Ground {
    fn new() -> Self {
        let outer = tempfile::tempdir().unwrap();
        let inner = outer.path().join("folder");
        fs::create_dir(&inner).unwrap();
        fs::write(outer.path().join("secret.txt"), "secret").unwrap();
        fs::write(inner.join("a.txt"), "hello").unwrap();
        symlink("../secret.txt", inner.join("link.txt")).unwrap();
        symlink("..", inner.join("up")).unwrap();
        symlink("loop", inner.join("loop")).unwrap();
        let old = fs::File::create(inner.join("old.txt")).unwrap();
        // Before anything that a clock of WASI can show.
        old.set_modified(SystemTime::UNIX_EPOCH - Duration::from_secs(1 << 33)).unwrap();
        Self(outer)
    }

    fn unharmed(&self) -> bool {
        fs::read_to_string(self.0.path().join("secret.txt")).is_ok_and(|text| text == "secret")
            && fs::read_dir(self.0.path()).unwrap().count() == 2
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let cache = tempfile::tempdir().unwrap();
        let compile = CompileConfig {
            memory: Bytes::mib(256),
            cpu: Span(Duration::from_secs(3)),
            wall: Span(Duration::from_secs(20)),
            ..config().compile
        };
        let cache_dir = Some(cache.path().join("cache"));
        let sandbox = Sandbox::new(SandboxConfig { compile, cache_dir, ..config() }).unwrap();
        let noop = sandbox.load(&fixture("noop")).unwrap();
        for name in ["hostile", "program", "fetch", "service"] {
            sandbox.load(&fixture(name)).unwrap();
        }
        Self { sandbox, noop, drain: drain(), _cache: cache }
    }

    /// Lets an entry loose and returns what is wrong with how it ended, or with what the neighbour saw.
    pub(crate) fn attack(&self, entry: &Entry) -> Vec<String> {
        let ground = Ground::new();
        let over = AtomicBool::new(false);
        let (ended, mut seen) = std::thread::scope(|scope| {
            let neighbour = scope.spawn(|| neighbour::on_and_on(&self.sandbox, &self.noop, &over));
            let ended = self.ended(entry, &ground);
            over.store(true, Ordering::Release);
            (ended, neighbour.join().unwrap())
        });
        neighbour::once(&self.sandbox, &self.noop, &mut seen);
        let Seen { calls, fault, .. } = seen;
        let mut faults = Vec::new();
        faults.extend(entry.ends.differ(&ended).map(|why| format!("{}: {why}", entry.name)));
        faults.extend(fault.map(|fault| format!("{}: the neighbour noticed, in {calls} calls: {fault}", entry.name)));
        if !ground.unharmed() {
            faults.push(format!("{}: something beside its folder was changed", entry.name));
        }
        faults
    }

    fn ended(&self, entry: &Entry, ground: &Ground) -> Ended {
        let bytes = match entry.made {
            Made::By(make) => make(),
            Made::Fixture(name) => fixture(name),
            Made::File(name) => wat::parse_file(folder().join(format!("{name}.wat"))).unwrap(),
        };
        let component = match self.sandbox.load(&bytes) {
            Ok(component) => component,
            Err(error) => return Ended::Refused(error),
        };
        let arguments = entry.arguments.to_string().replace("drain.test", &format!("localhost:{}", self.drain));
        let mut call = Call::new(component, entry.tool.parse().unwrap(), arguments);
        call.permissions.network = [format!("localhost:{}", self.drain), format!("127.0.0.1:{}", self.drain)]
            .map(|grant| grant.parse().unwrap())
            .into();
        if entry.folder != Folder::None {
            let writes = entry.folder == Folder::Write;
            call.permissions.files = if writes { FileAccess::ReadWrite } else { FileAccess::Read };
            let writable = writes.then(|| Room::new(Bytes(20_000)));
            call.workspace = Some(Workspace { folder: ground.0.path().join("folder"), writable });
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        match runtime.block_on(self.sandbox.call(grant(QUOTA), call)) {
            Ok(finished) => {
                let observation = finished.observation;
                let said = observation.error.or_else(|| observation.result.map(|result| result.to_string()));
                Ended::As(observation.outcome, said.unwrap_or_default())
            }
            Err(error) => Ended::Failed(error),
        }
    }
}

/// Starts a server that reads all that it is sent, and returns its port.
fn drain() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            std::thread::spawn(move || std::io::copy(&mut &connection, &mut std::io::sink()));
        }
    });
    port
}

/// How an entry ended.
enum Ended {
    Refused(LoadError),
    As(Outcome, String),
    /// A fault of the host, which no component may cause.
    Failed(SandboxError),
}

impl Ends {
    /// What differs from what should be.
    fn differ(&self, ended: &Ended) -> Option<String> {
        let fits = match (self, ended) {
            (_, Ended::Refused(LoadError::Sandbox(_)) | Ended::Failed(_)) => false,
            (Self::Refused(says), Ended::Refused(error)) => {
                let error = error.to_string();
                error.contains(says) && error.contains("\nhint: ") && error.len() < 5000
            }
            (Self::As(outcome, says), Ended::As(ended, said)) => {
                outcome == ended && said.contains(says) && said.len() < 70_000 && !said.contains(['\u{1b}', '\r'])
            }
            _ => false,
        };
        (!fits).then(|| match ended {
            Ended::Refused(error) => format!("it was refused: {error:.600}"),
            Ended::As(outcome, said) => format!("it ended `{}`: {said:.600}", outcome.name()),
            Ended::Failed(error) => format!("the host failed: {error}"),
        })
    }
}
