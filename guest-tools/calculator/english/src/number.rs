//! Numbers in digits: `2,340`, `1 000 000`, `.5`, `1.5e-3`, `3 1/2`, `½`, `0xff`, `1.234,56`.

use num_bigint::BigInt;
use num_traits::{One, Zero, pow::Pow};

use crate::Rational;

/// Exponents above this make numbers that are no use to anybody.
const LARGEST_EXPONENT: u32 = 5_000;

/// What a comma between digits means when it does not separate thousands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comma {
    /// It ends the number, as in `max(3,5)`.
    Separates,
    /// It is the decimal sign, as in `3,5 km`.
    Decimal,
}

/// A number as it stands in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal {
    /// Its exact value.
    pub value: Rational,
    /// The characters it was read from.
    pub text: String,
    /// Digits after the decimal sign.
    pub decimals: usize,
    /// Whether it has thousands separators, so that `100,200,300` might be a list.
    pub grouped: bool,
}

/// The exponent of a number is too large; holds the text of the number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooLarge(pub String);

/// Whether a number starts with `chars`.
#[must_use]
pub fn starts(chars: &[char]) -> bool {
    match chars {
        [first, ..] if first.is_ascii_digit() || vulgar(*first).is_some() => true,
        ['.', second, ..] => second.is_ascii_digit(),
        _ => false,
    }
}

/// Reads the number that `chars` starts with; `None` when there is none. The second part is its length.
///
/// # Errors
/// [`TooLarge`] for an exponent above 5,000.
pub fn read(chars: &[char], comma: Comma) -> Result<Option<(Literal, usize)>, TooLarge> {
    if !starts(chars) {
        return Ok(None);
    }
    if let Some((value, length)) = radix(chars) {
        return Ok(Some((literal(chars, value, length, 0, false), length)));
    }
    let mut scan = Scan { chars, at: 0, digits: String::new(), decimals: 0, grouped: false };
    scan.integer();
    scan.fraction(comma);
    let exponent = scan.exponent().map_err(|()| TooLarge(text(chars, scan.at)))?;
    let mut value = Rational::from(scan.digits.parse::<BigInt>().unwrap_or_default());
    let shift = exponent - i64::try_from(scan.decimals).unwrap_or(i64::MAX);
    value = match u32::try_from(shift.unsigned_abs()) {
        Ok(places) if shift >= 0 => value * power_of_ten(places),
        Ok(places) => value / power_of_ten(places),
        Err(_) => return Err(TooLarge(text(chars, scan.at))),
    };
    if scan.decimals == 0 && exponent == 0 {
        value += scan.mixed();
    }
    let length = scan.at;
    Ok(Some((literal(chars, value, length, scan.decimals, scan.grouped), length)))
}

fn power_of_ten(places: u32) -> Rational {
    Rational::from(Pow::pow(BigInt::from(10), places))
}

fn text(chars: &[char], length: usize) -> String {
    chars.iter().take(length).collect()
}

fn literal(chars: &[char], value: Rational, length: usize, decimals: usize, grouped: bool) -> Literal {
    Literal { value, text: text(chars, length), decimals, grouped }
}

/// `0xff`, `0b101`, `0o17`.
fn radix(chars: &[char]) -> Option<(Rational, usize)> {
    let ['0', mark, ..] = chars else { return None };
    let radix = match mark.to_ascii_lowercase() {
        'x' => 16,
        'b' => 2,
        'o' => 8,
        _ => return None,
    };
    let digits: String = chars.iter().skip(2).take_while(|c| c.is_digit(radix) || **c == '_').collect();
    let length = 2 + digits.len();
    let ended = chars.get(length).is_none_or(|c| !c.is_alphanumeric());
    let value = BigInt::parse_bytes(digits.replace('_', "").as_bytes(), radix)?;
    ended.then(|| (Rational::from(value), length))
}

/// The value of `½` and its like.
fn vulgar(character: char) -> Option<Rational> {
    let (numerator, denominator) = match character {
        '½' => (1, 2),
        '⅓' => (1, 3),
        '⅔' => (2, 3),
        '¼' => (1, 4),
        '¾' => (3, 4),
        '⅕' => (1, 5),
        '⅖' => (2, 5),
        '⅗' => (3, 5),
        '⅘' => (4, 5),
        '⅙' => (1, 6),
        '⅚' => (5, 6),
        '⅛' => (1, 8),
        '⅜' => (3, 8),
        '⅝' => (5, 8),
        '⅞' => (7, 8),
        '⅒' => (1, 10),
        _ => return None,
    };
    Some(crate::ratio(numerator, denominator))
}

struct Scan<'a> {
    chars: &'a [char],
    at: usize,
    digits: String,
    decimals: usize,
    grouped: bool,
}

