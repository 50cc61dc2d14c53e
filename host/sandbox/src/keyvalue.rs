//! What a tool keeps from one call to the next.

use crate::cancel::lock;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use tomas_core::amount::Bytes;

/// What an entry counts as besides its key and value, so that empty ones are not free.
const ENTRY: usize = 64;

/// Values by key, of which there is only so much. Clones are the same store; whoever makes it decides which calls share
/// it and for how long it lives.
#[derive(Debug, Clone)]
pub struct KeyValue(Arc<Mutex<Entries>>);

#[derive(Debug)]
struct Entries {
    values: BTreeMap<String, Vec<u8>>,
    used: usize,
    most: usize,
}

/// There is no more room in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the store has room for {most} bytes, of which {used} are used\nhint: delete what is not needed any more")]
pub(crate) struct Full {
    used: usize,
    most: usize,
}

/// Why a value could not be counted up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CountError {
    #[error("the value of `{0}` is not a number")]
    NotANumber(String),
    #[error("the value of `{0}` is too large to be counted up")]
    Overflow(String),
    #[error(transparent)]
    Full(#[from] Full),
}

impl KeyValue {
    /// An empty store for at most so many bytes of keys and values.
    #[must_use]
    pub fn new(most: Bytes) -> Self {
        Self::of(most, BTreeMap::new())
    }

    /// A store that holds these already, whatever they come to.
    #[must_use]
    pub fn of(most: Bytes, values: BTreeMap<String, Vec<u8>>) -> Self {
        let used = values.iter().map(|(key, value)| size(key, value)).sum();
        let most = usize::try_from(most.0).unwrap_or(usize::MAX);
        Self(Arc::new(Mutex::new(Entries { values, used, most })))
    }

    /// What it has room for, and what it holds.
    #[must_use]
    pub fn entries(&self) -> (Bytes, BTreeMap<String, Vec<u8>>) {
        let entries = lock(&self.0);
        (Bytes(entries.most as u64), entries.values.clone())
    }

    pub(crate) fn get(&self, key: &str) -> Option<Vec<u8>> {
        lock(&self.0).values.get(key).cloned()
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        lock(&self.0).values.contains_key(key)
    }

    pub(crate) fn set(&self, key: String, value: Vec<u8>) -> Result<(), Full> {
        lock(&self.0).set(key, value)
    }

    pub(crate) fn delete(&self, key: &str) {
        lock(&self.0).delete(key);
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        lock(&self.0).values.keys().cloned().collect()
    }

    /// Adds to a value that is a number in decimal digits; what is not there is zero.
    pub(crate) fn count(
        &self,
        key: String,
        delta: i128,
        range: std::ops::RangeInclusive<i128>,
    ) -> Result<i128, CountError> {
        let mut entries = lock(&self.0);
        let before = match entries.values.get(&key) {
            None => 0,
            Some(value) => {
                let number = std::str::from_utf8(value).ok().and_then(|text| text.parse::<i128>().ok());
                number.ok_or_else(|| CountError::NotANumber(key.clone()))?
            }
        };
        let after = before.checked_add(delta).filter(|sum| range.contains(sum));
        let after = after.ok_or_else(|| CountError::Overflow(key.clone()))?;
        entries.set(key, after.to_string().into_bytes())?;
        Ok(after)
    }
}

impl Entries {
    fn set(&mut self, key: String, value: Vec<u8>) -> Result<(), Full> {
        let before = self.values.get(&key).map_or(0, |before| size(&key, before));
        let used = self.used - before + size(&key, &value);
        if used > self.most {
            return Err(Full { used: self.used, most: self.most });
        }
        self.used = used;
        self.values.insert(key, value);
        Ok(())
    }

    fn delete(&mut self, key: &str) {
        if let Some(value) = self.values.remove(key) {
            self.used -= size(key, &value);
        }
    }
}

const fn size(key: &str, value: &[u8]) -> usize {
    key.len() + value.len() + ENTRY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_is_exact_and_comes_back() {
        let store = KeyValue::new(Bytes(2 * (ENTRY as u64 + 2)));
        let set = |key: &str, value: &str| store.set(key.to_owned(), value.into());
        set("a", "1").unwrap();
        set("b", "1").unwrap();
        assert!(set("c", "").is_err() && set("a", "12").is_err());
        set("a", "2").unwrap();
        store.delete("b");
        store.delete("b");
        set("c", "3").unwrap();
        assert_eq!(store.keys(), ["a", "c"]);
    }

    #[test]
    fn counting_stays_within_its_range() {
        let store = KeyValue::new(Bytes(1000));
        let count = |delta| store.count("n".to_owned(), delta, 0..=i128::from(u64::MAX));
        assert_eq!((count(3), count(i128::from(u64::MAX) - 3)), (Ok(3), Ok(i128::from(u64::MAX))));
        assert_eq!(count(1), Err(CountError::Overflow("n".to_owned())));
        store.set("n".to_owned(), b"x".into()).unwrap();
        assert_eq!(count(1), Err(CountError::NotANumber("n".to_owned())));
    }
}
