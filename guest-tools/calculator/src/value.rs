//! Numbers with what people attach to them: percent, money, and whether they are exact.

use tomas_english::Rational;
use tomas_english::num_bigint::BigInt;
use tomas_english::num_traits::{One, Signed, Zero, pow::Pow};

use crate::precise;
use crate::problem::Problem;

/// Whole numbers may have this many bits (about 78,900 digits).
pub(crate) const INTEGER_BITS: u64 = 1 << 18;
/// Fractions may have this many bits above and below the line together.
const FRACTION_BITS: u64 = 1 << 12;

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing in particular.
    Plain,
    /// A share; `17.5%` is the number 0.175.
    Percent,
    /// An amount with this currency sign, which may be empty.
    Money(&'static str),
}

/// A number in the course of a calculation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Value {
    /// Its value; of an inexact one about 57 digits are right.
    pub(crate) number: Rational,
    /// Whether nothing was rounded on the way.
    pub(crate) exact: bool,
    /// What it counts.
    pub(crate) kind: Kind,
}

impl Value {
    /// An exact number.
    pub(crate) fn exact(number: Rational) -> Self {
        Self { number, exact: true, kind: Kind::Plain }
    }

    /// A number of a function that is irrational almost everywhere, cut to working precision.
    pub(crate) fn rounded(number: &Rational) -> Self {
        Self { number: precise::cut(number), exact: false, kind: Kind::Plain }
    }

    /// The whole number `n`.
    pub(crate) fn whole(n: impl Into<BigInt>) -> Self {
        Self::exact(Rational::from(n.into()))
    }

