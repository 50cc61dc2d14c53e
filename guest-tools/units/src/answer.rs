//! From a request to the sentence that answers it.

use serde_json::{Map, Value as Json, json};
use tomas_english::num_traits::{One, Signed};
use tomas_english::{Rational, ratio, show};

use crate::catalogue::{self, Catalogue};
use crate::convert::{self, Converted};
use crate::measure::Measure;
use crate::problem::Problem;
use crate::quantity;
use crate::target;

/// Longer requests are refused, in characters.
const LONGEST: usize = 20_000;
/// Significant digits of a result in the answer.
const DIGITS: u32 = 6;
/// Significant digits of `value`, for further calculation.
const VALUE_DIGITS: u32 = 12;

/// Converts all amounts of `text`, which are separated by `;` or lines, to `to`.
pub(crate) fn answer(text: &str, to: &str) -> Result<Json, Problem> {
    if text.chars().count() > LONGEST || to.chars().count() > LONGEST {
        return Err(Problem::new(format!("more than {LONGEST} characters\nhint: send fewer quantities at once")));
    }
    let catalogue = Catalogue::new();
    let parts: Vec<&str> = text.split([';', '；', '\n']).filter(|part| !part.trim().is_empty()).collect();
    if parts.is_empty() {
        return Err(Problem::new("`quantity` is empty\nhint: write a number and a unit, such as `26.2 miles`"));
    }
    let american = [text, to].iter().any(|said| {
        let said = said.to_lowercase();
        said.contains("meter") || said.contains("liter")
    });
    let mut results = Vec::new();
    for part in &parts {
        results.extend(one(part, to, american, &catalogue)?);
    }
    if let [result] = results.as_slice() {
        return Ok(Json::Object(result.clone()));
    }
    let joined = |key: &str, separator: &str| {
        let texts = results.iter().map(|result| result.get(key).and_then(Json::as_str).unwrap_or_default());
        texts.collect::<Vec<_>>().join(separator)
    };
    Ok(json!({ "text": joined("text", "\n"), "value": joined("value", "; "), "results": results }))
}

fn one(text: &str, to: &str, american: bool, catalogue: &Catalogue) -> Result<Vec<Map<String, Json>>, Problem> {
    let (text, to) = asked(text, to);
    match of_amount(&text, &to, american, catalogue, true) {
        Ok(results) => Ok(results),
        // `6ft2` may be six feet and two inches after all.
        Err(problem) => of_amount(&text, &to, american, catalogue, false).map_err(|_| problem),
    }
}

/// `how many cm in an inch` names the target first.
fn asked(text: &str, to: &str) -> (String, String) {
    let lowered = text.trim().to_lowercase();
    let question = lowered.strip_prefix("how many ").filter(|_| to.trim().is_empty());
    let parts = question.and_then(|rest| {
        [" are in ", " is in ", " in ", " are ", " is "].iter().find_map(|joint| rest.split_once(joint))
    });
    match parts {
        Some((target, amount)) => (amount.to_owned(), target.to_owned()),
        None => (text.to_owned(), to.to_owned()),
    }
}

fn of_amount(
    text: &str,
    to: &str,
    american: bool,
    catalogue: &Catalogue,
    powers: bool,
) -> Result<Vec<Map<String, Json>>, Problem> {
    let quantity = quantity::read(text, catalogue, powers)?;
    let wanted = if to.trim().is_empty() { quantity.target.clone().unwrap_or_default() } else { to.to_owned() };
    let mut results = Vec::new();
    for target in target::read(&wanted, catalogue)? {
        let converted = convert::convert(&quantity, &target, catalogue)?;
        let ingredient = quantity.ingredient.as_ref().map(|(name, _)| name.as_str());
        let mut result = written(&converted, ingredient.filter(|_| used(&converted)), american);
        if let Some(until) = &quantity.until {
            let mut upper = quantity.clone();
            if let Some(piece) = upper.pieces.first_mut() {
                piece.number = until.clone();
            }
            let upper = convert::convert(&upper, &target, catalogue)?;
            result = range(&converted, &upper, american);
        }
        results.push(result);
    }
    Ok(results)
}

/// Whether the result measures something else than the amount, which takes a density.
fn used(converted: &Converted) -> bool {
    let dimension = |side: &[(Rational, Measure)]| side.first().map(|(_, unit)| unit.dimension);
    dimension(&converted.from) != dimension(&converted.to) && converted.rough
}

fn written(converted: &Converted, ingredient: Option<&str>, american: bool) -> Map<String, Json> {
    let from = parts(&converted.from, american, true);
    let to = match ingredient {
        // A density is good to a few per cent.
        Some(_) => rounded(&converted.to, american),
        None => parts(&converted.to, american, false),
    };
    let equals = if converted.rough { "≈" } else { "=" };
    let of = ingredient.map(|name| format!(" of {name}")).unwrap_or_default();
    let mut text = format!("{from}{of} {equals} {to}");
    if let Some(feet) = feet_and_inches(converted) {
        text.push_str(&format!(" ({feet})"));
    }
    for note in notes(converted) {
        text.push_str(note);
    }
    let mut result = Map::new();
    result.insert("text".to_owned(), text.into());
    result.insert("value".to_owned(), value(&converted.to).into());
    let (number, unit) = match converted.to.as_slice() {
        [(number, unit), ..] => (show::float(number), named(unit, true, american)),
        [] => (f64::NAN, String::new()),
    };
    result.insert("from".to_owned(), from.into());
    result.insert("unit".to_owned(), unit.into());
    if number.is_finite() {
        result.insert("number".to_owned(), json!(number));
    }
    let exact = !converted.rough && converted.to.iter().all(|(number, _)| complete(number));
    result.insert("exact".to_owned(), exact.into());
    result
}

