//! See `host/sandbox/src/fuzz.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tomas_sandbox::fuzz::component(data));
