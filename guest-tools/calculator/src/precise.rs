//! Irrational functions to working precision: fixed-point arithmetic with 192 bits and guard bits.
//!
//! Series: ln by atanh, exp and sine by Taylor after argument reduction, arctangent after halving, pi by
//! Machin's formula 16 atan(1/5) - 4 atan(1/239).

use tomas_english::Rational;
use tomas_english::num_bigint::{BigInt, BigUint};
use tomas_english::num_traits::{One, Signed, ToPrimitive, Zero};

/// Bits kept of an inexact number: 57 decimal digits.
const BITS: u64 = 192;
/// More bits, spent on the rounding of single steps.
const GUARD: u64 = 48;

/// `number` cut to working precision.
pub(crate) fn cut(number: &Rational) -> Rational {
    let (top, bottom) = (number.numer(), number.denom());
    if top.bits() <= BITS && bottom.bits() <= BITS {
        return number.clone();
    }
    let shift = signed(BITS) - signed(top.bits()) + signed(bottom.bits());
    if shift >= 0 {
        let scaled = (top << magnitude(shift)) / bottom;
        Rational::new(scaled, BigInt::one() << magnitude(shift))
    } else {
        let scaled = top / (bottom << magnitude(shift));
        Rational::from(scaled << magnitude(shift))
    }
}

/// Whether `sum` is what rounding left of a difference of numbers as large as `part`.
pub(crate) fn vanishes(sum: &Rational, part: &Rational) -> bool {
    sum.abs() * Rational::from(BigInt::one() << 160_u32) < part.abs()
}

fn signed(bits: u64) -> i64 {
    i64::try_from(bits).unwrap_or(i64::MAX / 4)
}

fn magnitude(shift: i64) -> u64 {
    shift.unsigned_abs()
}

fn fixed(number: &Rational, bits: u64) -> BigInt {
    (number.numer() << bits) / number.denom()
}

fn rational(fixed: BigInt, bits: u64) -> Rational {
    Rational::new(fixed, BigInt::one() << bits)
}

/// The `root`-th root if it is rational. `root` is at least 1.
pub(crate) fn exact_root(number: &Rational, root: u32) -> Option<Rational> {
    if root == 0 || (number.is_negative() && root.is_multiple_of(2)) {
        return None;
    }
    let part = |whole: &BigUint| -> Option<BigUint> {
        let candidate = whole.nth_root(root);
        (candidate.pow(root) == *whole).then_some(candidate)
    };
    let top = BigInt::from(part(number.numer().magnitude())?);
    let bottom = BigInt::from(part(number.denom().magnitude())?);
    Some(Rational::new(if number.is_negative() { -top } else { top }, bottom))
}

/// The square root of `number`, which is not negative.
pub(crate) fn sqrt(number: &Rational) -> Rational {
    let (top, bottom) = (number.numer(), number.denom());
    let wanted = signed(2 * (BITS + GUARD)) - signed(top.bits()) + signed(bottom.bits());
    let half = (wanted.max(0) + 1) / 2;
    let scaled = ((top << magnitude(2 * half)) / bottom).magnitude().sqrt();
    rational(scaled.into(), magnitude(half))
}

/// The natural logarithm of `number`, which is positive.
pub(crate) fn ln(number: &Rational) -> Rational {
    let bits = BITS + GUARD;
    let power = signed(number.numer().bits()) - signed(number.denom().bits());
    let scale = BigInt::one() << magnitude(power);
    let mantissa = if power >= 0 { number / Rational::from(scale) } else { number * Rational::from(scale) };
    let logarithm = ln_near_one(&fixed(&mantissa, bits), bits) + ln_two(bits) * power;
    rational(logarithm, bits)
}

/// 2 atanh((m-1)/(m+1)) of a fixed-point m between 1/2 and 2.
fn ln_near_one(mantissa: &BigInt, bits: u64) -> BigInt {
    let one = BigInt::one() << bits;
    let ratio = ((mantissa - &one) << bits) / (mantissa + &one);
    odd_series(&ratio, bits, false) * 2
}

fn ln_two(bits: u64) -> BigInt {
    let third = (BigInt::one() << bits) / 3;
    odd_series(&third, bits, false) * 2
}

/// x + x³/3 + x⁵/5 … (atanh), or with alternating signs (arctangent).
fn odd_series(x: &BigInt, bits: u64, alternating: bool) -> BigInt {
    let square = (x * x) >> bits;
    let (mut power, mut sum) = (x.clone(), x.clone());
    for odd in (3_u32..).step_by(2) {
        power = (power * &square) >> bits;
        if power.is_zero() || power == BigInt::from(-1) {
            break;
        }
        let term = &power / odd;
        if alternating && odd % 4 == 3 { sum -= term } else { sum += term }
    }
    sum
}

