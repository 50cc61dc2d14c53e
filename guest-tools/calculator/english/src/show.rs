//! Exact numbers written for people.

use num_bigint::{BigInt, BigUint, Sign};
use num_integer::Integer;
use num_traits::{One, Signed, ToPrimitive, Zero, pow::Pow};

use crate::Rational;

/// The decimal digits of `value` if they end within `most` places after the sign, e.g. `-0.125`.
#[must_use]
pub fn decimal(value: &Rational, most: u32) -> Option<String> {
    let mut rest = value.denom().magnitude().clone();
    let (mut twos, mut fives) = (0_u32, 0_u32);
    if let Some(zeros) = rest.trailing_zeros() {
        twos = u32::try_from(zeros).ok()?;
        rest >>= zeros;
    }
    if twos > most {
        return None;
    }
    let five = BigUint::from(5_u8);
    while !rest.is_one() {
        let (quotient, remainder) = rest.div_rem(&five);
        if !remainder.is_zero() || fives >= most {
            return None;
        }
        (rest, fives) = (quotient, fives + 1);
    }
    let places = twos.max(fives);
    let scaled = value.numer() * Pow::pow(BigInt::from(10), places) / value.denom();
    Some(point(&scaled, places))
}

/// `value` rounded half away from zero to `places` decimal places, all of them written: `2.50`.
#[must_use]
pub fn fixed(value: &Rational, places: u32) -> String {
    point(&shifted(value, i64::from(places)), places)
}

/// The integer nearest to `value`, halves away from zero.
#[must_use]
pub fn round(value: &Rational) -> BigInt {
    shifted(value, 0)
}

/// The integer nearest to `value` · 10^`power`, halves away from zero, without reducing a fraction.
fn shifted(value: &Rational, power: i64) -> BigInt {
    let scale = Pow::pow(BigUint::from(10_u8), u32::try_from(power.unsigned_abs()).unwrap_or(0));
    let (mut top, mut bottom) = (value.numer().magnitude().clone(), value.denom().magnitude().clone());
    if power >= 0 {
        top *= scale
    } else {
        bottom *= scale
    }
    let size = BigInt::from((top * 2_u8 + &bottom) / (bottom * 2_u8));
    if value.is_negative() { -size } else { size }
}

/// `value` rounded to `digits` significant digits, without trailing zeros; below 10^-7 and from 10^21 on
/// in the form `1.5 × 10^24`.
#[must_use]
pub fn significant(value: &Rational, digits: u32) -> String {
    if value.is_zero() {
        return "0".to_owned();
    }
    let power = magnitude(value);
    if !(-7..21).contains(&power) {
        return scientific(value, digits);
    }
    let places = i64::from(digits) - 1 - power;
    match u32::try_from(places) {
        Ok(places) => trim(&fixed(value, places)),
        Err(_) => {
            let unit = Pow::pow(BigInt::from(10), u32::try_from(-places).unwrap_or(0));
            (shifted(value, places) * unit).to_string()
        }
    }
}

/// `value` in the form `1.5 × 10^24`, rounded to `digits` significant digits.
#[must_use]
pub fn scientific(value: &Rational, digits: u32) -> String {
    let places = digits.saturating_sub(1);
    let mut power = magnitude(value);
    let mantissa = |power: i64| trim(&point(&shifted(value, i64::from(places) - power), places));
    let mut shown = mantissa(power);
    // Rounding may carry: 9.99… becomes 10.
    if shown.trim_start_matches('-') == "10" {
        power += 1;
        shown = mantissa(power);
    }
    format!("{shown} × 10^{power}")
}

/// The power of ten of the first significant digit: 2 for 314, -1 for 0.5. Zero for zero.
#[must_use]
pub fn magnitude(value: &Rational) -> i64 {
    if value.is_zero() {
        return 0;
    }
    let bits = |n: &BigInt| i64::try_from(n.bits()).unwrap_or(i64::MAX / 4);
    // log10(2) = 0.30103, so that this is at most one off, and then looked at exactly.
    let guess = (bits(value.numer()) - bits(value.denom())).saturating_mul(30_103) / 100_000;
    (guess - 2..=guess + 2).rev().find(|power| at_least(value, *power)).unwrap_or(guess - 2)
}

