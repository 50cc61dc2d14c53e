//! Components that cannot be loaded, and the cache.

use crate::support::{SANDBOX, config, expect, fixture, hostile, quota};
use serde_json::json;
use std::{fs, path::Path, time::Duration};
use tomas_core::{
    amount::{Bytes, Span},
    observation::Outcome,
};
use tomas_sandbox::{CompileConfig, Sandbox, SandboxConfig};

/// The least component there is: a header.
const EMPTY_COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

fn error(bytes: &[u8]) -> String {
    SANDBOX.load(bytes).unwrap_err().to_string()
}

#[test]
fn a_component_says_what_it_exports() {
    let noop = SANDBOX.load(&fixture("noop")).unwrap();
    assert_eq!(noop.exports().len(), 1);
    assert_eq!(noop.exports()[0].name.as_str(), "noop");
    assert_eq!(noop.digest(), blake3::hash(&fixture("noop")).to_hex().to_string());
}

#[test]
fn what_is_no_component_is_named() {
    assert!(error(b"").contains("empty"));
    assert!(error(b"hello").contains("begins with `68 65 6c 6c`"));
    assert!(error(b"(component)").contains("text format is not accepted"));
    assert!(error(b"\0asm").contains("ends within the header"));
    assert!(error(b"\0asm\x01\0\0\0").contains("core WebAssembly module"));
    assert!(error(b"\0asm\x07\0\x01\0").contains("version `07 00 01 00`"));
    assert!(error(EMPTY_COMPONENT).contains("has no function that can be a tool; it exports nothing"));
    let truncated = fixture("noop");
    assert!(error(&truncated[..truncated.len() / 2]).contains("not valid"));
    let missing = SANDBOX.load_file(Path::new("/no/such/tool.wasm")).unwrap_err().to_string();
    assert!(missing.contains("`/no/such/tool.wasm`"), "{missing}");
}

#[test]
fn every_error_gives_a_hint() {
    for bytes in [&b""[..], b"hello", b"\0asm", b"\0asm\x01\0\0\0", b"\0asm\x07\0\x01\0", EMPTY_COMPONENT] {
        let error = error(bytes);
        assert!(error.contains("\nhint: ") && !error.ends_with('.'), "{error}");
    }
}

#[test]
fn an_import_that_nobody_has_is_named() {
    // (component (import "acme:nothing/here@1.0.0" (instance (export "f" (func)))))
    let name = "acme:nothing/here@1.0.0";
    let instance = [0x42, 2, 1, 0x40, 0, 1, 0, 4, 0, 1, b'f', 1, 0];
    let mut bytes = EMPTY_COMPONENT.to_vec();
    bytes.extend([7, 14, 1]); // a type section with one type
    bytes.extend(instance);
    let mut section = vec![1, 0, u8::try_from(name.len()).unwrap()]; // one import, with a plain name
    section.extend(name.bytes());
    section.extend([5, 0]); // an instance of type 0
    bytes.extend([10, u8::try_from(section.len()).unwrap()]);
    bytes.extend(section);
    let error = error(&bytes);
    assert!(error.contains("imports `acme:nothing/here@1.0.0`") && error.contains("tomas:tool"), "{error}");
}

#[test]
fn damaged_components_never_panic_and_never_take_the_host_down() {
    let good = fixture("noop");
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 16).unwrap() % below
    };
    let mut refused = 0;
    for round in 0..400 {
        let mut bytes = good.clone();
        // Half of them early, where the structure is; the child and the checks before it see all of them.
        let reach = if round % 2 == 0 { bytes.len() } else { 4096 };
        for _ in 0..1 + round % 8 {
            bytes[random(reach)] = u8::try_from(random(256)).unwrap();
        }
        if round % 5 == 0 {
            bytes.truncate(random(good.len()));
        }
        match SANDBOX.load(&bytes) {
            Ok(component) => assert!(!component.exports().is_empty()),
            Err(error) => {
                refused += 1;
                assert!(error.to_string().contains("hint: "), "round {round}: {error}");
            }
        }
    }
    assert!(refused > 200, "{refused} of 400");
    expect(Outcome::Ok, quota(), hostile("burn", json!({ "n": 1 })));
}