    /// The same number with another kind.
    pub(crate) fn with(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    /// Bits of numerator and denominator.
    pub(crate) fn bits(&self) -> u64 {
        self.number.numer().bits() + self.number.denom().bits()
    }

    fn finish(number: Rational, exact: bool, kind: Kind) -> Result<Self, Problem> {
        let number = if exact { number } else { precise::cut(&number) };
        let value = Self { number, exact, kind };
        let (bits, limit) = match value.number.is_integer() {
            true => (value.bits(), INTEGER_BITS),
            false if value.exact => (value.bits(), FRACTION_BITS),
            false => (value.bits(), INTEGER_BITS),
        };
        if bits <= limit {
            return Ok(value);
        }
        if value.number.is_integer() {
            return Err(too_large());
        }
        // Long fractions go on as decimals; nobody reads them as fractions.
        Ok(Self { number: precise::cut(&value.number), exact: false, kind })
    }

    /// `self + other`; a bare percentage on the right is a share of the left: `80 + 8%` is 86.4.
    pub(crate) fn plus(&self, other: &Self) -> Result<Self, Problem> {
        if other.kind == Kind::Percent && self.kind != Kind::Percent {
            let factor = Self { number: Rational::one() + &other.number, ..other.clone() };
            return self.scaled(&factor);
        }
        let kind = join(self.kind, other.kind)?;
        let exact = self.exact && other.exact;
        let sum = add(&self.number, &other.number);
        if !exact && precise::vanishes(&sum, &self.number) {
            return Self::finish(Rational::zero(), exact, kind);
        }
        Self::finish(sum, exact, kind)
    }

    /// `self - other`, with percentages as in [`Value::plus`].
    pub(crate) fn minus(&self, other: &Self) -> Result<Self, Problem> {
        self.plus(&other.negated())
    }

    /// `-self`.
    pub(crate) fn negated(&self) -> Self {
        Self { number: -self.number.clone(), ..self.clone() }
    }

    /// `self * other`.
    pub(crate) fn times(&self, other: &Self) -> Result<Self, Problem> {
        let kind = match (self.kind, other.kind) {
            (Kind::Money(_), Kind::Money(_)) => join(self.kind, other.kind)?,
            (Kind::Money(sign), _) | (_, Kind::Money(sign)) => Kind::Money(sign),
            _ => Kind::Plain,
        };
        Self::finish(multiply(&self.number, &other.number), self.exact && other.exact, kind)
    }

    /// `self of other`: what `other` counts is what the result counts.
    pub(crate) fn of(&self, other: &Self) -> Result<Self, Problem> {
        let kind =
            if other.kind == Kind::Plain && matches!(self.kind, Kind::Money(_)) { self.kind } else { other.kind };
        Ok(self.times(other)?.with(kind))
    }

    /// `other` less the share `self`: `15% off 80`; an amount is taken off as it is: `$15 off $80`.
    pub(crate) fn off(&self, other: &Self) -> Result<Self, Problem> {
        other.minus(self)
    }

    fn scaled(&self, factor: &Self) -> Result<Self, Problem> {
        let product = multiply(&self.number, &factor.number);
        Self::finish(product, self.exact && factor.exact, self.kind)
    }

    /// `self / other`.
    pub(crate) fn over(&self, other: &Self) -> Result<Self, Problem> {
        if other.number.is_zero() {
            return Err(Problem::impossible(format!(
                "division of `{}` by zero\nhint: the divisor must not be 0",
                brief(&self.number)
            )));
        }
        let kind = match (self.kind, other.kind) {
            (Kind::Money(_), Kind::Money(_)) => {
                join(self.kind, other.kind)?;
                Kind::Plain
            }
            (Kind::Money(sign), _) => Kind::Money(sign),
            (Kind::Percent, Kind::Plain) => Kind::Percent,
            _ => Kind::Plain,
        };
        Self::finish(&self.number / &other.number, self.exact && other.exact, kind)
    }

    /// `self mod other`, with the sign of `other` as in `floor` division.
    pub(crate) fn modulo(&self, other: &Self) -> Result<Self, Problem> {
        if other.number.is_zero() {
            return Err(Problem::impossible("a remainder modulo zero\nhint: the divisor must not be 0"));
        }
        let quotient = (&self.number / &other.number).floor();
        Self::finish(&self.number - quotient * &other.number, self.exact && other.exact, self.kind)
    }

    /// `self ^ exponent`: exact where the result is rational, else to working precision.
    pub(crate) fn power(&self, exponent: &Self) -> Result<Self, Problem> {
        let exponent_number = &exponent.number;
        if exponent_number.is_integer() {
            return self.whole_power(exponent_number.numer(), exponent.exact);
        }
        if self.number.is_zero() {
            return match exponent_number.is_positive() {
                true => Ok(Self::whole(0)),
                false => Err(Problem::impossible("zero to a negative power is not a number")),
            };
        }
        let root = u32::try_from(exponent_number.denom()).ok().filter(|root| *root <= 64);
        if let Some(exact) = root.and_then(|root| precise::exact_root(&self.number, root)) {
            return Self { number: exact, ..self.clone() }.whole_power(exponent_number.numer(), self.exact);
        }
        if self.number.is_negative() {
            return Err(Problem::impossible(format!(
                "`{}` to the power of `{}` is not a real number",
                brief(&self.number),
                brief(exponent_number)
            )));
        }
        let logarithm = precise::ln(&self.number) * exponent_number;
        precise::exp(&logarithm).map(|number| Self::rounded(&number)).ok_or_else(too_large)
    }

    fn whole_power(&self, exponent: &BigInt, exact: bool) -> Result<Self, Problem> {
        if self.number.is_zero() && exponent.is_negative() {
            return Err(Problem::impossible("zero to a negative power is not a number"));
        }
        let one = self.number.is_one() || (-self.number.clone()).is_one();
        if one || self.number.is_zero() {
            let odd = exponent.bit(0);
            let number = if exponent.is_zero() || !(odd || self.number.is_zero()) {
                Rational::one()
            } else {
                self.number.clone()
            };
            return Self::finish(number, self.exact && exact, self.kind);
        }
        let size = u32::try_from(exponent.magnitude()).ok();
        let fits = |size: &u32| self.bits().saturating_sub(1).saturating_mul(u64::from(*size)) <= INTEGER_BITS + 64;
        let Some(size) = size.filter(fits) else {
            // A tiny change to one, many times over, has a value though its digits are endless.
            let logarithm = precise::ln(&self.number.abs()) * Rational::from(exponent.clone());
            let Some(number) = precise::exp(&logarithm).filter(|_| !self.number.is_integer()) else {
                return Err(too_large());
            };
            let negative = self.number.is_negative() && exponent.bit(0);
            return Ok(Self::rounded(&if negative { -number } else { number }));
        };
        let raised = |part: &BigInt| Pow::pow(part, size);
        let (mut top, mut bottom) = (raised(self.number.numer()), raised(self.number.denom()));
        if exponent.is_negative() {
            std::mem::swap(&mut top, &mut bottom);
            if bottom.is_negative() {
                (top, bottom) = (-top, -bottom);
            }
        }
        // Powers of coprime numbers are coprime.
        let kind = if self.kind == Kind::Percent { Kind::Plain } else { self.kind };
        Self::finish(Rational::new_raw(top, bottom), self.exact && exact, kind)
    }
}

pub(crate) fn too_large() -> Problem {
    Problem::impossible(
        "the result is too large to write down, more than about 78,000 digits\nhint: `2000!` and `2^100000` still work",
    )
}

/// The sum, without a greatest common divisor where both are whole.
pub(crate) fn add(a: &Rational, b: &Rational) -> Rational {
    if a.is_integer() && b.is_integer() { Rational::from(a.numer() + b.numer()) } else { a + b }
}

/// The product, without a greatest common divisor where both are whole.
pub(crate) fn multiply(a: &Rational, b: &Rational) -> Rational {
    if a.is_integer() && b.is_integer() { Rational::from(a.numer() * b.numer()) } else { a * b }
}

/// The kind of a sum. Percentages give way, currencies must agree.
fn join(a: Kind, b: Kind) -> Result<Kind, Problem> {
    match (a, b) {
        (Kind::Money(a), Kind::Money(b)) if a != b && !a.is_empty() && !b.is_empty() => {
            Err(Problem::impossible(format!(
                "amounts in `{a}` and in `{b}` in one calculation\nhint: exchange rates are not known; use one currency"
            )))
        }
        (Kind::Money(a), Kind::Money(b)) => Ok(Kind::Money(if a.is_empty() { b } else { a })),
        (Kind::Money(sign), _) | (_, Kind::Money(sign)) => Ok(Kind::Money(sign)),
        (Kind::Percent, Kind::Percent) => Ok(Kind::Percent),
        _ => Ok(Kind::Plain),
    }
}

/// A few digits of a number for messages.
pub(crate) fn brief(number: &Rational) -> String {
    tomas_english::show::significant(number, 10)
}
