//! Tools are found, and what speaks against one is said before anything of it is compiled.

use super::*;
use tomas_distribution::{PrivateKey, Signature};
use tomas_sandbox::{CompileConfig, SandboxConfig};

const MANIFEST: &str = "name = \"t\"\ndescription = \"d\"\n[size]\nargument = \"a\"\nmeasure = \"chars\"\nsmall = 1\n\
    medium = 2\n[quota.ceiling]\ncpu = \"1000m\"\nmemory = \"16MiB\"\ndeadline = \"1s\"\n";

#[test]
fn tools_are_found_in_a_folder_of_folders() {
    let root = tempfile::tempdir().unwrap();
    let tool = root.path().join("t");
    std::fs::create_dir_all(&tool).unwrap();
    std::fs::write(tool.join("tool.toml"), MANIFEST).unwrap();
    let found = discover(&[Folder::open(root.path())]).unwrap();
    assert_eq!(found.len(), 1);
    let error = found[0].component().unwrap_err().to_string();
    assert!(error.contains("dist/t.wasm"), "{error}");
    let error = discover(&[Folder::open(root.path()), Folder::open(&tool)]).unwrap_err().to_string();
    assert!(error.starts_with("tool `t` is in"), "{error}");
}

#[test]
fn an_unknown_key_of_a_manifest_is_named() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("tool.toml"), format!("surprise = 1\n{MANIFEST}")).unwrap();
    let error = format!("{:#}", Found::read(root.path()).unwrap_err());
    assert!(error.contains("surprise"), "{error}");
}

/// A sandbox that cannot compile, so that whatever gets as far fails differently.
fn sandbox(cache: &Path) -> Sandbox {
    let compile = CompileConfig { program: Some("/nowhere/compiler".into()), ..CompileConfig::default() };
    Sandbox::new(SandboxConfig { compile, cache_dir: Some(cache.to_owned()), ..SandboxConfig::default() }).unwrap()
}

/// A tool that Ada signed, of a component that is one.
fn signed(folder: &Path, key: &PrivateKey) -> Vec<u8> {
    let component = include_bytes!("../../../guest-tools/dist/fixtures/noop.wasm").to_vec();
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("t.wasm"), &component).unwrap();
    std::fs::write(folder.join("tool.toml"), MANIFEST).unwrap();
    let signature = Signature::sign(key, &component, MANIFEST.as_bytes());
    std::fs::write(folder.join(trust::SIGNATURE), signature.text()).unwrap();
    component
}

/// Why a tool does not load, by any way that there is.
fn refused(found: &Found, sandbox: &Sandbox) -> String {
    let lazy = Lazy::new(found.clone(), String::new());
    let told = format!("{:#}", found.load(sandbox).err().unwrap());
    for other in [found.describe(sandbox).err().unwrap(), lazy.load(sandbox).err().unwrap()] {
        assert_eq!(format!("{other:#}"), told);
    }
    told
}

#[test]
fn a_tampered_component_is_refused_before_it_is_compiled() {
    let root = tempfile::tempdir().unwrap();
    let (folder, sandbox) = (root.path().join("t"), sandbox(&root.path().join("cache")));
    let mut component = signed(&folder, &PrivateKey::generate("ada").unwrap());
    let found = Found::read(&folder).unwrap();
    // As it was signed, it gets as far as the compiler.
    let told = format!("{:#}", found.load(&sandbox).err().unwrap());
    assert!(told.contains("does not load"), "{told}");
    // One bit of a name, so that it still is a component.
    let at = component.len() - 1;
    component[at] ^= 1;
    std::fs::write(folder.join("t.wasm"), &component).unwrap();
    let told = refused(&found, &sandbox);
    assert!(told.contains("the component has digest") && told.contains("`ada` signed"), "{told}");
    assert!(!found.is(blake3::hash(&component).to_hex().as_str(), &sandbox));
    assert!(!told.contains("does not load"), "{told}");
}

#[test]
fn a_manifest_that_grants_more_than_was_signed_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let sandbox = sandbox(&root.path().join("cache"));
    signed(root.path(), &PrivateKey::generate("ada").unwrap());
    let more = format!("{MANIFEST}[permissions]\nfiles = \"read_write\"\n");
    std::fs::write(root.path().join("tool.toml"), more).unwrap();
    let told = refused(&Found::read(root.path()).unwrap(), &sandbox);
    assert!(told.contains("the manifest has digest"), "{told}");
}