#[test]
fn compiling_is_limited() {
    let limited = |compile: CompileConfig| {
        let sandbox = Sandbox::new(SandboxConfig { compile, workers: 1, ..config() }).unwrap();
        sandbox.load(&fixture("hostile")).unwrap_err().to_string()
    };
    let compile = config().compile;
    let error = limited(CompileConfig { memory: Bytes::mib(24), ..compile.clone() });
    assert!(error.contains("more than `24MiB`"), "{error}");
    let error = limited(CompileConfig { wall: Span(Duration::from_millis(1)), ..compile.clone() });
    assert!(error.contains("longer than `1ms`"), "{error}");
    let error = limited(CompileConfig { output: Bytes(1000), ..compile.clone() });
    assert!(error.contains("more than `1000`"), "{error}");
    let error = limited(CompileConfig { program: Some("/no/such/compiler".into()), ..compile.clone() });
    assert!(error.contains("`/no/such/compiler`"), "{error}");
    let error = limited(CompileConfig { program: Some("/bin/false".into()), ..compile });
    assert!(error.contains("hint: "), "{error}");
    let small = Sandbox::new(SandboxConfig { max_component: Bytes(1000), ..config() }).unwrap();
    assert!(small.load(&fixture("noop")).unwrap_err().to_string().contains("at most `1000`"));
}

/// A component of so many empty functions: 1.2 MB for 300,000 of them, and a gigabyte to compile.
fn compile_bomb(functions: u32) -> Vec<u8> {
    let number = |mut value: u32| {
        let mut bytes = Vec::new();
        while value >= 0x80 {
            bytes.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
            value >>= 7;
        }
        bytes.push(u8::try_from(value).unwrap());
        bytes
    };
    let section =
        |id: u8, content: &[u8]| [&[id], number(u32::try_from(content.len()).unwrap()).as_slice(), content].concat();
    let count = usize::try_from(functions).unwrap();
    let types = [number(functions), vec![0; count]].concat();
    let bodies = [number(functions), [2, 0, 0x0b].repeat(count)].concat();
    let (kind, types, bodies) = (section(1, &[1, 0x60, 0, 0]), section(3, &types), section(10, &bodies));
    let module = [b"\0asm\x01\0\0\0", kind.as_slice(), &types, &bodies];
    [EMPTY_COMPONENT, &section(1, &module.concat())].concat()
}

#[test]
fn a_compile_bomb_ends_at_the_childs_limits() {
    let bomb = compile_bomb(300_000);
    for (memory, cpu, says) in [(128, 60, "more than `128MiB`"), (3072, 1, "longer than `1s`")] {
        let cpu = Span(Duration::from_secs(cpu));
        let compile = CompileConfig { memory: Bytes::mib(memory), cpu, ..config().compile };
        let sandbox = Sandbox::new(SandboxConfig { compile, workers: 1, ..config() }).unwrap();
        let error = sandbox.load(&bomb).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn machine_code_is_kept_and_damage_is_repaired() {
    let folder = tempfile::tempdir().unwrap();
    let cached = |compile: CompileConfig| {
        let cache_dir = Some(folder.path().join("cache"));
        Sandbox::new(SandboxConfig { cache_dir, compile, workers: 2, ..config() }).unwrap()
    };
    let broken = CompileConfig { program: Some("/no/such/compiler".into()), ..config().compile };
    let noop = fixture("noop");
    assert!(cached(broken.clone()).load(&noop).is_err(), "nothing is kept yet");
    cached(config().compile).load(&noop).unwrap();
    cached(broken.clone()).load(&noop).unwrap();

    let kept = fs::read_dir(folder.path().join("cache")).unwrap().flatten().map(|entry| entry.path());
    let kept: Vec<_> = kept.filter(|path| path.extension().is_some_and(|extension| extension == "cwasm")).collect();
    let (exports, code): (Vec<_>, Vec<_>) =
        kept.into_iter().partition(|path| path.to_string_lossy().contains("-exports"));
    // What is not known of the exports is asked again.
    fs::write(exports.first().unwrap(), "damage").unwrap();
    cached(broken.clone()).load(&noop).unwrap();
    let file = code.first().unwrap();
    let good = fs::read(file).unwrap();
    for bad in [vec![], good[..good.len() / 2].to_vec(), vec![0; good.len()]] {
        fs::write(file, &bad).unwrap();
        assert!(cached(broken.clone()).load(&noop).is_err(), "damaged code is not used");
        cached(config().compile).load(&noop).unwrap();
        assert_eq!(fs::read(file).unwrap().len(), good.len());
    }
}

#[test]
fn a_cache_that_cannot_be_used_is_left_out() {
    let cache_dir = Some("/proc/no/such/place".into());
    let sandbox = Sandbox::new(SandboxConfig { cache_dir, workers: 1, ..config() }).unwrap();
    assert!(sandbox.load(&fixture("noop")).is_ok());
}

#[test]
fn unknown_keys_of_the_configuration_are_errors() {
    let keys = serde_json::to_value(SandboxConfig::default()).unwrap();
    assert!(serde_json::from_value::<SandboxConfig>(keys).is_ok());
    assert!(serde_json::from_value::<SandboxConfig>(json!({ "worker": 1 })).is_err());
}
