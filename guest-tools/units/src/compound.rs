//! Units as people write them: `km/h`, `square feet`, `lb per cubic inch`, `N*m`, `l/100km`, `p.s.i.`.

use tomas_english::lex::{Kind, Token};
use tomas_english::num_traits::ToPrimitive;
use tomas_english::{Rational, ratio};

use crate::catalogue::Catalogue;
use crate::measure::Measure;

/// Names of units have at most this many words and signs.
const LONGEST: usize = 7;
/// Readings of an ambiguous compound that are kept.
const MOST_READINGS: usize = 8;

/// The readings of the unit that `tokens` start with, likeliest first, and how many tokens it takes.
/// `forgiving` allows slips of the finger.
pub(crate) fn read(tokens: &[Token], catalogue: &Catalogue, forgiving: bool) -> Option<(Vec<Measure>, usize)> {
    read_with(tokens, catalogue, forgiving, true)
}

/// As [`read`]; without `powers`, `ft2` is a foot and a number behind it.
pub(crate) fn read_with(
    tokens: &[Token],
    catalogue: &Catalogue,
    forgiving: bool,
    powers: bool,
) -> Option<(Vec<Measure>, usize)> {
    let mut reader = Reader { tokens, catalogue, forgiving, powers, at: 0 };
    let mut readings = reader.factor()?;
    loop {
        let start = reader.at;
        match reader.operator(&readings) {
            Some(Operator::Times) => match reader.factor() {
                Some(factor) => readings = cross(&readings, &factor, |a, b| a.times(b)),
                None => reader.at = start,
            },
            Some(Operator::Per) => {
                let count = reader.count();
                match reader.factor() {
                    Some(factor) => readings = cross(&readings, &factor, |a, b| a.per(b, &count)),
                    None => reader.at = start,
                }
            }
            None => reader.at = start,
        }
        if reader.at == start || readings.is_empty() {
            reader.at = start;
            break;
        }
    }
    (!readings.is_empty()).then_some((readings, reader.at))
}

fn cross(left: &[Measure], right: &[Measure], join: impl Fn(&Measure, &Measure) -> Option<Measure>) -> Vec<Measure> {
    let pairs = left.iter().flat_map(|a| right.iter().map(move |b| (a, b)));
    pairs.filter_map(|(a, b)| join(a, b)).take(MOST_READINGS).collect()
}

enum Operator {
    Times,
    Per,
}

struct Reader<'a> {
    tokens: &'a [Token],
    catalogue: &'a Catalogue,
    forgiving: bool,
    powers: bool,
    at: usize,
}

