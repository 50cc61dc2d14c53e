//! Amounts with units: `5 feet 11 inches`, `3 1/2 cups`, `half a litre`, `-40 F`, `6'2"`, `gas mark 4`.

use tomas_english::lex::{Kind, Token, lex, with_number_words};
use tomas_english::num_traits::{Signed, Zero};
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
    /// It is below zero.
    below: bool,
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
/// Without `powers`, `6ft2` is six feet and two inches.
pub(crate) fn read(text: &str, catalogue: &Catalogue, powers: bool) -> Result<Quantity, Problem> {
    let tokens = tokens(text)?;
    if tokens.iter().any(is_currency) {
        return Err(Problem::new(format!(
            "`{text}` is an amount of money\nhint: exchange rates are not known; units of measure are"
        )));
    }
    let mut reader = Reader { tokens: &tokens, at: 0, catalogue, text, powers };
    reader.quantity()
}

fn is_currency(token: &Token) -> bool {
    matches!(token.kind, Kind::Symbol('$' | '€' | '£' | '¥' | '₹'))
        || matches!(
            token.word().as_str(),
            "dollars" | "dollar" | "euros" | "euro" | "usd" | "eur" | "gbp" | "yen" | "rupees"
        )
}

pub(crate) struct Reader<'a> {
    pub(crate) tokens: &'a [Token],
    pub(crate) at: usize,
    pub(crate) catalogue: &'a Catalogue,
    text: &'a str,
    powers: bool,
}

impl Reader<'_> {
    pub(crate) fn token(&self, ahead: usize) -> Option<&Token> {
        self.tokens.get(self.at + ahead)
    }

    pub(crate) fn word(&self, ahead: usize) -> String {
        self.token(ahead).map(Token::word).unwrap_or_default()
    }

    pub(crate) fn symbol(&self, ahead: usize, symbol: char) -> bool {
        self.token(ahead).is_some_and(|token| token.is(symbol))
    }

    pub(crate) fn literal(&self, ahead: usize) -> Option<&Rational> {
        self.token(ahead).and_then(Token::number).map(|literal| &literal.value)
    }

    fn rest(&self) -> &[Token] {
        self.tokens.get(self.at..).unwrap_or_default()
    }

    pub(crate) fn unit(&mut self) -> Option<Vec<Measure>> {
        let hyphen = usize::from(self.symbol(0, '-') && self.token(0).is_some_and(|token| token.glued));
        let rest = self.tokens.get(self.at + hyphen..).unwrap_or_default();
        let read = |forgiving| compound::read_with(rest, self.catalogue, forgiving, self.powers);
        let (units, used) = read(false).or_else(|| read(true))?;
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
        let mut quantity = Quantity { pieces: Vec::new(), until: None, ingredient: None, below: false, target: None };
        let Some(number) = self.number() else {
            let units = match self.unit() {
                Some(units) => units,
                // `i weigh 70 kg`
                None => return self.behind_words(start),
            };
            // `gas mark 4`, `mach 2`, or a unit alone.
            let number = self.number().unwrap_or_else(|| ratio(1, 1));
            quantity.pieces.push(Piece { number, units });
            return self.tail(quantity);
        };
        if let Some(parts) = self.clock(&number) {
            quantity.pieces = self.of_clock(parts);
            return self.tail(quantity);
        }
        self.below(&mut quantity);
        quantity.until = self.range_end(&number);
        self.skip_noise();
        let place = self.at;
        let units = self.unit().ok_or_else(|| self.unknown(place))?;
        quantity.pieces.push(Piece { number, units });
        self.more(&mut quantity)?;
        self.tail(quantity)
    }

    /// The amount behind words that are neither numbers nor units.
    fn behind_words(&mut self, start: usize) -> Result<Quantity, Problem> {
        let number = self.rest().iter().position(|token| token.number().is_some()).filter(|place| *place > 0);
        let Some(place) = number else { return Err(self.unknown(start)) };
        let minus = self.tokens.get(self.at + place - 1).is_some_and(|token| token.is('-'));
        self.at += place - usize::from(minus && place > 1);
        self.quantity()
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
        let below = quantity.below || self.rest().iter().any(|token| token.word() == "below");
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

    /// `20 below zero celsius` says its sign late.
    fn below(&mut self, quantity: &mut Quantity) {
        if self.word(0) == "below" {
            quantity.below = true;
            self.at += 1;
            self.at += usize::from(self.literal(0).is_some_and(Zero::is_zero));
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
