//! Amounts with units: `5 feet 11 inches`, `3 1/2 cups`, `half a litre`, `-40 F`, `6'2"`, `gas mark 4`.

use tomas_english::lex::{Kind, Token, lex, with_number_words};
use tomas_english::num_traits::{Signed, ToPrimitive, Zero, pow::Pow};
use tomas_english::number::Comma;
use tomas_english::{Rational, fold, ratio};

use crate::catalogue::Catalogue;
use crate::compound;
use crate::kitchen;
use crate::measure::Measure;
use crate::problem::Problem;

/// A number of one unit; the unit may have several readings.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    /// How many.
    pub(crate) number: Rational,
    /// Of what, likeliest reading first.
    pub(crate) units: Vec<Measure>,
}

/// One amount.
#[derive(Debug, Clone)]
pub(crate) struct Quantity {
    /// The pieces, e.g. feet and inches.
    pub(crate) pieces: Vec<Piece>,
    /// The far end of a range such as `2-3 cups`.
    pub(crate) until: Option<Rational>,
    /// Grams per millilitre of the ingredient it is of.
    pub(crate) ingredient: Option<(String, Rational)>,
    /// What stood behind it after `in` or `to`.
    pub(crate) target: Option<String>,
}

/// Words around an amount that say nothing.
const NOISE: [&str; 40] = [
    "about",
    "around",
    "roughly",
    "approximately",
    "approx",
    "exactly",
    "nearly",
    "almost",
    "just",
    "over",
    "under",
    "convert",
    "what",
    "what's",
    "whats",
    "is",
    "are",
    "how",
    "much",
    "many",
    "the",
    "my",
    "it",
    "it's",
    "its",
    "be",
    "was",
    "that",
    "this",
    "please",
    "only",
    "some",
    "tall",
    "long",
    "high",
    "wide",
    "deep",
    "old",
    "away",
    "of",
];

/// Tokens of a request, with abbreviation dots and the question mark gone.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, Problem> {
    let folded = fold::characters(text);
    let tokens = lex(&folded, Comma::Decimal).map_err(|number| {
        Problem::new(format!("`{}` has an exponent above 5000\nhint: write a smaller number", number.0))
    })?;
    let tokens = tokens.into_iter().filter(|token| !matches!(token.kind, Kind::Symbol('.' | '?' | '!' | '~' | '`')));
    Ok(with_number_words(tokens.collect()))
}

/// Reads one amount.
pub(crate) fn read(text: &str, catalogue: &Catalogue) -> Result<Quantity, Problem> {
    let tokens = tokens(text)?;
    if tokens.iter().any(is_currency) {
        return Err(Problem::new(format!(
            "`{text}` is an amount of money\nhint: exchange rates are not known; units of measure are"
        )));
    }
    let mut reader = Reader { tokens: &tokens, at: 0, catalogue, text };
    reader.quantity()
}

fn is_currency(token: &Token) -> bool {
    matches!(token.kind, Kind::Symbol('$' | '€' | '£' | '¥' | '₹'))
        || matches!(
            token.word().as_str(),
            "dollars" | "dollar" | "euros" | "euro" | "usd" | "eur" | "gbp" | "yen" | "rupees"
        )
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    catalogue: &'a Catalogue,
    text: &'a str,
}

