//! Reading English the way people type it: what `calculator`, `units`, `datetime` and `weather` share.
//!
//! - [`fold`] turns typographic characters into plain ones (`×` → `*`, `²` → `^2`, `São` → `sao`);
//! - [`lex`] cuts a text into numbers, words and symbols (`2,340`, `3 1/2`, `½`, `6e23`, `0xff`);
//! - [`small`] holds exact numbers that need no big integers;
//! - [`words`] reads numbers in words (`twenty five`, `half a million`, `two and a half`);
//! - [`show`] writes exact numbers for people (`2,340.5`, `≈ 1.414213562373`);
//! - [`close`] finds names that differ by a slip of the finger;
//! - [`month`] knows the months, [`ordinal`] `first` to `thirtieth`.
//!
//! Numbers are exact ([`Rational`]) from the first character to the last.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod close;
pub mod fold;
pub mod lex;
pub mod month;
pub mod number;
pub mod ordinal;
pub mod show;
pub mod small;
pub mod words;

pub use num_bigint;
pub use num_integer;
pub use num_rational;
pub use num_traits;

/// An exact number.
pub type Rational = num_rational::BigRational;

/// The rational `numerator / denominator`; a zero denominator counts as one.
#[must_use]
pub fn ratio(numerator: i64, denominator: i64) -> Rational {
    let denominator = if denominator == 0 { 1 } else { denominator };
    Rational::new(numerator.into(), denominator.into())
}
