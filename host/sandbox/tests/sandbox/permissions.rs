//! What a tool may reach.

use crate::{
    programs::PROGRAM,
    support::{SANDBOX, expect, grant, hostile, quota},
};
use serde_json::{Value, json};
use std::{fs, os::unix::fs::symlink, path::Path, sync::Arc};
use tomas_core::{
    amount::Bytes,
    manifest::{FileAccess, Permissions},
    observation::Outcome,
    quota::Quota,
};
use tomas_sandbox::{Call, Room, Workspace};

fn reading(tool: &str, path: &str, workspace: Option<&std::path::Path>) -> Call {
    let mut call = hostile(tool, json!({ "path": path }));
    call.permissions = Permissions { files: FileAccess::Read, ..Permissions::default() };
    call.workspace = workspace.map(|folder| Workspace { folder: folder.into(), writable: None });
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

/// A program that works on files in a folder that it may write `room` bytes into.
fn writing(words: &[&str], folder: &Path, room: Option<&Room>) -> Call {
    let arguments = [&["file"], words].concat();
    let mut call =
        Call::new(Arc::clone(&PROGRAM), "run".parse().unwrap(), json!({ "arguments": arguments }).to_string());
    call.permissions = Permissions { files: FileAccess::ReadWrite, ..Permissions::default() };
    call.workspace = Some(Workspace { folder: folder.into(), writable: room.cloned() });
    call
}

#[test]
fn writing_takes_permission_and_room() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let room = Room::new(Bytes(100_000));
    expect(Outcome::Ok, quota(), writing(&["write", "/workspace/a.txt", "hello"], folder, Some(&room)));
    assert_eq!(fs::read_to_string(folder.join("a.txt")).unwrap(), "hello");
    assert_eq!(room.left(), Bytes(100_000 - 4096 - 5));
    expect(Outcome::Ok, quota(), writing(&["rename", "/workspace/a.txt", "/workspace/b.txt"], folder, Some(&room)));
    expect(Outcome::Ok, quota(), writing(&["remove", "/workspace/b.txt"], folder, Some(&room)));
    assert_eq!(fs::read_dir(folder).unwrap().count(), 0);
    // What fails takes no room.
    let left = room.left();
    for words in [&["folders", "/workspace/no/a", "1"], &["write", "/workspace/no/a", "x"]] {
        expect(Outcome::ToolError, quota(), writing(words, folder, Some(&room)));
    }
    assert_eq!(room.left(), left);

    let error = expect(Outcome::PermissionDenied, quota(), writing(&["write", "/workspace/a", "x"], folder, None));
    assert!(error.error.unwrap().contains("--writable"));
    let mut reader = writing(&["write", "/workspace/a", "x"], folder, Some(&room));
    reader.permissions.files = FileAccess::Read;
    let error = expect(Outcome::PermissionDenied, quota(), reader);
    assert!(error.error.unwrap().contains("files = \"read_write\""));
    assert_eq!(fs::read_dir(folder).unwrap().count(), 0);
}

#[test]
fn a_flood_of_the_folder_stops_at_its_room_however_it_comes() {
    for (words, most) in [
        (&["append", "/workspace/a", "1000"][..], 20),
        (&["size", "/workspace/a", "100000"], 20),
        (&["stride", "/workspace/a", "70000", "2"], 20),
        (&["stride", "/workspace/a", "4096", "1000"], 20),
        (&["folders", "/workspace/a", "1000"], 20),
        (&["files", "/workspace/a", "1000"], 20),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let room = Room::new(Bytes(50_000));
        let error =
            expect(Outcome::PermissionDenied, quota(), writing(words, folder.path(), Some(&room))).error.unwrap();
        assert!(error.contains("no more room"), "{words:?}: {error}");
        let entries: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap()).collect();
        assert!(entries.len() <= most, "{words:?}: {} entries", entries.len());
        assert!(
            entries.iter().map(|entry| entry.metadata().unwrap()).filter(|m| m.is_file()).all(|m| m.len() <= 50_000)
        );

        // With room for more than the call may put out, the call ends.
        let folder = tempfile::tempdir().unwrap();
        let (room, small) = (Room::new(Bytes(1 << 40)), Quota { output: Bytes(50_000), ..quota() });
        expect(Outcome::OutputExceeded, small, writing(words, folder.path(), Some(&room)));
    }
}

#[test]
fn links_cannot_be_made_and_nothing_beyond_the_folder_be_written() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("folder");
    fs::create_dir(&folder).unwrap();
    fs::write(outer.path().join("secret.txt"), "secret").unwrap();
    fs::write(folder.join("a.txt"), "hello").unwrap();
    symlink("../secret.txt", folder.join("link.txt")).unwrap();
    let room = Room::new(Bytes(100_000));
    for words in [
        &["symlink", "/etc/passwd", "/workspace/new"][..],
        &["symlink", "../secret.txt", "/workspace/new"],
        &["link", "/workspace/a.txt", "/workspace/new"],
        &["write", "/workspace/link.txt", "gone"],
        &["write", "/workspace/../secret.txt", "gone"],
        &["size", "/workspace/link.txt", "0"],
        &["rename", "/workspace/a.txt", "/workspace/../b.txt"],
        &["remove", "/workspace/../secret.txt"],
    ] {
        let finished = crate::support::run(quota(), writing(words, &folder, Some(&room)));
        assert_ne!(finished.observation.outcome, Outcome::Ok, "{words:?}");
    }
    assert_eq!(fs::read_to_string(outer.path().join("secret.txt")).unwrap(), "secret");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    assert_eq!(fs::read_dir(outer.path()).unwrap().count(), 2);
}

#[test]
fn only_the_environment_that_is_granted_is_seen() {
    let arguments = json!({"arguments": ["environment"]}).to_string();
    let mut call = Call::new(Arc::clone(&PROGRAM), "run".parse().unwrap(), arguments);
    call.environment = vec![("GREETING".to_owned(), "hello".to_owned())];
    assert_eq!(expect(Outcome::Ok, quota(), call).text(), "GREETING=hello");
}
