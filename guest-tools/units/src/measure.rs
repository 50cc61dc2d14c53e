//! A unit, simple or compound, ready to convert with.

use tomas_english::Rational;
use tomas_english::num_traits::{One, Zero, pow::Pow};

use crate::dimension::Dimension;

/// A unit: `x` of it is `x * factor + offset` in SI base units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Measure {
    /// Its name for one.
    pub(crate) singular: String,
    /// Its name for several.
    pub(crate) plural: String,
    /// SI base units in one of it.
    pub(crate) factor: Rational,
    /// What its zero is in SI base units; only temperatures have one.
    pub(crate) offset: Rational,
    /// What it measures.
    pub(crate) dimension: Dimension,
    /// Whether the factor is conventional or measured.
    pub(crate) rough: bool,
}

impl Measure {
    /// This unit to a power from -9 to 9, named `square metre`, `cubic foot`.
    pub(crate) fn power(&self, power: i8) -> Option<Self> {
        if power == 1 {
            return Some(self.clone());
        }
        let name = |name: &str| match power {
            2 => format!("square {name}"),
            3 => format!("cubic {name}"),
            _ => format!("{name}^{power}"),
        };
        Some(Self {
            singular: name(&self.singular),
            plural: name(&self.plural),
            factor: Pow::pow(&self.factor, i32::from(power)),
            offset: Rational::zero(),
            dimension: Dimension::default().times(self.dimension, power)?,
            rough: self.rough,
        })
    }

    /// The product with another unit: `newton metre`.
    pub(crate) fn times(&self, other: &Self) -> Option<Self> {
        Some(Self {
            singular: format!("{} {}", self.singular, other.singular),
            plural: format!("{} {}", self.singular, other.plural),
            factor: &self.factor * &other.factor,
            offset: Rational::zero(),
            dimension: self.dimension.times(other.dimension, 1)?,
            rough: self.rough || other.rough,
        })
    }

    /// The quotient: `kilometre per hour`, with `count` of the other, as in `litre per 100 kilometres`.
    pub(crate) fn per(&self, other: &Self, count: &Rational) -> Option<Self> {
        let below = &other.factor * count;
        if below.is_zero() {
            return None;
        }
        let under = if count.is_one() { other.singular.clone() } else { format!("{count} {}", other.plural) };
        let name = |name: &str| format!("{name} per {under}");
        Some(Self {
            singular: name(&self.singular),
            plural: name(&self.plural),
            factor: &self.factor / below,
            offset: Rational::zero(),
            dimension: self.dimension.times(other.dimension, -1)?,
            rough: self.rough || other.rough,
        })
    }

    /// `x` of this unit in SI base units.
    pub(crate) fn base(&self, x: &Rational) -> Rational {
        x * &self.factor + &self.offset
    }

    /// An amount of SI base units in this unit.
    pub(crate) fn amount(&self, base: &Rational) -> Rational {
        (base - &self.offset) / &self.factor
    }
}
