//! Roman numerals.

use tomas_english::Rational;
use tomas_english::num_traits::ToPrimitive;

const SIGNS: [(u32, &str); 13] = [
    (1000, "M"),
    (900, "CM"),
    (500, "D"),
    (400, "CD"),
    (100, "C"),
    (90, "XC"),
    (50, "L"),
    (40, "XL"),
    (10, "X"),
    (9, "IX"),
    (5, "V"),
    (4, "IV"),
    (1, "I"),
];

/// The numeral of a whole number from 1 to 3999.
pub(crate) fn numeral(number: &Rational) -> Option<String> {
    let mut rest = number.is_integer().then(|| number.numer().to_u32()).flatten().filter(|n| (1..4000).contains(n))?;
    let mut numeral = String::new();
    for (value, sign) in SIGNS {
        while rest >= value {
            numeral.push_str(sign);
            rest -= value;
        }
    }
    Some(numeral)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tomas_english::ratio;

    #[test]
    fn numerals() {
        assert_eq!(numeral(&ratio(1994, 1)).as_deref(), Some("MCMXCIV"));
        assert_eq!(numeral(&ratio(0, 1)), None);
        assert_eq!(numeral(&ratio(1, 2)), None);
    }
}