impl Reader<'_> {
    fn token(&self, ahead: usize) -> Option<&Token> {
        self.tokens.get(self.at + ahead)
    }

    fn word(&self, ahead: usize) -> String {
        self.token(ahead).map(Token::word).unwrap_or_default()
    }

    fn symbol(&self, ahead: usize, symbol: char) -> bool {
        self.token(ahead).is_some_and(|token| token.is(symbol))
    }

    fn literal(&self, ahead: usize) -> Option<&Rational> {
        self.token(ahead).and_then(Token::number).map(|literal| &literal.value)
    }

    fn rest(&self) -> &[Token] {
        self.tokens.get(self.at..).unwrap_or_default()
    }

    fn unit(&mut self) -> Option<Vec<Measure>> {
        let hyphen = usize::from(self.symbol(0, '-') && self.token(0).is_some_and(|token| token.glued));
        let rest = self.tokens.get(self.at + hyphen..).unwrap_or_default();
        let (units, used) =
            compound::read(rest, self.catalogue, false).or_else(|| compound::read(rest, self.catalogue, true))?;
        self.at += hyphen + used;
        Some(units)
    }

    fn skip_noise(&mut self) {
        while NOISE.contains(&self.word(0).as_str()) {
            self.at += 1;
        }
    }

    fn quantity(&mut self) -> Result<Quantity, Problem> {
        self.skip_noise();
        let start = self.at;
        let mut quantity = Quantity { pieces: Vec::new(), until: None, ingredient: None, target: None };
        let Some(number) = self.number() else {
            let units = self.unit().ok_or_else(|| self.unknown(start))?;
            // `gas mark 4`, `mach 2`, or a unit alone.
            let number = self.number().unwrap_or_else(|| ratio(1, 1));
            quantity.pieces.push(Piece { number, units });
            return self.tail(quantity);
        };
        let number = match self.clock(&number) {
            Some(seconds) => {
                let units = self.unit_behind_clock();
                quantity
                    .pieces
                    .push(Piece { number: if units.1 { seconds / ratio(60, 1) } else { seconds }, units: units.0 });
                return self.tail(quantity);
            }
            None => number,
        };
        quantity.until = self.range_end(&number);
        self.skip_noise();
        let place = self.at;
        let units = self.unit().ok_or_else(|| self.unknown(place))?;
        quantity.pieces.push(Piece { number, units });
        self.more(&mut quantity)?;
        self.tail(quantity)
    }

    /// `11 inches` behind `5 feet`, or just `11`.
    fn more(&mut self, quantity: &mut Quantity) -> Result<(), Problem> {
        loop {
            let start = self.at;
            while matches!(self.word(0).as_str(), "and" | "plus")
                || self.symbol(0, ',')
                || self.symbol(0, '&')
                || self.symbol(0, '+')
            {
                self.at += 1;
            }
            self.at += usize::from(self.symbol(0, '-') && self.literal(1).is_some());
            let Some(number) = self.number() else {
                self.at = start;
                return Ok(());
            };
            let place = self.at;
            match self.unit() {
                Some(units) => quantity.pieces.push(Piece { number, units }),
                None => {
                    let last = quantity.pieces.last().and_then(|piece| piece.units.first());
                    let part = last.and_then(|unit| smaller(&unit.singular)).map(|name| self.catalogue.find(name));
                    let units = part.ok_or_else(|| self.unknown(place))?;
                    quantity.pieces.push(Piece { number, units });
                }
            }
        }
    }

    /// What may follow an amount: an ingredient, `in cm`, words that say nothing.
    fn tail(&mut self, mut quantity: Quantity) -> Result<Quantity, Problem> {
        let below = self.rest().iter().any(|token| token.word() == "below");
        if below && quantity.pieces.iter().all(|piece| piece.number.is_positive()) {
            for piece in &mut quantity.pieces {
                piece.number = -piece.number.clone();
            }
        }
        let words: Vec<String> = self.rest().iter().map(Token::word).collect();
        if let Some(place) = words.iter().position(|word| matches!(word.as_str(), "in" | "to" | "into" | "as")) {
            let behind = self.tokens.get(self.at + place + 1..).unwrap_or_default();
            if compound::read(behind, self.catalogue, false).is_some() {
                quantity.target = behind_text(self.text);
            }
        }
        let of = words.iter().map(String::as_str).filter(|word| !word.is_empty() && *word != "of").collect::<Vec<_>>();
        quantity.ingredient = kitchen::find(&of);
        if quantity.ingredient.is_none()
            && self.rest().iter().any(|token| token.number().is_some())
            && quantity.target.is_none()
        {
            return Err(self.unknown(self.at));
        }
        Ok(quantity)
    }

    fn unknown(&self, place: usize) -> Problem {
        let tokens = self.tokens.get(place..).unwrap_or_default();
        let word = tokens.iter().map(Token::word).find(|word| !word.is_empty() && !NOISE.contains(&word.as_str()));
        let Some(word) = word else {
            return Problem::new(format!(
                "`{}` has no unit\nhint: write a number and a unit, such as `5 feet 11 inches` or `26.2 miles`",
                self.text.trim()
            ));
        };
        let close = self.catalogue.suggestions(&word);
        let hint = if close.is_empty() {
            "write a unit such as `km`, `pounds`, `°F`, `cups`, `mph`".to_owned()
        } else {
            format!("close names are `{}`", close.join("`, `"))
        };
        Problem::new(format!("`{word}` in `{}` is not a known unit\nhint: {hint}", self.text.trim()))
    }

    /// `-3 1/2`, `1/2`, `3 x 10^8`, `a`, `half a`.
    fn number(&mut self) -> Option<Rational> {
        let start = self.at;
        let minus = self.symbol(0, '-') || matches!(self.word(0).as_str(), "minus" | "negative");
        let plus = self.symbol(0, '+');
        self.at += usize::from(minus || plus);
        let found = self.unsigned();
        if found.is_none() {
            self.at = start;
        }
        found.map(|number| if minus { -number } else { number })
    }

    fn unsigned(&mut self) -> Option<Rational> {
        if matches!(self.word(0).as_str(), "a" | "an") {
            self.at += 1;
            return Some(ratio(1, 1));
        }
        let mut number = self.literal(0)?.clone();
        let spelled = self.token(0)?.number()?.text.chars().any(char::is_alphabetic);
        self.at += 1;
        if self.symbol(0, '/')
            && let Some(below) = self.literal(1).filter(|below| !below.is_zero())
        {
            number /= below.clone();
            self.at += 2;
        } else if self.symbol(0, '-')
            && self.symbol(2, '/')
            && let (Some(top), Some(below)) = (self.literal(1), self.literal(3))
        {
            // `5-1/2 inches`
            if top < below {
                number += top / below;
                self.at += 4;
            }
        }
        number *= self.power_of_ten();
        let thousands =
            self.word(0) == "k" && self.token(0).is_some_and(|token| token.glued) && !self.word(1).is_empty();
        if thousands
            && compound::read(self.tokens.get(self.at + 1..)?, self.catalogue, false).is_some()
            && !matches!(self.word(1).as_str(), "in" | "to")
        {
            number *= ratio(1000, 1);
            self.at += 1;
        }
        if spelled {
            // `half of a`, `a couple of`
            self.at += usize::from(self.word(0) == "of");
            self.at += usize::from(matches!(self.word(0).as_str(), "a" | "an"));
        }
        Some(number)
    }

    /// The `x 10^8` behind a number.
    fn power_of_ten(&mut self) -> Rational {
        let times = self.symbol(0, '*') || self.word(0) == "x" || self.word(0) == "times";
        let ten = self.literal(1).is_some_and(|ten| *ten == ratio(10, 1));
        if !(times && ten && self.symbol(2, '^')) {
            return ratio(1, 1);
        }
        let negative = self.symbol(3, '-');
        let power = self.literal(3 + usize::from(negative)).and_then(|power| power.to_integer().to_i32());
        match power.filter(|power| (0..=400).contains(power)) {
            Some(power) => {
                self.at += 4 + usize::from(negative);
                Pow::pow(ratio(10, 1), if negative { -power } else { power })
            }
            None => ratio(1, 1),
        }
    }

    /// The 3 of `2-3 cups` and `2 to 3 cups`.
    fn range_end(&mut self, from: &Rational) -> Option<Rational> {
        let joined = self.symbol(0, '-') || matches!(self.word(0).as_str(), "to" | "or" | "until");
        let end = self.literal(1).filter(|end| joined && *end > from)?.clone();
        self.at += 2;
        Some(end)
    }

    /// `1:30` or `1:30:15` as seconds, of hours and minutes.
    fn clock(&mut self, hours: &Rational) -> Option<Rational> {
        let sixty = ratio(60, 1);
        let minutes = self.literal(1).filter(|minutes| self.symbol(0, ':') && **minutes < sixty)?.clone();
        self.at += 2;
        let mut seconds = (hours * &sixty + minutes) * &sixty;
        if self.symbol(0, ':')
            && let Some(more) = self.literal(1)
        {
            seconds += more;
            self.at += 2;
        }
        Some(seconds)
    }

    /// The second, and whether `minutes` behind the clock time make it minutes and seconds.
    fn unit_behind_clock(&mut self) -> (Vec<Measure>, bool) {
        let seconds = self.catalogue.find("second");
        let start = self.at;
        match self.unit() {
            Some(units) if units.first().is_some_and(|unit| unit.singular == "minute") => (seconds, true),
            Some(units) if units.first().is_some_and(|unit| unit.singular == "hour") => (seconds, false),
            _ => {
                self.at = start;
                (seconds, false)
            }
        }
    }
}

/// The text behind the last ` in ` or ` to `.
fn behind_text(text: &str) -> Option<String> {
    let lowered = text.to_lowercase();
    let place = [" in ", " to ", " into ", " as "]
        .iter()
        .filter_map(|word| lowered.rfind(word).map(|at| at + word.len()))
        .max()?;
    lowered.get(place..).map(str::to_owned)
}

/// The unit of a bare number behind another unit: inches behind feet.
fn smaller(unit: &str) -> Option<&'static str> {
    Some(match unit {
        "foot" => "inch",
        "yard" => "foot",
        "stone" => "pound",
        "pound" => "ounce",
        "hour" => "minute",
        "minute" => "second",
        "day" => "hour",
        "metre" => "centimetre",
        "kilometre" => "metre",
        "kilogram" => "gram",
        "degree" => "arcminute",
        "arcminute" => "arcsecond",
        "year" => "month",
        _ => return None,
    })
}
