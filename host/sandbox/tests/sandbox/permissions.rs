//! What a tool may reach.

use crate::support::{SANDBOX, expect, grant, hostile, quota};
use serde_json::{Value, json};
use std::{fs, os::unix::fs::symlink};
use tomas_core::{
    manifest::{FileAccess, Permissions},
    observation::Outcome,
};
use tomas_sandbox::Call;

fn reading(tool: &str, path: &str, workspace: Option<&std::path::Path>) -> Call {
    let mut call = hostile(tool, json!({ "path": path }));
    call.permissions = Permissions { files: FileAccess::Read, ..Permissions::default() };
    call.workspace = workspace.map(Into::into);
    call
}

#[test]
fn nothing_is_granted_by_default() {
    let seen = |call: Call| expect(Outcome::Ok, quota(), call).result.unwrap();
    let first = seen(hostile("environment", json!({})));
    assert_eq!((&first["arguments"], &first["variables"], &first["time_ms"]), (&json!([]), &json!([]), &json!(0)));
    assert_eq!(first, seen(hostile("environment", json!({}))), "randomness repeats without permission");

    let mut granted = hostile("environment", json!({}));
    granted.permissions = Permissions { clock: true, random: true, ..Permissions::default() };
    let granted: Value = seen(granted);
    assert!(granted["time_ms"].as_u64().unwrap() > 1_700_000_000_000);
    assert_ne!(granted["random"], first["random"]);
}

#[test]
fn a_refused_file_names_the_permission_that_would_allow_it() {
    for path in ["/workspace/a.txt", "/etc/passwd", "a.txt", "../a.txt"] {
        let error = expect(Outcome::PermissionDenied, quota(), hostile("open", json!({ "path": path }))).error.unwrap();
        assert!(error.contains("files = \"read\""), "{path}: {error}");
        let error = expect(Outcome::PermissionDenied, quota(), reading("open", path, None)).error.unwrap();
        assert!(error.contains("grants no folder"), "{path}: {error}");
    }
    // A failure that has nothing to do with files stays what it is.
    expect(Outcome::ToolError, quota(), hostile("bad_result", json!({})));
    expect(Outcome::Trapped, quota(), hostile("panic", json!({})));
}

#[test]
fn the_folder_can_be_read_and_nothing_beyond_it() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("folder");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("a.txt"), "hello").unwrap();
    fs::write(outer.path().join("secret.txt"), "secret").unwrap();
    symlink("../secret.txt", folder.join("link.txt")).unwrap();
    symlink("/etc/passwd", folder.join("absolute.txt")).unwrap();
    let folder = Some(folder.as_path());

    let observation = expect(Outcome::Ok, quota(), reading("open", "/workspace/a.txt", folder));
    assert_eq!(observation.text(), "5 bytes");
    for path in ["/workspace/../secret.txt", "/workspace/link.txt", "/workspace/absolute.txt"] {
        let error = expect(Outcome::PermissionDenied, quota(), reading("open", path, folder)).error.unwrap();
        assert!(error.contains("inside `/workspace`"), "{path}: {error}");
    }
    // Outside every granted folder the C library refuses without asking the host.
    expect(Outcome::ToolError, quota(), reading("open", "/etc/passwd", folder));
    let missing = expect(Outcome::ToolError, quota(), reading("open", "/workspace/none.txt", folder));
    assert!(missing.error.unwrap().contains("none.txt"));
}

#[test]
fn nothing_can_be_written() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.txt"), "hello").unwrap();
    for path in ["/workspace/a.txt", "/workspace/new.txt"] {
        expect(Outcome::PermissionDenied, quota(), reading("write", path, Some(folder.path())));
    }
    assert_eq!(fs::read_to_string(folder.path().join("a.txt")).unwrap(), "hello");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_fifo_in_the_folder_blocks_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let made = std::process::Command::new("mkfifo").arg(folder.path().join("pipe")).status().unwrap();
    assert!(made.success());
    expect(Outcome::PermissionDenied, quota(), reading("open", "/workspace/pipe", Some(folder.path())));
}

#[test]
fn a_folder_that_is_not_there_is_the_hosts_error() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let call = reading("open", "/workspace/a.txt", Some("/no/such/folder".as_ref()));
    let error = runtime.block_on(SANDBOX.call(grant(quota()), call)).unwrap_err().to_string();
    assert!(error.contains("`/no/such/folder`"), "{error}");
}
