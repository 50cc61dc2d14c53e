//! Numbers in words: `twenty five`, `one hundred and five`, `two and a half million`, `three point one`.

use std::cmp::Ordering;

use crate::small::Small;

/// A token as this reader sees it; words in lower case.
#[derive(Debug, Clone, Copy)]
pub enum Piece<'a> {
    /// A word.
    Word(&'a str),
    /// A number in digits.
    Digits(Small),
    /// A `-` right behind something.
    Hyphen,
    /// Anything else.
    Other,
}

const SMALL: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

/// 0 to 19 by name, with the usual misspellings.
#[must_use]
pub fn small(word: &str) -> Option<i64> {
    match word {
        "nought" | "naught" | "nil" => return Some(0),
        "fourty" | "forteen" => return (word == "forteen").then_some(14),
        "fiveteen" | "fiften" => return Some(15),
        "eigth" => return None,
        _ => {}
    }
    SMALL.iter().zip(0..).find(|(name, _)| **name == word).map(|(_, value)| value)
}

/// 20, 30 … 90 by name.
#[must_use]
pub fn tens(word: &str) -> Option<i64> {
    match word {
        "fourty" => Some(40),
        "ninty" => Some(90),
        "fivety" | "fity" => Some(50),
        _ => TENS.iter().zip(2..).find(|(name, _)| **name == word).map(|(_, value)| value * 10),
    }
}

/// The power of ten of `thousand`, `million` … in the short scale, and `lakh` and `crore`.
fn scale(word: &str) -> Option<u32> {
    Some(match word {
        "thousand" | "thousands" | "grand" => 3,
        "lakh" | "lakhs" => 5,
        "million" | "millions" | "mil" | "mio" | "mn" => 6,
        "crore" | "crores" => 7,
        "billion" | "billions" | "bn" => 9,
        "trillion" | "trillions" => 12,
        "quadrillion" => 15,
        "quintillion" => 18,
        "sextillion" => 21,
        "septillion" => 24,
        _ => return None,
    })
}

/// The denominator of `half`, `thirds` … and whether the word is a plural.
fn denominator(word: &str) -> Option<(i64, bool)> {
    let singular = match word {
        "halves" => return Some((2, true)),
        _ => word.strip_suffix('s').unwrap_or(word),
    };
    let value = match singular {
        "half" | "hal" => 2,
        "third" => 3,
        "quarter" | "fourth" => 4,
        "fifth" => 5,
        "sixth" => 6,
        "seventh" => 7,
        "eighth" => 8,
        "ninth" => 9,
        "tenth" => 10,
        "twelfth" => 12,
        "sixteenth" => 16,
        "twentieth" => 20,
        "hundredth" => 100,
        "thousandth" => 1000,
        _ => return None,
    };
    Some((value, word.ends_with('s')))
}

/// Reads the number that `pieces` start with, and how many of them it takes.
/// A number in digits alone is no number in words. `a` counts only before `hundred`, `dozen`, `half` …
#[must_use]
pub fn read(pieces: &[Piece<'_>]) -> Option<(Small, usize)> {
    let mut reader = Reader { pieces, at: 0 };
    let value = match reader.fraction(true) {
        Some(fraction) => fraction.times(reader.scale_behind_fraction()?)?,
        None => {
            let value = reader.cardinal()?;
            reader.tail(value)?
        }
    };
    let digits_only = reader.at == 1 && matches!(pieces.first(), Some(Piece::Digits(_)));
    (reader.at > 0 && !digits_only).then_some((value, reader.at))
}

/// What the last word of a cardinal was, which decides what may follow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Nothing,
    Small,
    Tens,
    Hundred,
    Scale,
    Digits,
}

struct Reader<'a> {
    pieces: &'a [Piece<'a>],
    at: usize,
}

