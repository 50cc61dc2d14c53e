//! Numbers with names.

use tomas_english::{Rational, ratio};

use crate::precise;

/// A number with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Constant {
    Pi,
    Tau,
    E,
    Phi,
}

impl Constant {
    /// Its value to working precision.
    pub(crate) fn number(self) -> Rational {
        match self {
            Self::Pi => precise::pi(),
            Self::Tau => precise::pi() * ratio(2, 1),
            Self::E => precise::exp(&ratio(1, 1)).unwrap_or_else(|| ratio(0, 1)),
            Self::Phi => (precise::sqrt(&ratio(5, 1)) + ratio(1, 1)) / ratio(2, 1),
        }
    }
}