/// Whether |value| >= 10^power.
fn at_least(value: &Rational, power: i64) -> bool {
    let ten = Pow::pow(BigUint::from(10_u8), u32::try_from(power.unsigned_abs()).unwrap_or(0));
    let (top, bottom) = (value.numer().magnitude(), value.denom().magnitude());
    if power >= 0 { *top >= bottom * ten } else { top * ten >= *bottom }
}

/// Thousands separators for the whole part of a plain decimal: `1234.5` becomes `1,234.5`.
/// Four digits before the point are grouped, too.
#[must_use]
pub fn group(decimal: &str) -> String {
    if decimal.contains('×') || decimal.contains('/') {
        return decimal.to_owned();
    }
    let (sign, rest) = match decimal.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", decimal),
    };
    let (whole, fraction) = rest.split_once('.').map_or((rest, None), |(whole, fraction)| (whole, Some(fraction)));
    let mut grouped = String::with_capacity(decimal.len() + decimal.len() / 3);
    let count = whole.chars().count();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (count - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    match fraction {
        Some(fraction) => format!("{sign}{grouped}.{fraction}"),
        None => format!("{sign}{grouped}"),
    }
}

/// `value` as a 64-bit float; infinite when it is too large.
#[must_use]
pub fn float(value: &Rational) -> f64 {
    value.to_f64().unwrap_or(f64::NAN)
}

fn trim(decimal: &str) -> String {
    if !decimal.contains('.') {
        return decimal.to_owned();
    }
    decimal.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The digits of `scaled` with the point before the last `places` of them.
fn point(scaled: &BigInt, places: u32) -> String {
    let places = usize::try_from(places).unwrap_or(0);
    let sign = if scaled.sign() == Sign::Minus { "-" } else { "" };
    let digits = scaled.magnitude().to_string();
    if places == 0 {
        return format!("{sign}{digits}");
    }
    let digits = format!("{digits:0>width$}", width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    format!("{sign}{whole}.{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ratio;

    #[test]
    fn decimals_that_end() {
        assert_eq!(decimal(&ratio(819, 2), 50).as_deref(), Some("409.5"));
        assert_eq!(decimal(&ratio(-1, 8), 50).as_deref(), Some("-0.125"));
        assert_eq!(decimal(&ratio(7, 1), 50).as_deref(), Some("7"));
        assert_eq!(decimal(&ratio(1, 3), 50), None);
        assert_eq!(decimal(&ratio(1, 1024), 5), None);
        assert_eq!(decimal(&ratio(0, 1), 5).as_deref(), Some("0"));
    }

    #[test]
    fn significant_digits() {
        for (numerator, denominator, digits, expected) in [
            (1, 3, 6, "0.333333"),
            (2, 3, 3, "0.667"),
            (421_648_128, 10_000_000, 6, "42.1648"),
            (9_999_999, 10, 3, "1000000"),
            (-5, 2, 1, "-3"),
            (1, 30_000_000_000, 3, "3.33 × 10^-11"),
            (100, 1, 3, "100"),
        ] {
            assert_eq!(significant(&ratio(numerator, denominator), digits), expected);
        }
        let large = Rational::from(Pow::pow(BigInt::from(10), 30_u32));
        assert_eq!(significant(&large, 5), "1 × 10^30");
        assert_eq!(significant(&(large - ratio(1, 1)), 5), "1 × 10^30");
    }

    #[test]
    fn groups() {
        assert_eq!(group("1234567.8901"), "1,234,567.8901");
        assert_eq!(group("-123"), "-123");
        assert_eq!(group("-1234"), "-1,234");
        assert_eq!(fixed(&ratio(5, 2), 2), "2.50");
        assert_eq!(fixed(&ratio(-1, 1000), 2), "0.00");
    }

    #[test]
    fn magnitudes() {
        for (numerator, denominator, expected) in
            [(1, 1, 0), (9, 1, 0), (10, 1, 1), (999, 1, 2), (1, 10, -1), (99, 1000, -2)]
        {
            assert_eq!(magnitude(&ratio(numerator, denominator)), expected);
        }
    }
}
