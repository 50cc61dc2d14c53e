//! What a unit measures.

use std::fmt;

/// Exponents of length, mass, time, temperature, data, angle and current.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Dimension([i8; 7]);

const LETTERS: [char; 7] = ['L', 'M', 'T', 'K', 'D', 'A', 'I'];
const NAMES: [(&str, &str); 27] = [
    ("L", "length"),
    ("M", "mass"),
    ("T", "time"),
    ("K", "temperature"),
    ("D", "an amount of data"),
    ("A", "an angle"),
    ("I", "electric current"),
    ("L2", "area"),
    ("L3", "volume"),
    ("L T-1", "speed"),
    ("L-1 T", "pace"),
    ("L T-2", "acceleration"),
    ("T-1", "frequency"),
    ("D T-1", "a data rate"),
    ("M L T-2", "force"),
    ("M L-1 T-2", "pressure"),
    ("M L2 T-2", "energy"),
    ("M L2 T-3", "power"),
    ("L-2", "fuel economy"),
    ("M L-3", "density"),
    ("L3 T-1", "flow"),
    ("M T-1", "mass flow"),
    ("A T-1", "angular speed"),
    ("M L2 T-3 I-1", "voltage"),
    ("M L2 T-3 I-2", "resistance"),
    ("I T", "electric charge"),
    ("M T-2 I-1", "a magnetic field"),
];

impl Dimension {
    /// Reads `M L2 T-2`; what is not understood counts for nothing.
    pub(crate) fn read(text: &str) -> Self {
        let mut exponents = [0; 7];
        for part in text.split_whitespace() {
            let mut chars = part.chars();
            let letter = chars.next();
            let place = LETTERS.iter().position(|known| Some(*known) == letter);
            let exponent = if chars.as_str().is_empty() { 1 } else { chars.as_str().parse().unwrap_or(0) };
            if let Some(slot) = place.and_then(|place| exponents.get_mut(place)) {
                *slot = exponent;
            }
        }
        Self(exponents)
    }

    /// The dimension of a product with the `power`-th power of `other`; `None` when exponents run over.
    pub(crate) fn times(self, other: Self, power: i8) -> Option<Self> {
        let mut exponents = self.0;
        for (exponent, more) in exponents.iter_mut().zip(other.0) {
            *exponent = exponent.checked_add(more.checked_mul(power)?)?;
        }
        Some(Self(exponents))
    }

    /// Whether `other` is the reciprocal of this, as litres per kilometre are of miles per gallon.
    pub(crate) fn reciprocal_of(self, other: Self) -> bool {
        self.0 != [0; 7] && self.0.iter().zip(other.0).all(|(a, b)| i16::from(*a) == -i16::from(b))
    }
}

impl fmt::Display for Dimension {
    /// `length`, `an angle`, or the letters with their exponents.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((_, name)) = NAMES.iter().find(|(letters, _)| Self::read(letters) == *self) {
            return formatter.write_str(name);
        }
        let parts = LETTERS.iter().zip(self.0).filter(|(_, exponent)| *exponent != 0);
        let parts: Vec<String> = parts.map(|(letter, exponent)| format!("{letter}^{exponent}")).collect();
        formatter.write_str(if parts.is_empty() { "a plain number" } else { "a compound of " })?;
        formatter.write_str(&parts.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dimensions_multiply() {
        let length = Dimension::read("L");
        assert_eq!(length.times(Dimension::read("T"), -1), Some(Dimension::read("L T-1")));
        assert!(Dimension::read("L2").reciprocal_of(Dimension::read("L-2")));
        assert!(!Dimension::default().reciprocal_of(Dimension::default()));
        assert_eq!(Dimension::read("M L2 T-2").to_string(), "energy");
        assert_eq!(Dimension::read("L7").to_string(), "a compound of L^7");
        assert_eq!(Dimension::read("L100").times(length, 100), None);
    }
}