/// e to the power of `number`, or `None` when that has more than about 80,000 digits on either side.
pub(crate) fn exp(number: &Rational) -> Option<Rational> {
    if number.abs() > Rational::from(BigInt::from(181_000)) {
        return None;
    }
    let bits = BITS + 2 * GUARD;
    let two = ln_two(bits);
    let whole = fixed(number, bits);
    let power = (&whole / &two).to_i64()?;
    let rest = whole - &two * power;
    // Squaring eight times loses eight bits of the guard.
    let small = rest >> 8_u32;
    let one = BigInt::one() << bits;
    let (mut term, mut sum) = (one.clone(), one);
    for n in 1_u32..200 {
        term = ((term * &small) >> bits) / n;
        if term.is_zero() {
            break;
        }
        sum += &term;
    }
    for _ in 0..8 {
        sum = (&sum * &sum) >> bits;
    }
    let result = rational(sum, bits);
    let scale = Rational::from(BigInt::one() << magnitude(power));
    Some(if power >= 0 { result * scale } else { result / scale })
}

/// pi to working precision.
pub(crate) fn pi() -> Rational {
    rational(fixed_pi(BITS + GUARD), BITS + GUARD)
}

fn fixed_pi(bits: u64) -> BigInt {
    let inner = bits + 32;
    let inverse = |n: u32| odd_series(&((BigInt::one() << inner) / n), inner, true);
    (inverse(5) * 16 - inverse(239) * 4) >> 32_u32
}

/// Sine and cosine of `angle` in radians, or `None` when it is above 10^60.
pub(crate) fn sin_cos(angle: &Rational) -> Option<(Rational, Rational)> {
    let extra = angle.to_integer().bits();
    if extra > 200 {
        return None;
    }
    let bits = BITS + 2 * GUARD + extra;
    let half_pi = fixed_pi(bits) >> 1_u32;
    let whole = fixed(angle, bits);
    let quarter = &whole / &half_pi;
    let rest = whole - &quarter * &half_pi;
    let (sine, cosine) = (taylor(&rest, bits, 1), taylor(&rest, bits, 0));
    let turn = ((quarter % 4_i32) + 4_i32) % 4_i32;
    let (sine, cosine) = match turn.to_i32() {
        Some(1) => (cosine, -sine),
        Some(2) => (-sine, -cosine),
        Some(3) => (-cosine, sine),
        _ => (sine, cosine),
    };
    Some((rational(sine, bits), rational(cosine, bits)))
}

/// The sine (`first` 1) or cosine (`first` 0) series.
fn taylor(x: &BigInt, bits: u64, first: u32) -> BigInt {
    let square = (x * x) >> bits;
    let mut term = if first == 0 { BigInt::one() << bits } else { x.clone() };
    let mut sum = term.clone();
    for n in 1_u32..300 {
        let place = 2 * n + first;
        term = -((term * &square) >> bits) / (place * (place - 1));
        if term.is_zero() {
            break;
        }
        sum += &term;
    }
    sum
}

/// The arctangent of `number` in radians.
pub(crate) fn atan(number: &Rational) -> Rational {
    if number.abs() > Rational::one() {
        let half_pi = pi() / Rational::from(BigInt::from(2));
        let rest = atan(&number.recip());
        return if number.is_negative() { -half_pi - rest } else { half_pi - rest };
    }
    let bits = BITS + GUARD;
    let one = BigInt::one() << bits;
    let mut x = fixed(number, bits);
    for _ in 0..3 {
        let root = ((&one * &one) + (&x * &x)).magnitude().sqrt();
        x = (x << bits) / (&one + BigInt::from(root));
    }
    rational(odd_series(&x, bits, true) << 3_u32, bits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tomas_english::{ratio, show};

    fn digits(number: &Rational) -> String {
        show::significant(number, 40)
    }

    #[test]
    fn forty_digits_are_right() {
        assert_eq!(digits(&pi()), "3.141592653589793238462643383279502884197");
        assert_eq!(digits(&sqrt(&ratio(2, 1))), "1.41421356237309504880168872420969807857");
        assert_eq!(digits(&ln(&ratio(10, 1))), "2.302585092994045684017991454684364207601");
        assert_eq!(digits(&exp(&ratio(1, 1)).unwrap()), "2.718281828459045235360287471352662497757");
        assert_eq!(digits(&exp(&ratio(-1, 1)).unwrap()), "0.3678794411714423215955237701614608674458");
        assert_eq!(digits(&atan(&ratio(2, 1))), "1.10714871779409050301706546017853704007");
        let (sine, cosine) = sin_cos(&ratio(1, 1)).unwrap();
        assert_eq!(digits(&sine), "0.8414709848078965066525023216302989996226");
        assert_eq!(digits(&cosine), "0.5403023058681397174009366074429766037323");
        let (sine, _) = sin_cos(&ratio(-100, 1)).unwrap();
        assert_eq!(show::significant(&sine, 15), "0.506365641109759");
    }

    #[test]
    fn exact_roots() {
        assert_eq!(exact_root(&ratio(144, 1), 2), Some(ratio(12, 1)));
        assert_eq!(exact_root(&ratio(-8, 27), 3), Some(ratio(-2, 3)));
        assert_eq!(exact_root(&ratio(2, 1), 2), None);
        assert_eq!(exact_root(&ratio(-4, 1), 2), None);
    }
}
