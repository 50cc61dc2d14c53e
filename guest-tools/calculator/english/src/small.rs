//! Exact numbers of everyday size. They need no big integers, which a component would have to carry.

use std::cmp::Ordering;

use crate::Rational;

/// A fraction of two 128-bit integers in lowest terms. All operations say `None` instead of running over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Small {
    numerator: i128,
    denominator: i128,
}

impl Small {
    /// Zero.
    pub const ZERO: Self = Self { numerator: 0, denominator: 1 };
    /// One.
    pub const ONE: Self = Self { numerator: 1, denominator: 1 };

    /// The whole number `n`.
    #[must_use]
    pub fn whole(n: i64) -> Self {
        Self { numerator: i128::from(n), denominator: 1 }
    }

    /// `numerator / denominator`; a zero denominator counts as one.
    #[must_use]
    pub fn new(numerator: i64, denominator: i64) -> Self {
        let denominator = if denominator == 0 { 1 } else { denominator };
        Self::reduced(i128::from(numerator), i128::from(denominator)).unwrap_or(Self::ZERO)
    }

    fn reduced(numerator: i128, denominator: i128) -> Option<Self> {
        let divisor = i128::try_from(divisor(numerator.unsigned_abs(), denominator.unsigned_abs())).ok()?;
        let divisor = if denominator < 0 { divisor.checked_neg()? } else { divisor };
        Some(Self { numerator: numerator.checked_div(divisor)?, denominator: denominator.checked_div(divisor)? })
    }

    /// Ten to the power of `power`.
    #[must_use]
    pub fn ten_to(power: u32) -> Option<Self> {
        Some(Self { numerator: 10_i128.checked_pow(power)?, denominator: 1 })
    }

    /// The same number, if it is small enough.
    #[must_use]
    pub fn from_rational(value: &Rational) -> Option<Self> {
        Some(Self { numerator: i128::try_from(value.numer()).ok()?, denominator: i128::try_from(value.denom()).ok()? })
    }

    /// The same number.
    #[must_use]
    pub fn to_rational(self) -> Rational {
        Rational::new(self.numerator.into(), self.denominator.into())
    }

    /// `self + other`.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        let left = self.numerator.checked_mul(other.denominator)?;
        let right = other.numerator.checked_mul(self.denominator)?;
        Self::reduced(left.checked_add(right)?, self.denominator.checked_mul(other.denominator)?)
    }

    /// `self * other`.
    #[must_use]
    pub fn times(self, other: Self) -> Option<Self> {
        let numerator = self.numerator.checked_mul(other.numerator)?;
        Self::reduced(numerator, self.denominator.checked_mul(other.denominator)?)
    }

    /// `self / other`; `None` also for a zero divisor.
    #[must_use]
    pub fn over(self, other: Self) -> Option<Self> {
        if other.numerator == 0 {
            return None;
        }
        self.times(Self { numerator: other.denominator, denominator: other.numerator })
    }

    /// Whether it has no fraction.
    #[must_use]
    pub fn is_whole(self) -> bool {
        self.denominator == 1
    }

    /// Whether it is zero.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.numerator == 0
    }

    /// The largest whole number not above it.
    #[must_use]
    pub fn floor(self) -> Option<i64> {
        i64::try_from(self.numerator.checked_div_euclid(self.denominator)?).ok()
    }

    /// The nearest whole number, halves upwards.
    #[must_use]
    pub fn round(self) -> Option<i64> {
        self.plus(Self { numerator: 1, denominator: 2 })?.floor()
    }

    /// The smallest whole number not below it.
    #[must_use]
    pub fn ceil(self) -> Option<i64> {
        let floor = self.floor()?;
        if self.is_whole() { Some(floor) } else { floor.checked_add(1) }
    }

    /// The whole number it is, if it is one.
    #[must_use]
    pub fn to_whole(self) -> Option<i64> {
        if self.is_whole() { i64::try_from(self.numerator).ok() } else { None }
    }

    /// Compares; numbers too large to compare count as equal.
    #[must_use]
    pub fn compare(self, other: Self) -> Ordering {
        let left = self.numerator.checked_mul(other.denominator);
        let right = other.numerator.checked_mul(self.denominator);
        left.zip(right).map_or(Ordering::Equal, |(left, right)| left.cmp(&right))
    }
}

/// The greatest common divisor; 1 where both are 0.
fn divisor(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_do_not_run_over() {
        let half = Small::new(1, 2);
        assert_eq!(half.plus(half), Some(Small::ONE));
        assert_eq!(half.times(Small::whole(-4)), Some(Small::whole(-2)));
        assert_eq!(Small::new(3, -6), Small::new(-1, 2));
        assert_eq!(half.over(Small::ZERO), None);
        assert_eq!(Small::new(-1, 2).floor(), Some(-1));
        assert_eq!((Small::new(5, 2).round(), Small::new(5, 2).ceil()), (Some(3), Some(3)));
        assert_eq!(Small::ten_to(30).unwrap().times(Small::ten_to(30).unwrap()), None);
        assert_eq!(Small::ten_to(39), None);
        assert_eq!(half.compare(Small::ONE), Ordering::Less);
        assert_eq!(Small::from_rational(&crate::ratio(7, 3)).map(Small::to_rational), Some(crate::ratio(7, 3)));
    }
}
