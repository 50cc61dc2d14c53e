//! From a request to the sentence that answers it.

use serde_json::{Map, Value as Json, json};
use tomas_english::num_traits::{One, Signed};
use tomas_english::number::Comma;
use tomas_english::{Rational, fold, ratio, show};

use crate::discrete;
use crate::function::{self, Function};
use crate::item::Item;
use crate::phrase::Phrases;
use crate::problem::Problem;
use crate::reading::{self, Manner};
use crate::statement::{self, Outcome, Story};
use crate::value::{Kind, Value};
use crate::wish::{self, Form, Rounding, Wish};
use crate::{roman, said};

/// Longer requests are refused, in characters.
pub(crate) const LONGEST: usize = 20_000;
/// Numbers of at most this many characters are written in full in the answer.
const IN_FULL: usize = 100;
/// Significant digits of a rounded number in the answer.
const DIGITS: u32 = 12;

/// The ways to read a text, the likeliest first: what a comma is, whether slips of the finger are
/// corrected, whether `and` adds the items of a shopping list up.
const READINGS: [(Comma, bool, bool); 5] = [
    (Comma::Separates, false, false),
    (Comma::Decimal, false, false),
    (Comma::Separates, false, true),
    (Comma::Separates, true, false),
    (Comma::Separates, true, true),
];

/// Answers all expressions of `text`, which are separated by `;` or lines.
pub(crate) fn answer(text: &str) -> Result<Json, Problem> {
    if text.chars().count() > LONGEST {
        return Err(Problem::impossible(format!(
            "`expression` has more than {LONGEST} characters\nhint: send fewer expressions at once"
        )));
    }
    let phrases = Phrases::new();
    let parts: Vec<&str> = text.split([';', '；', '\n']).filter(|part| !said::stripped(part).is_empty()).collect();
    match parts.as_slice() {
        [] => Err(Problem::unclear("`expression` is empty\nhint: for example `17.5% of 2,340` or `sqrt(2)`")),
        [one] => single(one, &phrases).map(Json::Object),
        several => {
            let results = several.iter().map(|part| single(part, &phrases)).collect::<Result<Vec<_>, _>>()?;
            let joined = |key: &str, separator: &str| {
                results
                    .iter()
                    .map(|result| result.get(key).and_then(Json::as_str).unwrap_or_default())
                    .collect::<Vec<_>>()
                    .join(separator)
            };
            Ok(json!({ "text": joined("text", "\n"), "value": joined("value", "; "), "results": results }))
        }
    }
}

fn single(text: &str, phrases: &Phrases) -> Result<Map<String, Json>, Problem> {
    let said = said::stripped(text);
    let folded = fold::characters(&said);
    if let Some(result) = primes(&folded) {
        return result;
    }
    let (outcome, wish) = understood(&folded, phrases)?;
    let value = wished(outcome.value.clone(), wish);
    Ok(written(&said, &Outcome { value, ..outcome }, wish))
}

/// Tries the readings of a text in order of likelihood.
fn understood(folded: &str, phrases: &Phrases) -> Result<(Outcome, Wish), Problem> {
    let mut first = None;
    for (comma, forgiving, listing) in READINGS {
        let manner = Manner { comma, forgiving };
        let pointless =
            (comma == Comma::Decimal && !folded.contains(',')) || (listing && !folded.contains(char::is_alphabetic));
        if pointless {
            continue;
        }
        let (tokens, wish) = wish::take(reading::tokens(folded, manner)?);
        let mut items = reading::items(&tokens, phrases, manner);
        if wish.rounding.is_some() {
            // `round 3.14159 to 2 decimals` is not rounded to an integer first.
            items.retain(|item| *item != Item::Function(Function::Round));
        }
        match statement::outcome(&items, listing).and_then(|outcome| calculated(outcome, &items, &tokens, wish)) {
            Ok(outcome) => return Ok((outcome, wish)),
            Err(problem) if !problem.unclear => return Err(problem),
            Err(problem) => first = first.or(Some(problem)),
        }
    }
    let reason = first.map_or_else(String::new, |problem| format!(": {problem}"));
    Err(Problem::unclear(format!(
        "`{}` is not understood{reason}\nhint: write an expression such as `12 * (3 + 4)`, `15% off 80` or `square root of 144`",
        said::shortened(folded)
    )))
}

/// A lone number among words is no calculation.
fn calculated(
    outcome: Outcome,
    items: &[Item],
    tokens: &[tomas_english::lex::Token],
    wish: Wish,
) -> Result<Outcome, Problem> {
    let words = tokens.iter().any(|token| {
        token.word().chars().count() > 2 && !matches!(token.word().as_str(), "the" | "number" | "value" | "total")
    });
    let alone = outcome.operations == 0 && wish == Wish::default();
    let amount = items.iter().any(|item| matches!(item, Item::Number(amount) if amount.value.kind != Kind::Plain));
    if alone && words && !amount {
        return Err(Problem::unclear("a number but nothing to calculate"));
    }
    Ok(outcome)
}

