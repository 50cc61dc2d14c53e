//! How long the calls of a component usually take, which decides where the next one begins.

use std::{
    hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher},
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    time::Duration,
};
use tomas_core::name::ToolName;

/// Calls shorter than this begin on the thread of whoever asks: handing a call to another thread and being woken by it
/// costs about 30 µs.
const SHORT: u32 = 150;

/// Slots for the tools of a component; two tools in one slot share a guess.
const SLOTS: usize = 16;

/// Running means of wall time in microseconds, of the tools of one component. Unknown is as long as can be.
#[derive(Debug)]
pub(crate) struct Pace {
    means: [AtomicU32; SLOTS],
    distrusted: AtomicBool,
}

impl Default for Pace {
    fn default() -> Self {
        Self { means: [const { AtomicU32::new(u32::MAX) }; SLOTS], distrusted: AtomicBool::new(false) }
    }
}

impl Pace {
    fn slot(&self, tool: &ToolName) -> Option<&AtomicU32> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(tool);
        self.means.get(usize::try_from(hash % SLOTS as u64).unwrap_or(0))
    }

    /// Whether calls of this tool have been short of late.
    pub(crate) fn is_short(&self, tool: &ToolName) -> bool {
        let mean = self.slot(tool).map_or(u32::MAX, |slot| slot.load(Ordering::Relaxed));
        mean < SHORT && !self.distrusted.load(Ordering::Relaxed)
    }

    /// Never again.
    pub(crate) fn distrust(&self) {
        self.distrusted.store(true, Ordering::Relaxed);
    }

    /// Takes in how long a call took. Two threads at once may lose one of the two.
    pub(crate) fn took(&self, tool: &ToolName, time: Duration) {
        let Some(slot) = self.slot(tool) else { return };
        let time = u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
        let mean = match slot.load(Ordering::Relaxed) {
            u32::MAX => time,
            mean => mean / 4 * 3 + time / 4,
        };
        slot.store(mean, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_long_call_sends_the_next_elsewhere() {
        let (pace, tool) = (Pace::default(), "a".parse().unwrap());
        assert!(!pace.is_short(&tool), "nothing is known");
        pace.took(&tool, Duration::from_micros(40));
        assert!(pace.is_short(&tool));
        pace.took(&tool, Duration::from_millis(2));
        assert!(!pace.is_short(&tool));
        (0..20).for_each(|_| pace.took(&tool, Duration::from_micros(40)));
        assert!(pace.is_short(&tool));
        pace.distrust();
        assert!(!pace.is_short(&tool));
    }
}
