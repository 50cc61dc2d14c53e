//! What a call saw of the world, recorded so that it can be run again to the same bits: clocks, randomness, what was waited
//! for came first, and what servers answered. All else that a call depends on is in the [`Call`](crate::Call) itself.
//!
//! A fork-join worker's shard is a lane of its own, because shards run in any order.

use crate::cancel::lock;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock},
};
use tomas_core::amount::Bytes;

/// Most bytes that a recording may come to; a call that sees more of the world cannot be replayed.
const MOST: Bytes = Bytes::mib(64);

/// What one recorded value costs.
const VALUE: usize = 8;

/// A recorder, or what plays a recording. Clones are the same tape.
#[derive(Debug, Clone)]
pub struct Tape(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    replays: bool,
    state: Mutex<State>,
    diverged: OnceLock<String>,
}

#[derive(Debug, Default)]
struct State {
    track: Track,
    used: usize,
}

/// A recording.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Track {
    /// What randomness followed from, in hexadecimal; none where none was drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seed: Option<String>,
    /// By number: 0 for the call itself, others for the shards of its workers.
    #[serde(default)]
    lanes: BTreeMap<u64, Lane>,
    /// Why it is not the whole call, if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    incomplete: Option<String>,
}

/// What one thread of execution saw, each list in the order of its questions; replaying takes from the front.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Lane {
    /// Nanoseconds since the Unix epoch.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    wall: Vec<u64>,
    /// Nanoseconds of the monotonic clock.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    monotonic: Vec<u64>,
    /// Which of those waited for were ready.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    polls: Vec<Vec<u32>>,
    /// Requests and their answers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    http: Vec<Exchange>,
}

/// A request and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exchange {
    /// `GET https://example.org/path`
    pub(crate) request: String,
    pub(crate) answer: Answer,
}

/// What a server answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Answer {
    /// Nothing yet, or nothing at all before the call ended.
    None,
    /// No response, and why.
    Error(String),
    /// A response.
    Response {
        status: u16,
        /// Names, and values in base64.
        headers: Vec<(String, String)>,
        /// The body as it arrived, in base64.
        frames: Vec<String>,
        /// Why the body ended early, if it did.
        error: Option<String>,
        /// Whether all of it was read.
        ended: bool,
    },
}

/// Which exchange of a tape.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    lane: u64,
    index: usize,
}

/// What is asked of a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    Wall,
    Monotonic,
}

impl Tape {
    /// A tape that records.
    #[must_use]
    pub fn recorder() -> Self {
        Self(Arc::new(Inner { replays: false, state: Mutex::default(), diverged: OnceLock::new() }))
    }

    /// A tape that plays a recording.
    ///
    /// # Errors
    /// When the recording is not the whole call: why.
    pub fn player(mut track: Track) -> Result<Self, String> {
        if let Some(why) = track.incomplete {
            return Err(why);
        }
        for lane in track.lanes.values_mut() {
            lane.wall.reverse();
            lane.monotonic.reverse();
            lane.polls.reverse();
            lane.http.reverse();
        }
        let state = Mutex::new(State { track, used: 0 });
        Ok(Self(Arc::new(Inner { replays: true, state, diverged: OnceLock::new() })))
    }

    /// What was recorded.
    #[must_use]
    pub fn track(&self) -> Track {
        lock(&self.0.state).track.clone()
    }

    /// How a replayed call asked for something else than the recorded one, if it did.
    #[must_use]
    pub fn diverged(&self) -> Option<&str> {
        self.0.diverged.get().map(String::as_str)
    }

    pub(crate) fn replays(&self) -> bool {
        self.0.replays
    }

    pub(crate) fn diverge(&self, how: String) {
        let _ = self.0.diverged.set(how);
    }

    /// Says why the recording is not the whole call.
    pub(crate) fn lacks(&self, why: &str) {
        lock(&self.0.state).track.incomplete.get_or_insert_with(|| why.to_owned());
    }

    /// The seed of the call: `fresh` where it is recorded.
    pub(crate) fn seed(&self, fresh: impl FnOnce() -> [u8; 32]) -> [u8; 32] {
        let mut state = lock(&self.0.state);
        let known = state.track.seed.as_deref().and_then(|hex| blake3::Hash::from_hex(hex).ok());
        match known {
            Some(seed) => *seed.as_bytes(),
            None if self.0.replays => {
                drop(state);
                self.diverge("it draws randomness, which the recorded call did not".to_owned());
                [0; 32]
            }
            None => {
                let seed = fresh();
                state.track.seed = Some(blake3::Hash::from_bytes(seed).to_hex().to_string());
                seed
            }
        }
    }

