//! What a call may hold and produce: one counter of bytes for memory, one for output.

use std::sync::atomic::{AtomicU64, Ordering};
use tomas_core::amount::Bytes;

/// Memory of a call: linear memories and tables of all its instances, and lists on their way between them.
#[derive(Debug)]
pub(crate) struct Memory {
    limit: u64,
    used: AtomicU64,
    peak: AtomicU64,
    /// Bytes of the largest request that was refused; 0 when none was.
    refused: AtomicU64,
}

impl Memory {
    pub(crate) fn new(limit: Bytes) -> Self {
        Self { limit: limit.0, used: AtomicU64::new(0), peak: AtomicU64::new(0), refused: AtomicU64::new(0) }
    }

    /// Takes `bytes`, or notes that they were refused.
    pub(crate) fn take(&self, bytes: u64) -> bool {
        let grown = |used: u64| used.checked_add(bytes).filter(|sum| *sum <= self.limit);
        match self.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, grown) {
            Ok(before) => {
                self.peak.fetch_max(before + bytes, Ordering::AcqRel);
                true
            }
            Err(_) => {
                self.refused.fetch_max(bytes.max(1), Ordering::AcqRel);
                false
            }
        }
    }

    /// Gives `bytes` back.
    pub(crate) fn give(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::AcqRel);
    }

    /// Notes a request of `bytes` that was refused elsewhere.
    pub(crate) fn refuse(&self, bytes: u64) {
        self.refused.fetch_max(bytes.max(1), Ordering::AcqRel);
    }

    /// Most bytes held at once.
    pub(crate) fn peak(&self) -> u64 {
        self.peak.load(Ordering::Acquire)
    }

    /// Bytes of the largest request that was refused, if one was.
    pub(crate) fn refused(&self) -> Option<u64> {
        Some(self.refused.load(Ordering::Acquire)).filter(|bytes| *bytes > 0)
    }
}

/// Bytes that leave a call: result, standard streams, log, blobs written.
#[derive(Debug)]
pub(crate) struct Output {
    limit: u64,
    used: AtomicU64,
}

impl Output {
    pub(crate) fn new(limit: Bytes) -> Self {
        Self { limit: limit.0, used: AtomicU64::new(0) }
    }

    /// Takes as many of `bytes` as still fit and returns how many those are.
    pub(crate) fn take(&self, bytes: u64) -> u64 {
        let used = |used: u64| Some(used.saturating_add(bytes).min(self.limit));
        let before = self.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, used).unwrap_or(self.limit);
        bytes.min(self.limit.saturating_sub(before))
    }

    /// Gives back what was taken and did not leave.
    pub(crate) fn give(&self, bytes: u64) {
        let used = |used: u64| Some(used.saturating_sub(bytes));
        let _ = self.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, used);
    }

    /// Bytes that still fit.
    pub(crate) fn left(&self) -> u64 {
        self.limit.saturating_sub(self.used())
    }

    /// Bytes taken so far.
    pub(crate) fn used(&self) -> u64 {
        self.used.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_exact_to_the_byte() {
        let memory = Memory::new(Bytes(100));
        assert!(memory.take(60) && memory.take(40));
        assert_eq!(memory.refused(), None);
        assert!(!memory.take(1));
        memory.give(60);
        assert!(!memory.take(61) && memory.take(60));
        assert_eq!((memory.peak(), memory.refused()), (100, Some(61)));
        assert!(!memory.take(u64::MAX));
    }

    #[test]
    fn output_takes_what_fits() {
        let output = Output::new(Bytes(10));
        assert_eq!([output.take(6), output.take(6), output.take(1)], [6, 4, 0]);
        assert_eq!(output.used(), 10);
    }
}
