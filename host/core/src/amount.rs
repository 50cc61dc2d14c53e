//! Amounts with units: millicores, bytes, and durations, as people and Kubernetes write them.
//!
//! Every amount serialises as the string it is shown as (`"250m"`, `"16MiB"`, `"5s"`), so that one spelling appears in
//! TOML, JSON, metrics and error messages.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, str::FromStr, time::Duration};

/// Why a text is not an amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not {wanted}\nhint: {hint}")]
pub struct AmountError {
    found: String,
    wanted: &'static str,
    hint: &'static str,
}

/// CPU in thousandths of a core. `250m` is a quarter of a core, `2` or `2000m` are two cores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MilliCpu(pub u32);

/// Memory in bytes. `16MiB`, `16Mi` and `16777216` are the same; `16MB` is 16,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bytes(pub u64);

/// A wall-clock limit. `5s`, `250ms`, `1.5s`, `2m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(pub Duration);

impl MilliCpu {
    /// The amount in cores, for arithmetic with CPU seconds.
    #[must_use]
    pub fn cores(self) -> f64 {
        f64::from(self.0) / 1000.0
    }
}

impl Bytes {
    /// `n` mebibytes.
    #[must_use]
    pub const fn mib(n: u64) -> Self {
        Self(n * 1024 * 1024)
    }

    /// The amount in gibibytes (the unit of TOMAS's `cpu_mem_gb` column).
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a quota is far below 2^53 bytes")]
    pub fn gib(self) -> f64 {
        self.0 as f64 / (1u64 << 30) as f64
    }
}

/// Splits `12.5MiB` into its number and its unit.
fn split(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let number: f64 = text.get(..end)?.parse().ok()?;
    number.is_finite().then(|| (number, text.get(end..).unwrap_or_default().trim()))
}

/// Scales a number by a unit and rounds to the nearest whole amount no greater than `max`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "range-checked against `max` above")]
fn whole(number: f64, unit: f64, max: u64) -> Option<u64> {
    let scaled = (number * unit).round();
    #[expect(clippy::cast_precision_loss, reason = "only a bound")]
    let bound = max as f64;
    (0.0..=bound).contains(&scaled).then_some(scaled as u64)
}

impl FromStr for MilliCpu {
    type Err = AmountError;
    fn from_str(text: &str) -> Result<Self, AmountError> {
        let parsed = split(text).and_then(|(number, unit)| match unit {
            "" | "core" | "cores" | "cpu" | "cpus" => whole(number, 1000.0, 1_000_000_000),
            "m" => whole(number, 1.0, 1_000_000_000),
            _ => None,
        });
        parsed.and_then(|m| u32::try_from(m).ok()).map(Self).ok_or_else(|| AmountError {
            found: text.to_owned(),
            wanted: "an amount of CPU",
            hint: "write millicores as `250m` or cores as `0.25`",
        })
    }
}

impl FromStr for Bytes {
    type Err = AmountError;
    fn from_str(text: &str) -> Result<Self, AmountError> {
        let parsed = split(text).and_then(|(number, unit)| {
            let factor: u64 = match unit.to_ascii_lowercase().as_str() {
                "" | "b" => 1,
                "kb" => 1_000,
                "mb" => 1_000_000,
                "gb" => 1_000_000_000,
                "tb" => 1_000_000_000_000,
                "k" | "ki" | "kib" => 1 << 10,
                "m" | "mi" | "mib" => 1 << 20,
                "g" | "gi" | "gib" => 1 << 30,
                "t" | "ti" | "tib" => 1 << 40,
                _ => return None,
            };
            #[expect(clippy::cast_precision_loss, reason = "units are powers far below 2^53")]
            whole(number, factor as f64, 1 << 53)
        });
        parsed.map(Self).ok_or_else(|| AmountError {
            found: text.to_owned(),
            wanted: "an amount of memory",
            hint: "write `16MiB`, `1.5GiB`, `32MB` or a number of bytes",
        })
    }
}

