//! A real registry: Debian's `docker-registry`, with a folder of its own.

use super::client::Client;
use std::{
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Who may enter a closed one.
pub const LOGIN: (&str, &str) = ("ada", "pass:word");

/// The login as `htpasswd` writes it.
const HTPASSWD: &str = "ada:$2y$04$tomasHostTestsSaltXXXuAKtq52D9Dty244fYOUsff1WPqBa1Qiy\n";

/// See the module. Dropping it ends it.
pub struct Registry {
    child: Child,
    pub address: String,
    _folder: TempDir,
}

impl Registry {
    /// Starts one that lets everybody in, or only who logs in; `None`, and a word about it, where the program is not
    /// installed.
    pub fn start(closed: bool) -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let Some(program) = std::env::split_paths(&path).map(|p| p.join("docker-registry")).find(|p| p.is_file())
        else {
            #[expect(clippy::print_stderr, reason = "who runs the tests should know")]
            {
                eprintln!("skipped: `docker-registry` is not installed");
            }
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        // Somebody else may take the port before the registry does.
        for _ in 0..5 {
            let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
            let mut child = spawn(&program, folder.path(), &address, closed);
            if answers(&mut child, &address) {
                return Some(Self { child, address, _folder: folder });
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        panic!("`docker-registry` does not start");
    }
}

fn spawn(program: &Path, folder: &Path, address: &str, closed: bool) -> Child {
    let shown = folder.display();
    let mut config = format!(
        "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {shown}/data\n\
         http:\n  addr: {address}\n"
    );
    if closed {
        std::fs::write(folder.join("htpasswd"), HTPASSWD).unwrap();
        config.push_str(&format!("auth:\n  htpasswd:\n    realm: tests\n    path: {shown}/htpasswd\n"));
    }
    let path = folder.join("config.yml");
    std::fs::write(&path, config).unwrap();
    let quiet = || Stdio::null();
    Command::new(program).arg("serve").arg(path).stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn().unwrap()
}

fn answers(child: &mut Child, address: &str) -> bool {
    let deadline = Instant::now() + Duration::from_secs(20);
    let client = Client { address: address.to_owned() };
    while Instant::now() < deadline && child.try_wait().unwrap().is_none() {
        if std::net::TcpStream::connect(address).is_ok() {
            return matches!(client.get("/v2/").status, 200 | 401);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
