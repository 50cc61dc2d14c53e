//! `wasi:random`: a sequence that follows from a seed, which is drawn from the system where randomness is granted, and else is
//! the same in every call. So every call can be replayed.
//!
//! The sequence is BLAKE3 in keyed mode as an extendable output function, which is indistinguishable from randomness to whoever
//! does not know the seed.

use crate::context::Context;
use std::sync::Arc;
use wasmtime::{bail, format_err};
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};

/// The seed of calls without the permission: the fractional part of the golden ratio, and zeros.
const SEED: [u8; 32] = {
    let golden = 0x9E37_79B9_7F4A_7C15_u64.to_le_bytes();
    let mut seed = [0; 32];
    let mut at = 0;
    while at < golden.len() {
        seed[at] = golden[at];
        at += 1;
    }
    seed
};

/// The source of one instance.
pub(crate) struct Random {
    context: Arc<Context>,
    lane: u64,
    /// Where the sequence is; begun when the guest first asks.
    at: Option<blake3::OutputReader>,
}

impl Random {
    /// A source for a lane of the call: the call itself, or a shard of its workers.
    pub(crate) const fn new(context: Arc<Context>, lane: u64) -> Self {
        Self { context, lane, at: None }
    }

    /// Begins the sequence of another lane.
    pub(crate) fn enter(&mut self, lane: u64) {
        (self.lane, self.at) = (lane, None);
    }

    fn reader(&mut self) -> wasmtime::Result<&mut blake3::OutputReader> {
        if self.at.is_none() {
            let seed = if self.context.given.permissions.random { self.context.seed()? } else { SEED };
            let mut hasher = blake3::Hasher::new_keyed(&seed);
            self.at = Some(hasher.update(&self.lane.to_le_bytes()).finalize_xof());
        }
        self.at.as_mut().ok_or_else(|| format_err!("there is no randomness"))
    }

    fn bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        let most = self.context.core.config.max_random.0;
        if length > most {
            bail!("asked for {length} random bytes at once, at most {most} are given");
        }
        let mut bytes = vec![0; usize::try_from(length)?];
        self.reader()?.fill(&mut bytes);
        Ok(bytes)
    }

    fn word(&mut self) -> wasmtime::Result<u64> {
        let mut word = [0; 8];
        self.reader()?.fill(&mut word);
        Ok(u64::from_le_bytes(word))
    }
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
