//! The corpus of hostile components: each is loaded and called under a small quota beside a neighbour that behaves, ends as
//! the table says, and the neighbour notices nothing.
//!
//! An entry is a line of [`entries`](entries::ALL); what it is made of is a file of `tests/hostile`, a function of [`made`],
//! or a fixture of `guest-tools`. `TOMAS_HOSTILE=NAME cargo test --test hostile` runs those whose name contains it.
//!
//! It is a program of its own, so that it disturbs no test that looks at times.
#![allow(missing_docs, clippy::unwrap_used)]

mod entries;
mod entry;
mod made;
mod neighbour;
#[path = "../sandbox/support.rs"]
#[allow(dead_code, reason = "shared with the other tests of the sandbox")]
mod support;
mod world;

use entries::all;
use entry::{Ends, Entry, Made};
use std::{
    collections::BTreeSet,
    fs,
    path::PathBuf,
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use world::World;

/// What the corpus must have at least one entry of.
const KINDS: [&str; 27] = [
    "memory growth",
    "table growth",
    "endless start",
    "endless host calls",
    "endless computing",
    "sleep for ever",
    "deep recursion",
    "giant lists",
    "forged values",
    "misbehaving cabi_realloc",
    "post-return",
    "handle flood",
    "stdout flood",
    "disk flood",
    "header and body flood",
    "random(2^40)",
    "symlink and truncate escape",
    "timestamps",
    "compile bomb",
    "type bomb",
    "10,000 imports",
    "imports",
    "truncated and mutated bytes",
    "shared memory and memory64",
    "nested components",
    "duplicate, confusable and reserved names",
    "traps",
];

/// Entries run at once.
const LANES: usize = 2;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/hostile")
}

#[test]
fn every_hostile_component_ends_as_it_should_and_no_neighbour_notices() {
    let only = std::env::var("TOMAS_HOSTILE").ok();
    let entries: Vec<Entry> =
        all().into_iter().filter(|entry| only.as_ref().is_none_or(|only| entry.name.contains(only))).collect();
    let (world, next, faults) = (World::new(), AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..LANES {
            scope.spawn(|| {
                while let Some(entry) = entries.get(next.fetch_add(1, Ordering::Relaxed)) {
                    faults.lock().unwrap().extend(world.attack(entry));
                }
            });
        }
    });
    if only.is_some() {
        #[expect(clippy::print_stderr, reason = "who runs one entry wants to know what it took")]
        {
            eprintln!("{}", peak());
        }
    }
    let faults = faults.into_inner().unwrap();
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), entries.len(), faults.join("\n"));
}

/// What this process needed at most, as the system words it.
fn peak() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    status.lines().find(|line| line.starts_with("VmHWM:")).unwrap().to_owned()
}

#[test]
fn the_host_needs_little_memory_beside_what_calls_are_granted() {
    // A text that becomes many times as long as JSON, and kilobytes of types that stand for a quarter of a million parts.
    for name in ["giant_text", "type_of_many", "type_of_long_names", "giant_list"] {
        let mut alone = Command::new(std::env::current_exe().unwrap());
        alone.args(["--exact", "every_hostile_component_ends_as_it_should_and_no_neighbour_notices", "--nocapture"]);
        let output = alone.env("TOMAS_HOSTILE", name).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {told}");
        let peak = told.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        let peak: u64 = peak.unwrap_or_else(|| panic!("{name}: {told}")).parse().unwrap();
        assert!(peak < 128 << 10, "{name}: the host needed {peak} KiB");
    }
}

#[test]
fn the_corpus_has_every_kind_of_attack_and_every_file() {
    let entries = all();
    let kinds: BTreeSet<&str> = entries.iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, BTreeSet::from(KINDS));
    let names: BTreeSet<String> = entries.iter().map(|entry| entry.name.to_owned()).collect();
    assert_eq!(names.len(), entries.len(), "two entries have one name");
    let used: BTreeSet<String> = entries
        .iter()
        .filter_map(|entry| if let Made::File(name) = entry.made { Some(name.to_owned()) } else { None })
        .collect();
    let files: BTreeSet<String> = fs::read_dir(folder())
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "wat"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(used, files);
    // What is refused says so in words, and what runs has an outcome of its own.
    for entry in &entries {
        assert!(matches!(&entry.ends, Ends::Refused(says) | Ends::As(_, says) if !says.is_empty()), "{}", entry.name);
    }
}
