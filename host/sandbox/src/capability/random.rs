//! `wasi:random`: the system's randomness where it is granted, else a sequence that is the same in every call.

use wasmtime::{bail, format_err};
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};

/// The seed of calls without the permission: the fractional part of the golden ratio.
const SEED: u64 = 0x9E37_79B9_7F4A_7C15;

/// The source of one instance.
pub(crate) struct Random {
    real: bool,
    most: u64,
    state: u64,
}

impl Random {
    /// A source of at most `most` bytes at once.
    pub(crate) fn new(real: bool, most: u64) -> Self {
        Self { real, most, state: SEED }
    }

    /// SplitMix64 (Steele, Lea and Flood, 2014).
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(SEED);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        if length > self.most {
            bail!("asked for {length} random bytes at once, at most {} are given", self.most);
        }
        let mut bytes = vec![0; usize::try_from(length)?];
        if self.real {
            getrandom::fill(&mut bytes).map_err(unavailable)?;
        } else {
            bytes.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]));
        }
        Ok(bytes)
    }

    fn word(&mut self) -> wasmtime::Result<u64> {
        if self.real { getrandom::u64().map_err(unavailable) } else { Ok(self.next()) }
    }
}

fn unavailable(error: getrandom::Error) -> wasmtime::Error {
    format_err!("the system has no randomness: {error}")
}

impl random::Host for Random {
    fn get_random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        self.bytes(length)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.word()
    }
}

impl insecure::Host for Random {
    fn get_insecure_random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        self.bytes(length)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.word()
    }
}

impl insecure_seed::Host for Random {
    fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        Ok((self.word()?, self.word()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_permission_every_instance_sees_the_same() {
        let mut sources = [Random::new(false, 100), Random::new(false, 100)];
        let [left, right] = sources.each_mut().map(|source| source.bytes(13).unwrap());
        assert_eq!(left, right);
        assert!(sources.iter_mut().all(|source| source.bytes(101).is_err()));
        let mut real = Random::new(true, 100);
        assert_ne!(real.bytes(32).unwrap(), real.bytes(32).unwrap());
    }
}