impl Reader<'_> {
    fn token(&self, ahead: usize) -> Option<&Token> {
        self.tokens.get(self.at + ahead)
    }

    fn word(&self, ahead: usize) -> String {
        self.token(ahead).map(Token::word).unwrap_or_default()
    }

    /// What joins the next unit to the last: nothing, `*`, `/`, `per`, `an`.
    fn operator(&mut self, readings: &[Measure]) -> Option<Operator> {
        let token = self.token(0)?;
        let operator = match &token.kind {
            Kind::Symbol('*') => Operator::Times,
            Kind::Symbol('/') => Operator::Per,
            // `newton-metre`, but not the next quantity of `5-foot-2`.
            Kind::Symbol('-') if token.glued && !self.word(1).is_empty() => Operator::Times,
            Kind::Word(_) => match token.word().as_str() {
                "per" => Operator::Per,
                "a" | "an" | "each" | "every" if self.is_time(1) => Operator::Per,
                "times" => Operator::Times,
                // `newton metres` are a product, `feet inches` two units of one kind.
                _ => return self.is_factor_of_other_kind(readings).then_some(Operator::Times),
            },
            _ => return None,
        };
        self.at += 1;
        Some(operator)
    }

    fn is_time(&self, ahead: usize) -> bool {
        let found = self.catalogue.find(&self.word(ahead));
        found.first().is_some_and(|unit| unit.dimension == crate::dimension::Dimension::read("T"))
    }

    fn is_factor_of_other_kind(&self, readings: &[Measure]) -> bool {
        if matches!(self.word(0).as_str(), "in" | "to" | "of" | "and" | "a" | "t" | "c" | "as" | "at" | "or") {
            return false;
        }
        let mut ahead =
            Reader { tokens: self.tokens.get(self.at..).unwrap_or_default(), at: 0, forgiving: false, ..*self };
        let Some(factor) = ahead.factor() else { return false };
        factor.iter().all(|unit| readings.iter().all(|reading| reading.dimension != unit.dimension))
    }

    /// The 100 of `l/100km`.
    fn count(&mut self) -> Rational {
        match self.token(0).and_then(Token::number) {
            Some(literal) => {
                let value = literal.value.clone();
                self.at += 1;
                value
            }
            None => ratio(1, 1),
        }
    }

    fn factor(&mut self) -> Option<Vec<Measure>> {
        let before = match self.word(0).as_str() {
            "square" | "sq" | "squared" | "sqr" => 2,
            "cubic" | "cu" | "cubed" | "cube" => 3,
            _ => 1,
        };
        // `square` alone is no unit, and `square metres` is in the table for its misspellings.
        let whole = if before == 1 { None } else { self.name() };
        let units = match whole {
            Some(units) => return Some(units),
            None => {
                self.at += usize::from(before != 1);
                self.name()?
            }
        };
        let power = if before == 1 { self.exponent() } else { before };
        let raised: Vec<Measure> = units.iter().filter_map(|unit| unit.power(power)).collect();
        (!raised.is_empty()).then_some(raised)
    }

    fn exponent(&mut self) -> i8 {
        let small = |token: Option<&Token>| {
            let value = &token?.number()?.value;
            value.is_integer().then(|| value.numer().to_i8()).flatten().filter(|power| (1..=9).contains(power))
        };
        let (used, power) = match self.token(0).map(|token| &token.kind) {
            Some(Kind::Symbol('^')) if self.token(1).is_some_and(|token| token.is('-')) => {
                (3, small(self.token(2)).map(|power| -power))
            }
            Some(Kind::Symbol('^')) => (2, small(self.token(1))),
            Some(Kind::Number(_)) if self.glued_behind_word() => (1, small(self.token(0)).filter(|power| *power <= 3)),
            Some(Kind::Word(_)) => match self.word(0).as_str() {
                "squared" | "square" => (1, Some(2)),
                "cubed" | "cube" => (1, Some(3)),
                _ => return 1,
            },
            _ => return 1,
        };
        match power {
            Some(power) => {
                self.at += used;
                power
            }
            None => 1,
        }
    }

    /// `m2`, but not `5'2`.
    fn glued_behind_word(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|place| self.tokens.get(place));
        self.powers
            && self.token(0).is_some_and(|token| token.glued)
            && before.is_some_and(|token| !token.word().is_empty())
    }

    /// The longest name of a unit from here.
    fn name(&mut self) -> Option<Vec<Measure>> {
        let available = self.tokens.len().saturating_sub(self.at).min(LONGEST);
        for length in (2..=available).rev() {
            let window = self.tokens.get(self.at..self.at + length)?;
            let starts_with_word = matches!(window.first()?.kind, Kind::Word(_) | Kind::Symbol('°'));
            if !starts_with_word {
                break;
            }
            let found = self.catalogue.find_listed(&spell(window));
            if !found.is_empty() {
                self.at += length;
                return Some(found);
            }
            // `kilo meters`, `mega bytes`
            if let [first, second] = window
                && !first.word().is_empty()
                && !second.word().is_empty()
                && first.word().len() > 3
            {
                let found = self.catalogue.find(&format!("{}{}", first.word(), second.word()));
                if !found.is_empty() {
                    self.at += 2;
                    return Some(found);
                }
            }
        }
        let name = match &self.token(0)?.kind {
            Kind::Word(word) => word.clone(),
            Kind::Symbol(symbol @ ('\'' | '"' | '°' | '#')) => self.doubled(*symbol),
            _ => return None,
        };
        let mut found = self.catalogue.find(&name);
        if found.is_empty() && self.forgiving {
            found = self.catalogue.meant(&name);
        }
        if found.is_empty() {
            return None;
        }
        self.at += if name == "\"" && self.token(0).is_some_and(|token| token.is('\'')) { 2 } else { 1 };
        Some(found)
    }

    /// Two apostrophes are an inch sign.
    fn doubled(&self, symbol: char) -> String {
        let twice = symbol == '\'' && self.token(1).is_some_and(|token| token.is('\'') && token.glued);
        if twice { "\"".to_owned() } else { symbol.to_string() }
    }
}

/// The characters of tokens, with spaces where they were; a `°` holds its letter.
fn spell(tokens: &[Token]) -> String {
    let mut spelled = String::new();
    for token in tokens {
        if !token.glued && !spelled.is_empty() && !spelled.ends_with('°') {
            spelled.push(' ');
        }
        match &token.kind {
            Kind::Word(word) => spelled.push_str(word),
            Kind::Number(literal) => spelled.push_str(&literal.text),
            Kind::Symbol(symbol) => spelled.push(*symbol),
        }
    }
    spelled
}