fn wished(value: Value, wish: Wish) -> Value {
    let value = if wish.form == Some(Form::Degrees) {
        let degrees = &value.number * ratio(180, 1) / crate::precise::pi();
        function::snapped(&degrees)
    } else {
        value
    };
    // A percentage is rounded as it is written.
    let hundred = if value.kind == Kind::Percent { 2 } else { 0 };
    match wish.rounding {
        Some(Rounding::Places(places)) => function::round_to(&value, places + hundred),
        Some(Rounding::Significant(digits)) => {
            let places = i64::from(digits) - 1 - show::magnitude(&value.number);
            function::round_to(&value, places)
        }
        None => value,
    }
}

/// `is 91 prime`, `prime factors of 360`.
fn primes(folded: &str) -> Option<Result<Map<String, Json>, Problem>> {
    let lowered = folded.to_lowercase();
    let asked = ["prime", "factorise", "factorize", "factors of", "factor "].iter().any(|word| lowered.contains(word));
    let common = lowered.contains("common");
    if !asked || common {
        return None;
    }
    let tokens = reading::tokens(folded, Manner { comma: Comma::Separates, forgiving: false }).ok()?;
    let mut numbers = tokens.iter().filter_map(|token| token.number());
    let (number, more) = (numbers.next()?, numbers.next());
    if more.is_some() || !number.value.is_integer() || number.value.is_negative() {
        return None;
    }
    let Some(n) = u64::try_from(number.value.numer()).ok().filter(|n| *n >= 1) else {
        return Some(Err(Problem::impossible(format!(
            "the prime factors of `{}`\nhint: whole numbers up to 10^12",
            number.text
        ))));
    };
    let Some(factors) = discrete::factors(n) else {
        return Some(Err(Problem::impossible(format!(
            "the prime factors of `{n}` take too long\nhint: whole numbers up to 10^12"
        ))));
    };
    let prime = factors.len() == 1;
    let product = factors.iter().map(|factor| show::group(&factor.to_string())).collect::<Vec<_>>().join(" × ");
    let name = show::group(&n.to_string());
    let text = match (prime, n) {
        (_, 1) => "1 is neither prime nor composite.".to_owned(),
        (true, _) => format!("{name} is a prime number."),
        _ => format!("{name} is not prime: {name} = {product}."),
    };
    let value = if lowered.contains("factor") {
        product
    } else if prime {
        "yes".to_owned()
    } else {
        "no".to_owned()
    };
    let mut result = Map::new();
    result.insert("text".to_owned(), text.into());
    result.insert("value".to_owned(), value.into());
    result.insert("prime".to_owned(), prime.into());
    result.insert("factors".to_owned(), json!(factors));
    Some(Ok(result))
}

/// A number as it stands in an answer.
struct Written {
    /// With thousands separators, sign of the currency or percent.
    shown: String,
    /// For later steps: digits only.
    value: String,
    /// Whether the digits are all there are.
    complete: bool,
}

fn number(value: &Value) -> Written {
    if let Kind::Money(sign) = value.kind {
        return money(&value.number, sign);
    }
    let percent = value.kind == Kind::Percent;
    let shown = if percent { &value.number * ratio(100, 1) } else { value.number.clone() };
    let shown = if value.exact { shown } else { function::snapped(&shown).number };
    let unit = if percent { "%" } else { "" };
    let places = if value.exact { 60 } else { 12 };
    // 1,000 bits are 301 digits; longer numbers are not worth writing out to find that they are long.
    let short = (shown.numer().bits() <= 1000).then(|| show::decimal(&shown, places)).flatten();
    if let Some(digits) = short.filter(|digits| digits.len() <= IN_FULL) {
        return Written {
            shown: format!("{}{unit}", show::group(&digits)),
            value: format!("{digits}{unit}"),
            complete: true,
        };
    }
    let short = show::significant(&shown, 15).replace(" × 10^", "e");
    Written {
        shown: format!("{}{unit}", show::group(&show::significant(&shown, DIGITS))),
        value: format!("{short}{unit}"),
        complete: false,
    }
}

