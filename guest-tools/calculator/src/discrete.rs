//! Whole numbers: factorials, combinations, divisors and primes.

use tomas_english::num_bigint::{BigInt, BigUint};
use tomas_english::num_traits::{One, Signed, ToPrimitive, Zero};

use crate::problem::Problem;
use crate::value::{Value, brief, too_large};

/// The largest factorial whose digits fit the limit of [`crate::value::INTEGER_BITS`].
const LARGEST_FACTORIAL: u64 = 20_000;
/// Trial division ends here, so that factors are found below its square.
const LARGEST_TRIAL: u64 = 1_000_000;

fn count(value: &Value, what: &str) -> Result<u64, Problem> {
    let whole = value.number.is_integer() && !value.number.is_negative();
    if !whole {
        return Err(Problem::impossible(format!(
            "{what} of `{}`\nhint: a whole number from 0 up is wanted",
            brief(&value.number)
        )));
    }
    value.number.numer().to_u64().ok_or_else(too_large)
}

/// n! up to 20000!.
pub(crate) fn factorial(n: &Value) -> Result<Value, Problem> {
    let n = count(n, "the factorial")?;
    if n > LARGEST_FACTORIAL {
        return Err(Problem::impossible(format!(
            "the factorial of `{n}` is too large\nhint: factorials up to {LARGEST_FACTORIAL}! are worked out"
        )));
    }
    Ok(Value::whole(product(1, n)))
}

/// low · (low+1) · … · high by halves, so that factors are of one size.
fn product(low: u64, high: u64) -> BigUint {
    if low > high {
        return BigUint::one();
    }
    if high - low < 16 {
        return (low..=high).fold(BigUint::one(), |total, factor| total * factor);
    }
    let middle = low + (high - low) / 2;
    product(low, middle) * product(middle + 1, high)
}

/// n! / (n-k)!.
pub(crate) fn permute(n: &Value, k: &Value) -> Result<Value, Problem> {
    let (n, k) = (count(n, "permutations")?, count(k, "permutations")?);
    if k > n {
        return Ok(Value::whole(0));
    }
    if k > LARGEST_FACTORIAL
        || k.saturating_mul(u64::from(n.checked_ilog2().unwrap_or(0)) + 1) > crate::value::INTEGER_BITS + 64
    {
        return Err(too_large());
    }
    Ok(Value::whole(product(n - k + 1, n)))
}

/// n! / (k! (n-k)!).
pub(crate) fn choose(n: &Value, k: &Value) -> Result<Value, Problem> {
    let (top, bottom) = (count(n, "combinations")?, count(k, "combinations")?);
    if bottom > top {
        return Ok(Value::whole(0));
    }
    let fewer = Value::whole(bottom.min(top - bottom));
    let ways = permute(n, &fewer)?;
    let orders = factorial(&fewer)?;
    Ok(Value::whole(ways.number.numer() / orders.number.numer()))
}

/// `step` over a list of whole numbers (greatest common divisor, least common multiple).
pub(crate) fn common(list: &[Value], step: impl Fn(&BigInt, &BigInt) -> BigInt) -> Result<Value, Problem> {
    let mut total: Option<BigInt> = None;
    for value in list {
        if !value.number.is_integer() || value.bits() > 1 << 14 {
            return Err(Problem::impossible(format!(
                "a common divisor or multiple of `{}`\nhint: whole numbers are wanted",
                brief(&value.number)
            )));
        }
        let next = value.number.numer().abs();
        total = Some(match total {
            Some(total) => step(&total, &next),
            None => next,
        });
        if total.as_ref().is_some_and(|total| total.bits() > 1 << 15) {
            return Err(too_large());
        }
    }
    Ok(Value::whole(total.unwrap_or_else(BigInt::zero)))
}

/// The prime factors of `n`, smallest first; `None` when a part of it is too large to tell.
pub(crate) fn factors(n: u64) -> Option<Vec<u64>> {
    let (mut rest, mut found, mut trial) = (n, Vec::new(), 2);
    while trial * trial <= rest && trial <= LARGEST_TRIAL {
        while rest.is_multiple_of(trial) {
            found.push(trial);
            rest /= trial;
        }
        trial += if trial == 2 { 1 } else { 2 };
    }
    if trial * trial <= rest {
        return None;
    }
    if rest > 1 {
        found.push(rest);
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counting() {
        let whole = |n: u64| Value::whole(n);
        assert_eq!(factorial(&whole(5)), Ok(whole(120)));
        assert_eq!(factorial(&whole(2000)).unwrap().number.numer().to_string().len(), 5736);
        assert!(factorial(&whole(20_001)).is_err());
        assert_eq!(choose(&whole(10), &whole(3)), Ok(whole(120)));
        assert_eq!(choose(&whole(3), &whole(10)), Ok(whole(0)));
        assert_eq!(permute(&whole(10), &whole(3)), Ok(whole(720)));
        assert!(permute(&whole(u64::MAX), &whole(1 << 40)).is_err());
        assert_eq!(factors(360), Some(vec![2, 2, 2, 3, 3, 5]));
        assert_eq!(factors(97), Some(vec![97]));
        assert_eq!(factors(1), Some(vec![]));
    }
}
