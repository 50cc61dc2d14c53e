//! The rooms of the house: who may know whom (`docs/architecture.md`), held by cargo's own metadata and the sources.

use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Direct dependencies of every package of the workspace, those for tests left out.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["metadata", "--format-version", "1", "--no-deps", "--offline"];
    let output = Command::new(cargo).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let name = |v: &Value| v["name"].as_str().unwrap().to_owned();
    let normal =
        |p: &Value| p["dependencies"].as_array().unwrap().iter().filter(|d| d["kind"].is_null()).map(name).collect();
    metadata["packages"].as_array().unwrap().iter().map(|p| (name(p), normal(p))).collect()
}

/// Sources of one folder, tests left out.
fn sources(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let skip = ["target", "tests", "examples"].iter().any(|s| path.ends_with(s));
            if !skip {
                open.extend(fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
            }
        } else if path.extension().is_some_and(|e| e == "rs") && !path.to_string_lossy().ends_with("tests.rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn rooms_know_only_whom_they_may() {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("tomas-core", &[][..]),
        ("tomas-bindings", &[]),
        ("tomas-nn", &[]),
        ("tomas-sandbox", &["tomas-core", "tomas-bindings"]),
        ("tomas-planner", &["tomas-core", "tomas-nn"]),
        ("tomas-accelerator", &["tomas-core", "tomas-nn"]),
        ("tomas-authoring", &[]),
        ("tomas-distribution", &[]),
        ("tomas-trainer", &["tomas-core", "tomas-nn", "tomas-planner"]),
        (
            "tomas-host",
            &[
                "tomas-core",
                "tomas-sandbox",
                "tomas-planner",
                "tomas-accelerator",
                "tomas-authoring",
                "tomas-distribution",
                "tomas-trainer",
            ],
        ),
    ]);
    let all = dependencies();
    for (package, known) in &all {
        if package == "tomas-tests" {
            continue;
        }
        let may = allowed.get(package.as_str()).unwrap_or_else(|| panic!("package `{package}` has no room here yet"));
        for dependency in known.iter().filter(|d| d.starts_with("tomas-")) {
            assert!(may.contains(&dependency.as_str()), "`{package}` must not know `{dependency}`");
        }
    }
    assert_eq!(all.len(), allowed.len() + 1, "every package of the table is there, and the tests");
}

#[test]
fn heavy_dependencies_live_in_one_room_each() {
    let rooms: [(&[&str], &[&str]); 10] = [
        (
            &["wasmtime", "wasmtime-wasi", "wasmtime-wasi-config", "wasmtime-wasi-http"],
            &["tomas-sandbox", "tomas-bindings"],
        ),
        (&["candle-core", "candle-nn", "candle-transformers", "tokenizers", "gemm", "safetensors"], &["tomas-nn"]),
        (&["llguidance", "toktrie", "bm25"], &["tomas-planner"]),
        (&["cudarc"], &["tomas-accelerator"]),
        (&["wit-parser", "wit-component", "wit-bindgen-c"], &["tomas-authoring"]),
        (&["ureq", "ed25519-dalek", "sha2"], &["tomas-distribution"]),
        (&["axum", "rmcp", "sqlx", "clap", "mimalloc", "tower-http", "serde-saphyr"], &["tomas-host"]),
        (&["rustls"], &["tomas-distribution"]),
        (&["tokio-rustls"], &["tomas-sandbox"]),
        (&["tokio", "hyper"], &["tomas-sandbox", "tomas-host"]),
    ];
    for (package, known) in dependencies().iter().filter(|(p, _)| *p != "tomas-tests") {
        for (crates, homes) in rooms {
            for heavy in crates.iter().filter(|c| known.contains(**c)) {
                assert!(homes.contains(&package.as_str()), "`{heavy}` belongs to {homes:?}, not to `{package}`");
            }
        }
    }
}

#[test]
fn core_does_no_input_or_output() {
    for path in sources("host/core/src") {
        let text = fs::read_to_string(&path).unwrap();
        for forbidden in
            ["std::fs", "std::net", "std::env", "std::process", "std::thread", "Instant::now", "SystemTime"]
        {
            assert!(!text.contains(forbidden), "{} uses `{forbidden}`", path.display());
        }
    }
}

#[test]
fn serving_does_not_know_training() {
    for folder in ["host/src/server", "host/src/agent"] {
        for path in sources(folder) {
            assert!(!fs::read_to_string(&path).unwrap().contains("tomas_trainer"), "{}", path.display());
        }
    }
}

#[test]
fn every_source_says_what_it_is() {
    for folder in ["host", "trainer", "tests", "guest-tools"] {
        for path in sources(folder) {
            let text = fs::read_to_string(&path).unwrap();
            let first = text.lines().next().unwrap_or_default();
            assert!(first.starts_with("//!"), "{} begins without a module comment", path.display());
        }
    }
}

#[test]
fn the_top_level_is_what_it_was_agreed_to_be() {
    let agreed = BTreeSet::from([
        "Cargo.toml",
        "Cargo.lock",
        "LICENSE",
        "README.md",
        "configs",
        "data",
        "docs",
        "guest-tools",
        "host",
        "rustfmt.toml",
        "tests",
        "trainer",
        "wit",
    ]);
    let listed = Command::new("git").args(["ls-tree", "--name-only", "HEAD"]).current_dir(root()).output();
    // An unpacked archive is no checkout; then there is nothing to compare with.
    let Some(listed) = listed.ok().filter(|o| o.status.success()) else { return };
    for name in String::from_utf8(listed.stdout).unwrap().lines().filter(|n| !n.starts_with('.')) {
        assert!(agreed.contains(name), "`{name}` is not part of the agreed top level");
    }
}

#[test]
fn every_test_that_the_threat_model_names_exists() {
    let text = fs::read_to_string(root().join("docs/threat-model.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| operator |") || line.starts_with("| client |"));
    let cells = rows.filter_map(|row| row.split('|').nth(3));
    let named: BTreeSet<&str> =
        cells.flat_map(|cell| cell.split('`')).filter(|name| name.contains('_') && !name.contains(' ')).collect();
    assert!(named.len() > 30, "{named:?}");
    let mut defined = String::new();
    let mut open = ["host", "tests"].map(|folder| root().join(folder)).to_vec();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|end| end == "rs") {
            defined.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
    let missing: Vec<_> = named.iter().filter(|name| !defined.contains(&format!("fn {name}()"))).collect();
    assert!(missing.is_empty(), "docs/threat-model.md names tests that are not there: {missing:?}");
}