fn money(number: &Rational, sign: &str) -> Written {
    let whole_units = matches!(sign, "¥" | "₩") && number.is_integer();
    let tiny = number.abs() < ratio(1, 200) && number.is_positive();
    let digits = match (tiny, whole_units) {
        (true, _) => show::significant(number, 4),
        (_, true) => show::fixed(number, 0),
        _ => show::fixed(number, 2),
    };
    let complete = digits.parse::<f64>().is_ok() && (number * ratio(100, 1)).is_integer();
    let (minus, size) = digits.strip_prefix('-').map_or(("", digits.as_str()), |size| ("-", size));
    Written { shown: format!("{minus}{sign}{}", show::group(size)), value: digits.clone(), complete }
}

fn written(said: &str, outcome: &Outcome, wish: Wish) -> Map<String, Json> {
    let value = &outcome.value;
    let mut number = number(value);
    match wish.form {
        Some(Form::Radix(base)) if value.number.is_integer() => {
            let digits = value.number.numer().to_str_radix(base);
            let prefix = match base {
                16 => "0x",
                8 => "0o",
                2 => "0b",
                _ => "",
            };
            let (minus, size) = digits.strip_prefix('-').map_or(("", digits.as_str()), |size| ("-", size));
            number.shown = format!("{minus}{prefix}{size}");
            number.value.clone_from(&number.shown);
            number.complete = true;
        }
        Some(Form::Fraction) if value.exact => {
            number = Written { shown: value.number.to_string(), value: value.number.to_string(), complete: true };
        }
        Some(Form::Scientific) => number.shown = show::scientific(&value.number, DIGITS),
        Some(Form::Degrees) => number.shown.push('°'),
        Some(Form::Roman) => {
            if let Some(numeral) = roman::numeral(&value.number) {
                number.shown.clone_from(&numeral);
                number.value = numeral;
            }
        }
        _ => {}
    }
    let mut text = sentence(said, outcome, &number);
    let mut result = Map::new();
    let fraction = fraction(said, value);
    if let Some(fraction) = fraction.as_ref().filter(|_| wish == Wish::default() && outcome.story == Story::Plain) {
        text.push_str(&format!(" ({fraction})"));
    }
    if value.number.is_integer() && !number.complete && wish == Wish::default() {
        let digits = value.number.numer().magnitude().to_string();
        text.push_str(&format!(" ({} digits)", show::group(&digits.len().to_string())));
        result.insert("digits".to_owned(), digits.into());
    }
    result.insert("expression".to_owned(), said.into());
    result.insert("exact".to_owned(), value.exact.into());
    if !number.complete && !value.number.is_integer() {
        result.insert("decimal".to_owned(), show::significant(&value.number, 30).into());
    }
    if let Some(fraction) = fraction {
        result.insert("fraction".to_owned(), fraction.into());
    }
    let mut ordered = Map::new();
    ordered.insert("text".to_owned(), text.into());
    ordered.insert("value".to_owned(), number.value.into());
    ordered.extend(result);
    ordered
}

/// `22/7` for a small fraction that is no short decimal and not just what the user wrote.
fn fraction(said: &str, value: &Value) -> Option<String> {
    let bottom = value.number.denom();
    let small = bottom.bits() <= 10 && value.number.numer().bits() <= 14 && !bottom.is_one();
    let plain = value.exact && value.kind == Kind::Plain && show::decimal(&value.number, 12).is_none();
    let fraction = value.number.to_string();
    let squeezed: String = said.chars().filter(|c| !c.is_whitespace()).collect();
    (small && plain && squeezed != fraction).then_some(fraction)
}

fn sentence(said: &str, outcome: &Outcome, written: &Written) -> String {
    let equals = if written.complete { "=" } else { "≈" };
    let shown = &written.shown;
    let plain = |value: &Value| number(value).shown;
    match &outcome.story {
        Story::Share(part, whole) => {
            let about = if written.complete { "" } else { "about " };
            format!("{} is {about}{shown} of {}", plain(part), plain(whole))
        }
        Story::Change(from, to) => {
            let size = Function::Abs
                .apply(std::slice::from_ref(&outcome.value))
                .map_or_else(|_| shown.clone(), |size| plain(&size));
            let about = if written.complete { "" } else { "about " };
            let (from, to) = (plain(from), plain(to));
            match outcome.value.number.is_negative() {
                true => format!("From {from} to {to} is a decrease of {about}{size}"),
                false => format!("From {from} to {to} is an increase of {about}{size}"),
            }
        }
        Story::Whole(part, share) => format!("{} is {} of {shown}", plain(part), plain(share)),
        Story::Interest(balance) => {
            format!("{} {equals} {shown} (the balance grows to {})", said::shortened(said), plain(balance))
        }
        Story::Off(saving) => format!("{} {equals} {shown} (you save {})", said::shortened(said), plain(saving)),
        Story::Plain if squeezed(said) == squeezed(shown) => shown.clone(),
        Story::Plain => format!("{} {equals} {shown}", said::shortened(said)),
    }
}

fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && *c != ',').collect()
}