    /// What a clock shows: `now` where it is recorded.
    pub(crate) fn time(&self, lane: u64, clock: Clock, now: impl FnOnce() -> u64) -> u64 {
        let mut state = lock(&self.0.state);
        if self.0.replays {
            let lane = state.track.lanes.entry(lane).or_default();
            let times = if clock == Clock::Wall { &mut lane.wall } else { &mut lane.monotonic };
            // The last one stays for whoever asks too often.
            let time = if times.len() > 1 { times.pop() } else { times.first().copied() };
            drop(state);
            return time.unwrap_or_else(|| {
                self.diverge("it reads a clock that the recorded call did not read".to_owned());
                0
            });
        }
        let now = now();
        if state.takes(VALUE) {
            let lane = state.track.lanes.entry(lane).or_default();
            if clock == Clock::Wall { &mut lane.wall } else { &mut lane.monotonic }.push(now);
        }
        now
    }

    /// Records which of those waited for were ready.
    pub(crate) fn polled(&self, lane: u64, ready: &[u32]) {
        let mut state = lock(&self.0.state);
        if state.takes(VALUE * (ready.len() + 1)) {
            state.track.lanes.entry(lane).or_default().polls.push(ready.to_vec());
        }
    }

    /// Which of those waited for were ready, when it is replayed.
    pub(crate) fn poll(&self, lane: u64) -> Option<Vec<u32>> {
        let ready = lock(&self.0.state).track.lanes.get_mut(&lane).and_then(|lane| lane.polls.pop());
        if ready.is_none() {
            self.diverge("it waits more often than the recorded call".to_owned());
        }
        ready
    }

    /// Records a request; its answer follows.
    pub(crate) fn asked(&self, lane: u64, request: String) -> Option<Place> {
        let mut state = lock(&self.0.state);
        if !state.takes(request.len() + 64) {
            return None;
        }
        let exchanges = &mut state.track.lanes.entry(lane).or_default().http;
        exchanges.push(Exchange { request, answer: Answer::None });
        Some(Place { lane, index: exchanges.len() - 1 })
    }

    /// Records of an answer what is `bytes` long.
    pub(crate) fn answered(&self, place: Place, bytes: usize, note: impl FnOnce(&mut Answer)) {
        let mut state = lock(&self.0.state);
        if state.takes(bytes) {
            let exchange = state.track.lanes.get_mut(&place.lane).and_then(|lane| lane.http.get_mut(place.index));
            if let Some(exchange) = exchange {
                note(&mut exchange.answer);
            }
        }
    }

    /// What came of a request when it was recorded.
    pub(crate) fn answer(&self, lane: u64, request: &str) -> Option<Answer> {
        let exchange = lock(&self.0.state).track.lanes.get_mut(&lane).and_then(|lane| lane.http.pop());
        match exchange {
            Some(exchange) if exchange.request == request => Some(exchange.answer),
            Some(other) => {
                self.diverge(format!("it asks for `{request}`, where the recorded call asked for `{}`", other.request));
                None
            }
            None => {
                self.diverge(format!("it asks for `{request}`, which the recorded call did not"));
                None
            }
        }
    }
}

impl State {
    /// Makes room for bytes, or notes that there is none.
    fn takes(&mut self, bytes: usize) -> bool {
        self.used = self.used.saturating_add(bytes);
        let fits = self.used as u64 <= MOST.0;
        if !fits {
            self.track.incomplete.get_or_insert_with(|| format!("the call saw more of the world than {MOST}"));
        }
        fits && self.track.incomplete.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_recorded_is_played_in_order() {
        let tape = Tape::recorder();
        assert_eq!(tape.time(0, Clock::Wall, || 5), 5);
        assert_eq!(tape.time(0, Clock::Wall, || 7), 7);
        assert_eq!(tape.time(3, Clock::Wall, || 9), 9);
        tape.polled(0, &[1, 2]);
        assert_eq!(tape.seed(|| [4; 32]), [4; 32]);
        let place = tape.asked(0, "GET /".to_owned()).unwrap();
        tape.answered(place, 3, |answer| *answer = Answer::Error("no".to_owned()));

        let text = serde_json::to_string(&tape.track()).unwrap();
        let tape = Tape::player(serde_json::from_str(&text).unwrap()).unwrap();
        let time = |lane| tape.time(lane, Clock::Wall, || panic!("the recorded time is there"));
        assert_eq!((time(0), time(0), time(3)), (5, 7, 9));
        assert_eq!(tape.poll(0), Some(vec![1, 2]));
        assert_eq!(tape.seed(|| panic!("the seed is there")), [4; 32]);
        assert_eq!(tape.answer(0, "GET /"), Some(Answer::Error("no".to_owned())));
        assert_eq!(tape.diverged(), None);
        assert_eq!(tape.answer(0, "GET /again"), None);
        assert!(tape.diverged().is_some_and(|how| how.contains("GET /again")));
    }

    #[test]
    fn a_recording_that_is_too_long_is_none() {
        let tape = Tape::recorder();
        for _ in 0..3 {
            tape.asked(0, "x".repeat(30 << 20));
        }
        let track = tape.track();
        assert_eq!(track.lanes[&0].http.len(), 2);
        assert!(Tape::player(track).unwrap_err().contains("64MiB"));
    }
}