fn range(lower: &Converted, upper: &Converted, american: bool) -> Map<String, Json> {
    let shown = |side: &[(Rational, Measure)]| side.first().map(|(number, _)| digits(number)).unwrap_or_default();
    let from = format!("{} to {}", shown(&lower.from), parts(&upper.from, american, true));
    let to = format!("{} to {}", shown(&lower.to), parts(&upper.to, american, false));
    let mut result = Map::new();
    result.insert("text".to_owned(), format!("{from} = {to}").into());
    result.insert("value".to_owned(), value(&lower.to).into());
    result.insert("until".to_owned(), value(&upper.to).into());
    result.insert("from".to_owned(), from.into());
    result
}

/// `5 feet 11 inches`. The amount itself keeps the digits it was given with.
fn parts(parts: &[(Rational, Measure)], american: bool, given: bool) -> String {
    let several = parts.len() > 1;
    let shown = parts.iter().map(|(number, unit)| {
        let digits = match given {
            true => show::decimal(number, 40).map_or_else(|| fraction(number), |digits| show::group(&digits)),
            false if several => {
                show::group(&show::decimal(number, 2).unwrap_or_else(|| show::significant(number, DIGITS)))
            }
            false => digits(number),
        };
        label(&digits, unit, number.abs().is_one(), american)
    });
    shown.collect::<Vec<_>>().join(" ")
}

fn rounded(to: &[(Rational, Measure)], american: bool) -> String {
    let shown = to
        .iter()
        .map(|(number, unit)| label(&show::group(&show::significant(number, 3)), unit, number.is_one(), american));
    shown.collect::<Vec<_>>().join(" ")
}

/// `98.6 °F` for temperatures, `45 degrees`, `12 metres`.
fn label(digits: &str, unit: &Measure, one: bool, american: bool) -> String {
    match unit.singular.as_str() {
        "degree Celsius" => format!("{digits} °C"),
        "degree Fahrenheit" => format!("{digits} °F"),
        "kelvin" => format!("{digits} K"),
        "gas mark" | "mach" => format!("{} {digits}", unit.singular),
        _ => format!("{digits} {}", named(unit, !one, american)),
    }
}

fn named(unit: &Measure, plural: bool, american: bool) -> String {
    let name = if plural { &unit.plural } else { &unit.singular };
    if american { catalogue::american(name) } else { name.clone() }
}

/// A third stays a third.
fn fraction(number: &Rational) -> String {
    if number.numer().bits() + number.denom().bits() < 40 { number.to_string() } else { digits(number) }
}

/// Whole numbers and short decimals as they are, everything else rounded.
fn digits(number: &Rational) -> String {
    let whole = number.is_integer() && number.numer().bits() <= 50;
    let short = show::decimal(number, 6).filter(|digits| digits.chars().filter(char::is_ascii_digit).count() <= 7);
    let shown = match short {
        Some(digits) => digits,
        None if whole => number.numer().to_string(),
        None => show::significant(number, DIGITS),
    };
    show::group(&shown)
}

fn complete(number: &Rational) -> bool {
    show::decimal(number, 6).is_some_and(|digits| digits.len() <= 15)
}

/// The number alone, or `5 ft 10.87 in` for parts.
fn value(to: &[(Rational, Measure)]) -> String {
    match to {
        [(number, _)] => show::significant(number, VALUE_DIGITS).replace(" × 10^", "e"),
        several => parts(several, false, false),
    }
}

/// A length of a person's size in feet is better understood in feet and inches.
fn feet_and_inches(converted: &Converted) -> Option<String> {
    let [(number, unit)] = converted.to.as_slice() else { return None };
    let metric = converted.from.first().is_some_and(|(_, unit)| unit.singular.ends_with("metre"));
    let person = *number > ratio(2, 1) && *number < ratio(9, 1) && !number.is_integer();
    if unit.singular != "foot" || !metric || !person {
        return None;
    }
    let (mut feet, inches) = (number.floor(), (number - number.floor()) * ratio(12, 1));
    let mut tenths = show::round(&(inches * ratio(10, 1)));
    if tenths >= 120.into() {
        (feet, tenths) = (feet + ratio(1, 1), 0.into());
    }
    let inches = show::decimal(&(Rational::from(tenths) / ratio(10, 1)), 1)?;
    Some(format!("{feet} ft {inches} in"))
}

/// What a reader should know about a unit that is not the same everywhere.
fn notes(converted: &Converted) -> Vec<&'static str> {
    let uses = |name: &str| converted.from.iter().chain(&converted.to).any(|(_, unit)| unit.singular == name);
    let (mut found, years, months) = (Vec::new(), uses("year"), uses("month"));
    if years && !months && !uses("decade") && !uses("century") && !uses("millennium") {
        found.push(" (years of 365 days)");
    }
    if months && !years && !uses("quarter") {
        found.push(" (months of 30.42 days on average)");
    }
    if uses("mach") {
        found.push(" (at sea level)");
    }
    found
}
