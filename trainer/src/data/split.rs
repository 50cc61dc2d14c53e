//! Splits: which template and which value belongs to training, development or test.
//!
//! Membership is a function of the text alone, so it never changes when data is added. A held-out sample takes both its
//! template and its open values from the held-out side; [`super::overlap`] checks that no sample breaks this.

use serde::{Deserialize, Serialize};

/// A side of the split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// What weights are fitted on.
    Train,
    /// What thresholds and designs are chosen on.
    Dev,
    /// What is looked at once.
    Test,
}

impl Split {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Train, Self::Dev, Self::Test];

    /// The file stem and JSON name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Dev => "dev",
            Self::Test => "test",
        }
    }

    /// The side of a text: 90 % train, 5 % dev, 5 % test by BLAKE3 of its lower-case form.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let hash = blake3::hash(text.to_lowercase().as_bytes());
        let bytes = hash.as_bytes();
        let [a, b, ..] = *bytes;
        match u16::from_le_bytes([a, b]) % 100 {
            0..90 => Self::Train,
            90..95 => Self::Dev,
            _ => Self::Test,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_as_documented() {
        let n = 20_000;
        let count = |s| (0..n).filter(|i| Split::of(&format!("text {i}")) == s).count();
        assert!((17_600..18_400).contains(&count(Split::Train)));
        assert!((850..1_150).contains(&count(Split::Dev)));
        assert!((850..1_150).contains(&count(Split::Test)));
    }

    #[test]
    fn case_does_not_move_a_text() {
        assert_eq!(Split::of("Paris"), Split::of("paris"));
    }
}