impl<'a> Reader<'a> {
    fn word(&self, ahead: usize) -> &'a str {
        match self.pieces.get(self.at + ahead) {
            Some(Piece::Word(word)) => word,
            _ => "",
        }
    }

    fn hyphen(&self, ahead: usize) -> bool {
        matches!(self.pieces.get(self.at + ahead), Some(Piece::Hyphen))
    }

    /// `half`, `a quarter`, `two thirds`, `3 quarters`; a bare `half` only if `bare`.
    fn fraction(&mut self, bare: bool) -> Option<Small> {
        let (numerator, used) = match self.pieces.get(self.at)? {
            Piece::Word("a" | "an" | "one") => (1, 1),
            Piece::Word(word @ ("half" | "quarter")) if bare => {
                self.at += 1;
                return Some(Small::new(1, if *word == "half" { 2 } else { 4 }));
            }
            Piece::Word(word) => (small(word).filter(|n| *n > 0)?, 1),
            Piece::Digits(value) => (value.to_whole()?, 1),
            _ => return None,
        };
        let gap = usize::from(self.hyphen(used));
        let (bottom, plural) = denominator(self.word(used + gap))?;
        if plural != (numerator != 1) {
            return None;
        }
        self.at += used + gap + 1;
        Some(Small::new(numerator, bottom))
    }

    /// `half a million`, `quarter of a million`, `half dozen`: the million.
    fn scale_behind_fraction(&mut self) -> Option<Small> {
        let mut ahead = usize::from(self.word(0) == "of");
        ahead += usize::from(matches!(self.word(ahead), "a" | "an"));
        let value = match self.word(ahead) {
            "dozen" => Small::whole(12),
            "hundred" => Small::whole(100),
            word => match scale(word) {
                Some(power) => Small::ten_to(power)?,
                None => return Some(Small::ONE),
            },
        };
        self.at += ahead + 1;
        Some(value)
    }

    fn cardinal(&mut self) -> Option<Small> {
        // `point five`
        if self.word(0) == "point" {
            let start = self.at;
            let value = self.decimals()?;
            return (self.at > start).then_some(value);
        }
        let mut sum = Sum { total: Small::ZERO, current: None, least: Small::ZERO };
        let mut last = Last::Nothing;
        loop {
            let skip = self.joint(last);
            let Some(piece) = self.pieces.get(self.at + skip) else { break };
            let taken = match *piece {
                Piece::Digits(value) => sum.digits(value, last),
                Piece::Word(word) => sum.word(word, last),
                _ => None,
            };
            let Some(next) = taken else { break };
            self.at += skip + 1;
            last = next;
        }
        if last == Last::Nothing { None } else { sum.total.plus(sum.current.unwrap_or(Small::ZERO)) }
    }

    /// How many pieces between two words of a number say nothing: `a` before hundred, `and`, a hyphen.
    fn joint(&self, last: Last) -> usize {
        let numeral = |word: &str| small(word).is_some() || tens(word).is_some();
        match self.pieces.get(self.at) {
            Some(Piece::Hyphen) if last == Last::Tens && small(self.word(1)).is_some_and(|n| (1..10).contains(&n)) => 1,
            Some(Piece::Hyphen)
                if matches!(last, Last::Small | Last::Hundred | Last::Digits) && magnitude(self.word(1)) =>
            {
                1
            }
            Some(Piece::Word("and")) if matches!(last, Last::Hundred | Last::Scale) && numeral(self.word(1)) => {
                // `two hundred and three quarters` is a fraction behind the number.
                usize::from(denominator(self.word(2)).is_none())
            }
            Some(Piece::Word("a" | "an"))
                if last == Last::Nothing && (magnitude(self.word(1)) || self.word(1) == "couple") =>
            {
                1
            }
            _ => 0,
        }
    }

    /// `point five`, `and a half`, `dozen`, and a magnitude behind those.
    fn tail(&mut self, mut value: Small) -> Option<Small> {
        let whole = value.is_whole();
        if self.word(0) == "couple" {
            self.at += 1;
        }
        if self.word(0) == "point" {
            value = value.plus(self.decimals()?)?;
        } else if self.word(0) == "and" || self.hyphen(0) {
            value = value.plus(self.and_fraction())?;
        }
        let behind_fraction = whole && !value.is_whole();
        if behind_fraction && let Some(power) = scale(self.word(0)) {
            self.at += 1;
            value = value.times(Small::ten_to(power)?)?;
        }
        if matches!(self.word(0), "dozen" | "dozens") {
            self.at += 1;
            value = value.times(Small::whole(12))?;
        }
        Some(value)
    }

    fn decimals(&mut self) -> Option<Small> {
        let (mut value, mut place, start) = (Small::ZERO, Small::new(1, 10), self.at);
        self.at += 1;
        loop {
            let digit = match self.pieces.get(self.at) {
                Some(Piece::Word("oh" | "o")) => 0,
                Some(Piece::Word(word)) => match small(word) {
                    Some(digit) if digit < 10 => digit,
                    _ => break,
                },
                Some(Piece::Digits(digits)) => match digits.to_whole() {
                    Some(digit) if (0..10).contains(&digit) => digit,
                    _ => break,
                },
                _ => break,
            };
            value = value.plus(place.times(Small::whole(digit))?)?;
            place = place.times(Small::new(1, 10))?;
            self.at += 1;
        }
        if self.at == start + 1 {
            self.at = start;
        }
        Some(value)
    }

    /// `and a half`, `and three quarters`, `-and-a-half`; nothing when `of` follows.
    fn and_fraction(&mut self) -> Small {
        let start = self.at;
        self.at += usize::from(self.hyphen(0));
        if self.word(0) != "and" {
            self.at = start;
            return Small::ZERO;
        }
        self.at += 1;
        let hyphens = self.hyphen(0);
        self.at += usize::from(hyphens);
        match self.fraction(true) {
            Some(fraction) if self.word(0) != "of" => fraction,
            _ => {
                self.at = start;
                Small::ZERO
            }
        }
    }
}