#[test]
fn with_trusted_keys_only_what_they_signed_loads() {
    let root = tempfile::tempdir().unwrap();
    let sandbox = sandbox(&root.path().join("cache"));
    let (ada, eve) = (PrivateKey::generate("ada").unwrap(), PrivateKey::generate("ada").unwrap());
    let component = signed(&root.path().join("t"), &ada);
    let found = |keys: Vec<_>| {
        let rules = Arc::new(Rules::of(root.path(), keys).unwrap());
        let folders = [Folder { path: root.path().to_owned(), rules }];
        let found = discover(&folders).unwrap().remove(0);
        assert!(with_components(Vec::new(), &folders, &sandbox).is_empty());
        found
    };
    assert!(found(vec![eve.public(), ada.public()]).bytes(&sandbox).is_ok());
    // Of the same name, but another key.
    let told = refused(&found(vec![eve.public()]), &sandbox);
    assert!(told.contains("it is signed by `ada ed25519:"), "{told}");
    std::fs::remove_file(root.path().join("t").join(trust::SIGNATURE)).unwrap();
    let told = refused(&found(vec![ada.public()]), &sandbox);
    assert!(told.contains("it is not signed"), "{told}");
    // A component alone carries no signature.
    let path = root.path().join("alone.wasm");
    std::fs::write(&path, component).unwrap();
    let folder =
        Folder { path: root.path().to_owned(), rules: Arc::new(Rules::of(root.path(), vec![ada.public()]).unwrap()) };
    let told = format!("{:#}", Found::alone(&path, &folder, &sandbox).unwrap_err());
    assert!(told.contains("it is not signed"), "{told}");
}

#[test]
fn a_damaged_signature_takes_only_its_own_tool_away() {
    let root = tempfile::tempdir().unwrap();
    let sandbox = sandbox(&root.path().join("cache"));
    signed(root.path(), &PrivateKey::generate("ada").unwrap());
    for damage in ["", "\0", "key = 3", &"x".repeat(100_000)] {
        std::fs::write(root.path().join(trust::SIGNATURE), damage).unwrap();
        let told = refused(&Found::read(root.path()).unwrap(), &sandbox);
        assert!(told.contains("its signature is refused: it is no signature"), "{told}");
    }
}

#[test]
fn what_a_lock_does_not_list_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let sandbox = sandbox(&root.path().join("cache"));
    let mut component = signed(&root.path().join("t"), &PrivateKey::generate("ada").unwrap());
    std::fs::write(root.path().join("alone.wasm"), &component).unwrap();
    let lock = crate::lock::of(root.path(), None, &sandbox).unwrap();
    assert_eq!(lock.tools().count(), 2);
    std::fs::write(root.path().join(crate::lock::FILE), lock.text()).unwrap();
    let folder = Folder { path: root.path().to_owned(), rules: Arc::new(Rules::of(root.path(), Vec::new()).unwrap()) };
    let found = discover(std::slice::from_ref(&folder)).unwrap().remove(0);
    assert!(found.bytes(&sandbox).is_ok());
    std::fs::remove_file(root.path().join("t").join(trust::SIGNATURE)).unwrap();
    let found = discover(std::slice::from_ref(&folder)).unwrap().remove(0);
    component.push(0);
    std::fs::write(root.path().join("t/t.wasm"), &component).unwrap();
    let told = refused(&found, &sandbox);
    assert!(told.contains("the component of `t` has digest") && told.contains("tool lock"), "{told}");
    for (name, says) in [("alone.wasm", "the component of `alone`"), ("new.wasm", "`new` is not in it")] {
        std::fs::write(root.path().join(name), &component).unwrap();
        let told = format!("{:#}", Found::alone(&root.path().join(name), &folder, &sandbox).unwrap_err());
        assert!(told.contains(says), "{told}");
    }
    std::fs::write(root.path().join(crate::lock::FILE), "damaged").unwrap();
    assert!(format!("{:#}", Rules::of(root.path(), Vec::new()).unwrap_err()).contains("tools.lock` is refused"));
}
