//! A policy of wassette: refused in words, or grants that can be said in ours; nothing that it denies by name is granted.

use std::path::Path;
use tomas_core::network::Destination;
use tomas_host::policy::Policy;

/// Reads bytes as a policy.
pub fn run(data: &[u8]) {
    let Ok(policy) = Policy::parse(Path::new("fuzzed.wasm"), data) else { return };
    for destination in &policy.permissions.network {
        let again: Destination = destination.to_string().parse().expect("a destination can be read again");
        assert_eq!(again, *destination);
        assert!(!denied(data, destination), "{destination} is denied and granted");
    }
}

/// Whether a policy has a line that denies exactly this host: the plainest way to say so.
fn denied(data: &[u8], destination: &Destination) -> bool {
    let text = String::from_utf8_lossy(data);
    let Some((_, after)) = text.split_once("\n    deny:\n") else { return false };
    let rules = after.lines().map_while(|line| line.strip_prefix("      - host: "));
    let host = destination.host();
    rules.map(|rule| rule.trim_matches('"')).any(|rule| rule.eq_ignore_ascii_case(&host))
}
