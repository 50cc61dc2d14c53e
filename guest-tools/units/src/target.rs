//! What to convert to: a unit, several (`feet and inches`), or a system (`metric`).

use tomas_english::lex::{Kind, Token};

use crate::catalogue::Catalogue;
use crate::compound;
use crate::dimension::Dimension;
use crate::measure::Measure;
use crate::problem::Problem;
use crate::quantity;

/// What the result should be in.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// One unit, with its readings.
    Unit(Vec<Measure>),
    /// Units of one kind that share the amount, each with its readings: `feet and inches`.
    Mixed(Vec<Vec<Measure>>),
    /// Units of the metric system that suit the size.
    Metric,
    /// Units of the US customary system that suit the size.
    Imperial,
}

/// Words before a unit that say nothing.
const NOISE: [&str; 25] = [
    "in",
    "to",
    "into",
    "as",
    "the",
    "how",
    "many",
    "much",
    "what",
    "is",
    "are",
    "number",
    "of",
    "convert",
    "unit",
    "units",
    "please",
    "expressed",
    "terms",
    "it",
    "a",
    "an",
    "system",
    "for",
    "be",
];

/// Reads the targets of `text`, which `;`, `,`, `or` separate.
pub(crate) fn read(text: &str, catalogue: &Catalogue) -> Result<Vec<Target>, Problem> {
    let tokens = quantity::tokens(text)?;
    let mut targets = Vec::new();
    let parts = tokens.split(|token| token.is(';') || token.is(',') || token.word() == "or");
    for part in parts.filter(|part| !part.is_empty()) {
        targets.extend(one(part, text, catalogue)?);
    }
    if targets.is_empty() {
        return Err(Problem::new(
            "`to` names no unit\nhint: for example `km`, `feet and inches`, `celsius` or `metric`",
        ));
    }
    Ok(targets)
}

fn one(tokens: &[Token], text: &str, catalogue: &Catalogue) -> Result<Vec<Target>, Problem> {
    let arrow = |token: &Token| matches!(token.kind, Kind::Symbol('-' | '>' | '=' | ':' | '→'));
    let start = tokens.iter().position(|token| !NOISE.contains(&token.word().as_str()) && !arrow(token));
    // `in` alone is the inch.
    let tokens = tokens.get(start.unwrap_or(tokens.len().saturating_sub(1))..).unwrap_or_default();
    match tokens.first().map(Token::word).as_deref() {
        Some("metric" | "si") if tokens.len() <= 2 => return Ok(vec![Target::Metric]),
        Some("imperial" | "us" | "american" | "customary") if tokens.len() <= 2 => {
            let unit = tokens.get(1).is_some_and(|token| !catalogue.find(&token.word()).is_empty());
            if !unit {
                return Ok(vec![Target::Imperial]);
            }
        }
        _ => {}
    }
    let mut units: Vec<Vec<Measure>> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let rest = tokens.get(at..).unwrap_or_default();
        let joint = |token: &Token| {
            matches!(token.kind, Kind::Symbol('&' | '+' | '/' | '(' | ')'))
                || matches!(token.word().as_str(), "and" | "plus" | "then")
        };
        if rest.first().is_some_and(joint) && !units.is_empty() {
            at += 1;
            continue;
        }
        match compound::read(rest, catalogue, false).or_else(|| compound::read(rest, catalogue, true)) {
            // `feet/inches` are two units, not a ratio.
            Some((found, used)) if found.iter().all(|unit| unit.dimension == Dimension::default()) => {
                let slash = rest.iter().position(|token| token.is('/')).unwrap_or(used);
                let front = rest.get(..slash).unwrap_or_default();
                let Some((first, _)) = compound::read(front, catalogue, false) else { break };
                units.push(first);
                at += slash + 1;
            }
            Some((found, used)) => {
                units.push(found);
                at += used;
            }
            None if units.is_empty() => return Err(unknown(tokens, text, catalogue)),
            // `km please`, `cups of flour`
            None => break,
        }
    }
    Ok(sorted(units))
}

/// Feet and inches share an amount; miles and kilometres each have the whole.
fn sorted(mut units: Vec<Vec<Measure>>) -> Vec<Target> {
    let dimension = |readings: &[Measure]| readings.first().map(|unit| unit.dimension);
    let (first, kin) = (units.first().and_then(|unit| dimension(unit)), units.len() > 1);
    let shared = kin && units.iter().all(|unit| dimension(unit) == first) && related(&units);
    if shared {
        units.sort_by(|a, b| b.first().map(|unit| &unit.factor).cmp(&a.first().map(|unit| &unit.factor)));
        return vec![Target::Mixed(units)];
    }
    // `lb/ft` is read as a compound before it comes here, so that what is left are separate units.
    units.into_iter().map(Target::Unit).collect()
}

/// Whether each larger unit is a whole number of the next smaller one, and not too many of them.
fn related(units: &[Vec<Measure>]) -> bool {
    let mut factors: Vec<_> = units.iter().filter_map(|unit| unit.first().map(|unit| &unit.factor)).collect();
    factors.sort();
    factors.windows(2).all(|pair| match pair {
        [small, large] => {
            let ratio = *large / *small;
            ratio.is_integer() && ratio > tomas_english::ratio(1, 1)
        }
        _ => false,
    })
}

fn unknown(tokens: &[Token], text: &str, catalogue: &Catalogue) -> Problem {
    let word = tokens.iter().map(Token::word).find(|word| !word.is_empty()).unwrap_or_else(|| text.trim().to_owned());
    let close = catalogue.suggestions(&word);
    let hint = if close.is_empty() {
        "length, mass, volume, temperature, area, speed, time, data, energy, power, pressure, angle, force and fuel economy are known".to_owned()
    } else {
        format!("close names are `{}`", close.join("`, `"))
    };
    Problem::new(format!("`{word}` is not a known unit\nhint: {hint}"))
}