fn magnitude(word: &str) -> bool {
    matches!(word, "hundred" | "dozen") || scale(word).is_some()
}

/// The number read so far.
struct Sum {
    /// What is complete, up to the last thousand or million.
    total: Small,
    /// What the next thousand or million will multiply.
    current: Option<Small>,
    /// The last thousand or million.
    least: Small,
}

impl Sum {
    /// Digits stand first or behind a larger magnitude: `2 million 500 thousand`.
    fn digits(&mut self, value: Small, last: Last) -> Option<Last> {
        let smaller = value.compare(self.least) == Ordering::Less && !value.is_zero();
        let continues = last == Last::Scale && self.current.is_none() && smaller;
        if last != Last::Nothing && !continues {
            return None;
        }
        self.current = Some(value);
        Some(Last::Digits)
    }

    /// Takes one word in; `None` when it does not continue the number.
    fn word(&mut self, word: &str, last: Last) -> Option<Last> {
        let open = matches!(last, Last::Nothing | Last::Hundred | Last::Scale);
        if let Some(value) = small(word) {
            let fits = open || (last == Last::Tens && (1..10).contains(&value));
            return if fits { self.grow(value, Last::Small) } else { None };
        }
        if let Some(value) = tens(word) {
            return if open { self.grow(value, Last::Tens) } else { None };
        }
        match word {
            "hundred" | "hundreds" if last != Last::Hundred => {
                self.current = Some(self.current.unwrap_or(Small::ONE).times(Small::whole(100))?);
                Some(Last::Hundred)
            }
            "couple" if last == Last::Nothing => self.grow(2, Last::Small),
            "dozen" if last == Last::Nothing => self.grow(12, Last::Small),
            _ => self.scale(Small::ten_to(scale(word)?)?, last),
        }
    }

    fn grow(&mut self, value: i64, last: Last) -> Option<Last> {
        self.current = Some(self.current.unwrap_or(Small::ZERO).plus(Small::whole(value))?);
        Some(last)
    }

    fn scale(&mut self, power: Small, last: Last) -> Option<Last> {
        let part = self.current;
        let total = if last == Last::Scale && part.is_none() {
            // `a thousand million` is a product.
            self.total.times(power)?
        } else if !self.least.is_zero() && power.compare(self.least) == Ordering::Greater {
            self.total.plus(part.unwrap_or(Small::ZERO))?.times(power)?
        } else {
            self.total.plus(part.unwrap_or(Small::ONE).times(power)?)?
        };
        (self.total, self.current, self.least) = (total, None, power);
        Some(Last::Scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Option<(Small, usize)> {
        let words: Vec<&str> = text.split(' ').collect();
        let pieces: Vec<Piece<'_>> = words
            .iter()
            .map(|word| match word.parse::<i64>() {
                Ok(value) => Piece::Digits(Small::whole(value)),
                Err(_) if *word == "-" => Piece::Hyphen,
                Err(_) => Piece::Word(word),
            })
            .collect();
        read(&pieces)
    }

    #[test]
    fn numbers_in_words() {
        for (text, numerator, denominator, used) in [
            ("twenty five", 25, 1, 2),
            ("twenty - five", 25, 1, 3),
            ("one hundred and five", 105, 1, 4),
            ("a hundred", 100, 1, 2),
            ("twelve hundred", 1200, 1, 2),
            ("two thousand and twenty six", 2026, 1, 5),
            ("three hundred and fifty thousand two hundred and one", 350_201, 1, 9),
            ("2 million 500 thousand", 2_500_000, 1, 4),
            ("half a million", 500_000, 1, 3),
            ("half", 1, 2, 1),
            ("a quarter of a million", 250_000, 1, 5),
            ("two and a half", 5, 2, 4),
            ("two and a half million", 2_500_000, 1, 5),
            ("3 and three quarters", 15, 4, 4),
            ("two thirds", 2, 3, 2),
            ("a third of", 1, 3, 2),
            ("a dozen", 12, 1, 2),
            ("3 dozen eggs", 36, 1, 2),
            ("half a dozen", 6, 1, 3),
            ("one and a half dozen", 18, 1, 5),
            ("a couple of", 2, 1, 2),
            ("three point one four", 157, 50, 4),
            ("point five", 1, 2, 2),
            ("two point five million", 2_500_000, 1, 4),
            ("five five", 5, 1, 1),
            ("one hundred and", 100, 1, 2),
            ("nine hundred ninety nine", 999, 1, 4),
            ("5 hundred", 500, 1, 2),
        ] {
            assert_eq!(value(text), Some((Small::new(numerator, denominator), used)), "{text}");
        }
        for text in ["a", "5", "plus", "third", "point", "an apple", "and"] {
            assert_eq!(value(text), None, "{text}");
        }
        assert_eq!(value("half").map(|(_, used)| used), Some(1));
    }
}