impl FromStr for Span {
    type Err = AmountError;
    fn from_str(text: &str) -> Result<Self, AmountError> {
        let parsed = split(text).and_then(|(number, unit)| {
            let seconds = match unit {
                "ms" => 1e-3,
                "s" => 1.0,
                "m" | "min" => 60.0,
                "h" => 3600.0,
                _ => return None,
            };
            whole(number, seconds * 1e6, 1 << 50)
        });
        parsed.map(|us| Self(Duration::from_micros(us))).ok_or_else(|| AmountError {
            found: text.to_owned(),
            wanted: "a duration",
            hint: "write `250ms`, `5s` or `2m`",
        })
    }
}

impl fmt::Display for MilliCpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}m", self.0)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.0;
        match n {
            0 => f.write_str("0"),
            n if n.is_multiple_of(1 << 30) => write!(f, "{}GiB", n >> 30),
            n if n.is_multiple_of(1 << 20) => write!(f, "{}MiB", n >> 20),
            n if n.is_multiple_of(1 << 10) => write!(f, "{}KiB", n >> 10),
            n => write!(f, "{n}"),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let us = self.0.as_micros();
        if us.is_multiple_of(1_000_000) {
            write!(f, "{}s", us / 1_000_000)
        } else if us.is_multiple_of(1_000) {
            write!(f, "{}ms", us / 1_000)
        } else {
            write!(f, "{}ms", self.0.as_secs_f64() * 1e3)
        }
    }
}

/// Accepts a string with a unit, or a bare number in the amount's base unit.
struct AmountVisitor<T>(std::marker::PhantomData<T>);

impl<T: FromStr<Err = AmountError>> de::Visitor<'_> for AmountVisitor<T> {
    type Value = T;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an amount such as `250m`, `16MiB` or `5s`")
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
    fn visit_u64<E: de::Error>(self, n: u64) -> Result<T, E> {
        self.visit_str(&n.to_string())
    }
    fn visit_i64<E: de::Error>(self, n: i64) -> Result<T, E> {
        self.visit_str(&n.to_string())
    }
    fn visit_f64<E: de::Error>(self, n: f64) -> Result<T, E> {
        self.visit_str(&n.to_string())
    }
}

macro_rules! serde_as_text {
    ($($t:ty),*) => {$(
        impl Serialize for $t {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> { s.collect_str(self) }
        }
        impl<'de> Deserialize<'de> for $t {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                d.deserialize_any(AmountVisitor(std::marker::PhantomData))
            }
        }
    )*};
}
serde_as_text!(MilliCpu, Bytes, Span);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_and_kubernetes_spellings() {
        for (text, millis) in [("250m", 250), ("0.25", 250), ("2", 2000), ("1.5", 1500), ("0", 0), ("2 cores", 2000)] {
            assert_eq!(text.parse::<MilliCpu>(), Ok(MilliCpu(millis)), "{text}");
        }
        for (text, bytes) in
            [("16MiB", 16 << 20), ("16Mi", 16 << 20), ("1kb", 1000), ("1.5GiB", 3 << 29), ("64 MB", 64_000_000)]
        {
            assert_eq!(text.parse::<Bytes>(), Ok(Bytes(bytes)), "{text}");
        }
        for (text, ms) in [("5s", 5000), ("250ms", 250), ("1.5s", 1500), ("2m", 120_000)] {
            assert_eq!(text.parse::<Span>(), Ok(Span(Duration::from_millis(ms))), "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "-1", "m", "NaN", "1e99", "12 bananas", "99999999999999999999", "½", "1..2"] {
            assert!(text.parse::<MilliCpu>().is_err(), "cpu {text}");
            assert!(text.parse::<Bytes>().is_err(), "memory {text}");
            assert!(text.parse::<Span>().is_err(), "span {text}");
        }
    }

    #[test]
    fn shown_amounts_parse_back() {
        for bytes in [0, 1, 1023, 1024, 16 << 20, 3 << 30] {
            assert_eq!(Bytes(bytes).to_string().parse(), Ok(Bytes(bytes)));
        }
        for us in [0, 1500, 250_000, 5_000_000] {
            let span = Span(Duration::from_micros(us));
            assert_eq!(span.to_string().parse(), Ok(span));
        }
    }
}
