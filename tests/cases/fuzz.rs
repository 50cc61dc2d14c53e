//! What the fuzzers of `tests/fuzz` begin with, and mutations of it, run as ordinary tests: the same functions, without a
//! toolchain for fuzzing. Those of the sandbox are in `host/sandbox/src/fuzz.rs`.

use replay::replay;

#[path = "../fuzz/targets/manifest.rs"]
mod manifest;
#[path = "../fuzz/targets/mcp.rs"]
mod mcp;
#[path = "../fuzz/targets/policy.rs"]
mod policy;
#[path = "../fuzz/replay.rs"]
mod replay;

#[test]
fn seeds_of_manifests_and_what_becomes_of_them() {
    replay("manifest", manifest::run);
}

#[test]
fn seeds_of_policies_and_what_becomes_of_them() {
    replay("policy", policy::run);
}

#[test]
fn seeds_of_mcp_and_what_becomes_of_them() {
    replay("mcp", mcp::run);
}
