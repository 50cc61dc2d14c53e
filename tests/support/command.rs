//! What a command that ended must have said.

use std::process::Output;

/// A command that must fail with a clear error.
pub fn fails(output: &Output, code: i32, says: &str) {
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{told}");
    assert!(told.contains(says), "{says}: {told}");
    assert!(!told.contains("panicked"), "{told}");
}

/// What a command that must succeed wrote to standard output.
pub fn stdout(output: &Output) -> String {
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    String::from_utf8(output.stdout.clone()).unwrap()
}
