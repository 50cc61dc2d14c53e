//! How the user wants to see the result: `to 2 decimal places`, `to the nearest hundred`, `in hex`.

use tomas_english::lex::Token;
use tomas_english::num_traits::ToPrimitive;

/// Where to round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rounding {
    /// This many decimal places; negative ones are tens, hundreds.
    Places(i64),
    /// This many significant digits.
    Significant(u32),
}

/// A way to write the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// In another base, with its prefix.
    Radix(u32),
    /// As a fraction in lowest terms.
    Fraction,
    /// As `1.5 × 10^3`.
    Scientific,
    /// As a decimal, which it is anyway.
    Decimal,
    /// An angle in degrees.
    Degrees,
    /// As a Roman numeral.
    Roman,
}

/// What is wanted beyond the number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Wish {
    /// Rounding, if any.
    pub(crate) rounding: Option<Rounding>,
    /// Form, if any.
    pub(crate) form: Option<Form>,
}

const PLACES: [&[&str]; 9] = [
    &["decimal", "places"],
    &["decimal", "place"],
    &["decimal", "digits"],
    &["digits", "after", "the", "decimal", "point"],
    &["decimals"],
    &["decimal"],
    &["dp"],
    &["d", ".", "p"],
    &["places"],
];
const SIGNIFICANT: [&[&str]; 7] = [
    &["significant", "figures"],
    &["significant", "digits"],
    &["significant", "figure"],
    &["sig", "figs"],
    &["sig", "fig"],
    &["sf"],
    &["sigfigs"],
];

/// Takes the wishes out of `tokens`.
pub(crate) fn take(tokens: Vec<Token>) -> (Vec<Token>, Wish) {
    let mut wish = Wish::default();
    let mut rest: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let ahead = tokens.get(at..).unwrap_or_default();
        if let Some((rounding, length)) = rounding(ahead) {
            wish.rounding = Some(rounding);
            at += length;
        } else if let Some((form, length)) = form(ahead).filter(|_| !rest.is_empty()) {
            wish.form = Some(form);
            at += length;
        } else {
            rest.push(token.clone());
            at += 1;
        }
    }
    (rest, wish)
}

fn key(token: Option<&Token>) -> String {
    match token {
        Some(token) if token.is('.') => ".".to_owned(),
        Some(token) => token.word(),
        None => String::new(),
    }
}

fn matches(tokens: &[Token], at: usize, phrase: &[&str]) -> bool {
    phrase.iter().zip(at..).all(|(word, place)| key(tokens.get(place)) == *word)
}

fn rounding(tokens: &[Token]) -> Option<(Rounding, usize)> {
    let lead = usize::from(matches!(key(tokens.first()).as_str(), "to" | "with" | "in" | "using"));
    let the = lead + usize::from(key(tokens.get(lead)) == "the");
    if key(tokens.get(the)) == "nearest" {
        return nearest(tokens, the + 1);
    }
    let count = tokens.get(lead)?.number()?.value.to_integer().to_i64()?;
    let find = |phrases: &[&[&str]]| {
        phrases.iter().find(|phrase| matches(tokens, lead + 1, phrase)).map(|phrase| phrase.len())
    };
    if let Some(length) = find(&PLACES) {
        return Some((Rounding::Places(count.clamp(0, 1000)), lead + 1 + length));
    }
    let length = find(&SIGNIFICANT)?;
    Some((Rounding::Significant(u32::try_from(count.clamp(1, 1000)).unwrap_or(1)), lead + 1 + length))
}

fn nearest(tokens: &[Token], at: usize) -> Option<(Rounding, usize)> {
    let token = tokens.get(at)?;
    if let Some(literal) = token.number() {
        let unit = literal.value.to_integer().to_u64()?;
        let places = unit.checked_ilog10().filter(|power| 10_u64.checked_pow(*power) == Some(unit))?;
        return Some((Rounding::Places(-i64::from(places)), at + 1));
    }
    let (places, length) = match key(Some(token)).as_str() {
        "whole" if key(tokens.get(at + 1)) == "number" => (0, 2),
        "integer" | "int" | "whole" | "one" | "unit" | "dollar" | "euro" | "pound" => (0, 1),
        "tenth" => (1, 1),
        "hundredth" | "cent" | "penny" | "cents" => (2, 1),
        "thousandth" => (3, 1),
        "tens" => (-1, 1),
        "hundreds" => (-2, 1),
        "thousands" => (-3, 1),
        _ => return None,
    };
    Some((Rounding::Places(places), at + length))
}

fn form(tokens: &[Token]) -> Option<(Form, usize)> {
    if !matches!(key(tokens.first()).as_str(), "in" | "to" | "as" | "into") {
        return None;
    }
    let article = 1 + usize::from(matches!(key(tokens.get(1)).as_str(), "a" | "an" | "the"));
    if key(tokens.get(article)) == "base" {
        let base = tokens.get(article + 1)?.number()?.value.to_integer().to_u32()?;
        return (2..=36).contains(&base).then_some((Form::Radix(base), article + 2));
    }
    let (form, length) = match key(tokens.get(article)).as_str() {
        "hex" | "hexadecimal" => (Form::Radix(16), 1),
        "binary" => (Form::Radix(2), 1),
        "octal" => (Form::Radix(8), 1),
        "decimal" => (Form::Decimal, 1),
        "fraction" | "fractions" => (Form::Fraction, 1),
        "scientific" | "standard" | "exponential" => (Form::Scientific, 2),
        "roman" => (Form::Roman, 2),
        "degrees" => (Form::Degrees, 1),
        _ => return None,
    };
    let next = key(tokens.get(article + 1));
    if matches!(form, Form::Scientific) && !matches!(next.as_str(), "notation" | "form") {
        return None;
    }
    let numbers = matches!(form, Form::Roman) && !matches!(next.as_str(), "numerals" | "numeral" | "numbers");
    Some((form, article + if numbers { 1 } else { length }))
}