impl Scan<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn run(&self, from: usize) -> usize {
        self.chars.iter().skip(from).take_while(|c| c.is_ascii_digit()).count()
    }

    fn take(&mut self, count: usize) {
        self.digits.extend(self.chars.iter().skip(self.at).take(count));
        self.at += count;
    }

    fn integer(&mut self) {
        let first = self.run(0);
        self.take(first);
        if first == 0 || first > 3 || self.digits.starts_with('0') {
            return;
        }
        if let Some(separator) = self.peek(0).filter(|c| matches!(c, ',' | ' ' | '\'' | '_' | '.')) {
            for group in self.groups(separator) {
                self.at += 1;
                self.take(group);
                self.grouped = true;
            }
        }
    }

    /// The sizes of the groups behind the first, or none when this is no grouped number.
    fn groups(&self, separator: char) -> Vec<usize> {
        let mut sizes = Vec::new();
        let mut at = self.at;
        while self.chars.get(at) == Some(&separator) {
            let size = self.run(at + 1);
            if size != 3 && !(size == 2 && separator == ',') {
                break;
            }
            sizes.push(size);
            at += 1 + size;
        }
        // Groups of two are Indian, and then the last one has three.
        while sizes.last() == Some(&2) {
            sizes.pop();
        }
        if sizes.contains(&2) && self.at > 2 {
            sizes.clear();
        }
        let length: usize = sizes.iter().map(|size| size + 1).sum();
        let next = self.at + length;
        let unfinished = self.chars.get(next) == Some(&separator) && separator != ' ' && self.run(next + 1) > 0;
        let european = self.chars.get(next) == Some(&',') && matches!(self.run(next + 1), 1 | 2);
        match separator {
            // A dot groups only when it cannot be the decimal sign: `1.234.567`, `1.234,56`.
            '.' if sizes.len() < 2 && !european => Vec::new(),
            ',' | '.' if unfinished => Vec::new(),
            _ => sizes,
        }
    }

    fn fraction(&mut self, comma: Comma) {
        let european = self.grouped && self.chars.get(self.at.wrapping_sub(4)) == Some(&'.');
        let sign = match self.peek(0) {
            Some('.') => !european,
            Some(',') => european || (comma == Comma::Decimal && !self.grouped),
            _ => false,
        };
        let digits = self.run(self.at + 1);
        if sign && digits > 0 {
            self.at += 1;
            self.take(digits);
            self.decimals = digits;
        }
    }

    fn exponent(&mut self) -> Result<i64, ()> {
        if !matches!(self.peek(0), Some('e' | 'E')) {
            return Ok(0);
        }
        let signed = usize::from(matches!(self.peek(1), Some('+' | '-')));
        let start = self.at + 1 + signed;
        let length = self.run(start);
        let ended = self.chars.get(start + length).is_none_or(|c| !c.is_alphabetic());
        if length == 0 || !ended {
            return Ok(0);
        }
        let written: String = self.chars.iter().skip(start).take(length).collect();
        let size = written.parse::<u32>().ok().filter(|size| *size <= LARGEST_EXPONENT).ok_or(())?;
        let negative = self.peek(1) == Some('-');
        self.at = start + length;
        Ok(if negative { -i64::from(size) } else { i64::from(size) })
    }

    /// The fraction behind a whole number: `3 1/2`, `3½`, or zero.
    fn mixed(&mut self) -> Rational {
        let gap = usize::from(self.peek(0) == Some(' '));
        if let Some(value) = self.peek(gap).and_then(vulgar) {
            self.at += gap + 1;
            return value;
        }
        self.slashed().unwrap_or_else(Rational::zero)
    }

    fn slashed(&mut self) -> Option<Rational> {
        if self.peek(0) != Some(' ') || self.digits.is_empty() {
            return None;
        }
        let top = self.run(self.at + 1);
        let slash = self.at + 1 + top;
        let bottom = self.run(slash + 1);
        let end = slash + 1 + bottom;
        let closed = !matches!(self.chars.get(end), Some('/' | '.' | ',' | '!' | '^')) || self.run(end + 1) == 0;
        if self.chars.get(slash) != Some(&'/') || !(1..=3).contains(&top) || !(1..=3).contains(&bottom) || !closed {
            return None;
        }
        let read = |from: usize, count: usize| -> Option<BigInt> {
            self.chars.iter().skip(from).take(count).collect::<String>().parse().ok()
        };
        let (numerator, denominator) = (read(self.at + 1, top)?, read(slash + 1, bottom)?);
        if denominator.is_zero() || numerator >= denominator || denominator.is_one() {
            return None;
        }
        self.at = end;
        Some(Rational::new(numerator, denominator))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, comma: Comma, value: (i64, i64), length: usize) {
        let chars: Vec<char> = text.chars().collect();
        let (literal, read) = read(&chars, comma).unwrap().unwrap();
        assert_eq!((literal.value, read), (crate::ratio(value.0, value.1), length), "{text}");
    }

    #[test]
    fn digits_of_all_kinds() {
        for (text, numerator, denominator, length) in [
            ("42", 42, 1, 2),
            ("2,340", 2340, 1, 5),
            ("1,234,567.5", 2_469_135, 2, 11),
            ("1,00,000", 100_000, 1, 8),
            ("12 000 000 km", 12_000_000, 1, 10),
            ("1'000", 1000, 1, 5),
            (".5", 1, 2, 2),
            ("5.", 5, 1, 1),
            ("1.5e-3", 3, 2000, 6),
            ("2e3", 2000, 1, 3),
            ("2em", 2, 1, 1),
            ("3 1/2 cups", 7, 2, 5),
            ("3½", 7, 2, 2),
            ("½", 1, 2, 1),
            ("7 8/3", 7, 1, 1),
            ("0xff", 255, 1, 4),
            ("0b101", 5, 1, 5),
            ("1.234,56", 30864, 25, 8),
            ("1.234.567", 1_234_567, 1, 9),
            ("1.234", 617, 500, 5),
            ("3,5", 3, 1, 1),
            ("12,3456", 12, 1, 2),
            ("1,234,5", 1, 1, 1),
            ("0.125", 1, 8, 5),
        ] {
            check(text, Comma::Separates, (numerator, denominator), length);
        }
        check("3,5", Comma::Decimal, (7, 2), 3);
        check("1,500", Comma::Decimal, (1500, 1), 5);
        check("0,125", Comma::Decimal, (1, 8), 5);
    }

    #[test]
    fn absurd_exponents_are_refused() {
        let chars: Vec<char> = "1e999999999999".chars().collect();
        assert_eq!(read(&chars, Comma::Separates), Err(TooLarge("1".to_owned())));
    }
}
