//! Numbers as people write them: digits, words, grouped thousands, money, percentages, sums.

use super::{Value, pick, range};
use fastrand::Rng;

/// `A..B` in digits. Ranges of fewer than 200 numbers are closed.
pub(super) fn int(spec: &str, rng: &mut Rng) -> Result<Value, String> {
    let (a, b) = range(spec)?;
    let text = rng.i64(a..=b).to_string();
    Ok(if b - a >= 200 { Value::open(text) } else { Value::closed(text) })
}

/// `A..B` in digits or English words; the canonical form has digits.
pub(super) fn words(spec: &str, rng: &mut Rng) -> Result<Value, String> {
    let (a, b) = range(spec)?;
    let n = rng.i64(a..=b);
    let surface =
        if rng.u32(0..100) < 45 && (0..1000).contains(&n) { spelled(n.unsigned_abs()) } else { n.to_string() };
    Ok(Value { open: b - a >= 200, ..Value::closed(surface) }.canonical(n.to_string()))
}

/// `A..B` with or without thousands separators; the canonical form has none.
pub(super) fn grouped(spec: &str, rng: &mut Rng) -> Result<Value, String> {
    let (a, b) = range(spec)?;
    let mut n = rng.i64(a..=b);
    if rng.u32(0..100) < 40 {
        n = (n / 100).max(a / 100) * 100; // people like round numbers
    }
    let plain = n.to_string();
    let surface = if rng.u32(0..100) < 60 { separated(&plain) } else { plain.clone() };
    Ok(Value::open(surface).canonical(plain))
}

/// `A..B:PLACES`.
pub(super) fn decimal(spec: &str, rng: &mut Rng) -> Result<Value, String> {
    let (bounds, places) = spec.rsplit_once(':').unwrap_or((spec, "1"));
    let places: usize = places.parse().map_err(|_| "decimal is A..B:PLACES".to_owned())?;
    let (a, b) = bounds.split_once("..").ok_or("decimal is A..B:PLACES")?;
    let bound = |t: &str| t.parse::<f64>().map_err(|_| format!("`{t}` is not a number"));
    let (a, b) = (bound(a)?, bound(b)?);
    Ok(Value::open(format!("{:.*}", places.min(9), a + rng.f64() * (b - a))))
}

/// `A..B` as a price; the canonical form is a bare number.
pub(super) fn money(spec: &str, rng: &mut Rng) -> Result<Value, String> {
    let (a, b) = range(spec)?;
    let whole = rng.i64(a..=b);
    let number = match rng.u32(0..10) {
        0..4 => whole.to_string(),
        4..6 => format!("{whole}.{}", pick(&["99", "50", "95", "25", "75"], rng)),
        _ => format!("{whole}.{:02}", rng.u32(1..100)),
    };
    let grouped = if whole >= 1000 && rng.bool() { separated(&number) } else { number.clone() };
    // Separators stay: the calculator reads them, and what is quoted from the request is quoted as it stands.
    let canonical = grouped.clone();
    let surface = match rng.u32(0..20) {
        0..8 => format!("${grouped}"),
        8..10 => format!("€{grouped}"),
        10 => format!("£{grouped}"),
        11 => format!("{grouped} dollars"),
        12 => format!("{grouped} euros"),
        13 => format!("{grouped} bucks"),
        _ => grouped,
    };
    Ok(Value::open(surface).canonical(canonical))
}

/// `A..B` percent.
pub(super) fn percent(spec: &str, rng: &mut Rng) -> Result<Value, String> {
    let (a, b) = range(spec)?;
    let n = rng.i64(a..=b);
    let number = match rng.u32(0..10) {
        0..7 => n.to_string(),
        7 => format!("{n}.5"),
        _ => format!("{n}.{}", rng.u32(1..100)),
    };
    let surface = match rng.u32(0..10) {
        0..7 => format!("{number}%"),
        7..9 => format!("{number} percent"),
        _ => format!("{number} %"),
    };
    Ok(Value { open: b - a >= 20, ..Value::closed(surface) }.canonical(format!("{number}%")))
}

/// Infix mathematics.
pub(super) fn expression(rng: &mut Rng) -> String {
    let space = *pick(&["", "", " "], rng);
    let times = *pick(&["*", "*", "x", "×"], rng);
    let n = |rng: &mut Rng| number(rng);
    let op = |rng: &mut Rng| match rng.u32(0..8) {
        0..3 => "+",
        3..5 => "-",
        5..7 => times,
        _ => "/",
    };
    match rng.u32(0..20) {
        0..5 => format!("{}{space}{}{space}{}", n(rng), op(rng), n(rng)),
        5..7 => format!("{}{space}{}{space}{}{space}{}{space}{}", n(rng), op(rng), n(rng), op(rng), n(rng)),
        7 => format!("({}{space}{}{space}{}){space}{}{space}{}", n(rng), op(rng), n(rng), op(rng), n(rng)),
        8 => format!("{}{space}{}{space}({}{space}{}{space}{})", n(rng), op(rng), n(rng), op(rng), n(rng)),
        9 => format!("{}^{}", rng.u32(2..40), rng.u32(2..13)),
        10..12 => called(&n(rng), rng),
        12 => format!("{}!", rng.u32(3..30)),
        // Formulas as people who know some type them.
        13 => format!("{}{space}{}{space}{}", called(&n(rng), rng), op(rng), called(&n(rng), rng)),
        14 => {
            let unit = *pick(&[" deg", " degrees", "°", ""], rng);
            let angle = |rng: &mut Rng| format!("{}{unit}", rng.u32(1..25) * 15);
            let one = format!("{}({})", pick(&["sin", "cos", "tan"], rng), angle(rng));
            let more =
                rng.bool().then(|| format!("{space}{}{space}{}({})", op(rng), pick(&["sin", "cos"], rng), angle(rng)));
            one + &more.unwrap_or_default()
        }
        15 => {
            let constant = *pick(&["pi", "pi", "e", "2*pi"], rng);
            let power = if rng.bool() { format!("^{}", rng.u32(2..4)) } else { String::new() };
            format!("{constant}{space}{}{space}{}{power}", pick(&["*", "*", "x", "/", "+"], rng), n(rng))
        }
        16 => {
            let large = format!("{}e{}", pick(&["1", "2.5", "6.02", "3", "9.81", "1.6"], rng), rng.u32(2..24));
            if rng.bool() {
                format!("{large}{space}{}{space}{}", op(rng), n(rng))
            } else {
                format!("{}{space}*{space}{large}", n(rng))
            }
        }
        17 => {
            let terms: Vec<String> =
                (0..rng.usize(3..6)).map(|_| format!("{}/{}", rng.u32(1..20), rng.u32(2..20))).collect();
            terms.join(&format!("{space}{}{space}", pick(&["+", "-", "+"], rng)))
        }
        18 => {
            let (a, b) = (rng.u32(2..60), rng.u32(2..60));
            match rng.u32(0..4) {
                0 => format!("sqrt({a}^2{space}+{space}{b}^2)"),
                1 => format!("(1{space}+{space}0.0{})^{}", rng.u32(1..10), rng.u32(2..31)),
                2 => format!("{}!/{}!", rng.u32(5..20), rng.u32(2..5)),
                _ => format!("{a}**{}", rng.u32(2..9)),
            }
        }
        _ => format!("-{}{space}{}{space}{}", n(rng), op(rng), n(rng)),
    }
}

/// A function of something.
fn called(of: &str, rng: &mut Rng) -> String {
    format!("{}({of})", pick(&["sqrt", "sqrt", "sqrt", "cbrt", "ln", "log", "abs", "sin", "cos", "tan"], rng))
}

/// English arithmetic.
pub(super) fn english(rng: &mut Rng) -> String {
    let n = |rng: &mut Rng| if rng.u32(0..5) == 0 { spelled(rng.u64(2..100)) } else { number(rng) };
    let p = |rng: &mut Rng| format!("{}{}", rng.u32(2..96), pick(&["%", "%", " percent", ".5%"], rng));
    match rng.u32(0..17) {
        0..4 => {
            format!("{} {} {}", n(rng), pick(&["plus", "minus", "times", "divided by", "multiplied by"], rng), n(rng))
        }
        4..8 => format!("{} of {}", p(rng), number(rng)),
        8 => format!("{} off {}", p(rng), number(rng)),
        9..11 => format!("square root of {}", number(rng)),
        11 => format!("{} squared", n(rng)),
        12 => format!("{} cubed", n(rng)),
        13 => format!("{} to the power of {}", rng.u32(2..30), rng.u32(2..12)),
        14 => format!("half of {}", number(rng)),
        15 => format!("{} mod {}", rng.u32(10..2000), rng.u32(2..50)),
        _ => format!("{} plus {}", number(rng), p(rng)),
    }
}

/// A file name's number, or nothing.
pub(super) fn suffix(rng: &mut Rng) -> String {
    match rng.u32(0..5) {
        0 => String::new(),
        1 => format!("{}", rng.u32(1..10)),
        2 => format!("_{}", rng.u32(1..2000)),
        3 => format!("-{}", rng.u32(2000..2030)),
        _ => format!("{:04}", rng.u32(1..9999)),
    }
}

/// A number of everyday size.
pub(super) fn number(rng: &mut Rng) -> String {
    match rng.u32(0..20) {
        0..8 => rng.u32(2..100).to_string(),
        8..12 => rng.u32(100..1000).to_string(),
        12..14 => format!("{}.{}", rng.u32(0..100), rng.u32(1..10)),
        14..16 => format!("{}.{:02}", rng.u32(0..500), rng.u32(1..100)),
        16 => rng.u32(1000..10_000).to_string(),
        17 => separated(&rng.u32(1000..1_000_000).to_string()),
        18 => (rng.u32(1..100) * 100).to_string(),
        _ => rng.u32(10_000..1_000_000).to_string(),
    }
}

/// `2340.5` → `2,340.5`
fn separated(plain: &str) -> String {
    let (whole, rest) = plain.split_at(plain.find('.').unwrap_or(plain.len()));
    let mut out = String::new();
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out + rest
}

/// A number below 1000 in English words.
pub(super) fn spelled(n: u64) -> String {
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
    const TENS: [&str; 10] = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
    let index = |n: u64| usize::try_from(n).unwrap_or(0);
    match n {
        0..20 => SMALL[index(n)].to_owned(),
        20..100 if n.is_multiple_of(10) => TENS[index(n / 10)].to_owned(),
        20..100 => format!("{}-{}", TENS[index(n / 10)], SMALL[index(n % 10)]),
        100..1000 if n.is_multiple_of(100) => format!("{} hundred", SMALL[index(n / 100)]),
        100..1000 => format!("{} hundred and {}", SMALL[index(n / 100)], spelled(n % 100)),
        _ => n.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_and_words() {
        for (plain, grouped) in [("2340", "2,340"), ("999", "999"), ("1234567.25", "1,234,567.25")] {
            assert_eq!(separated(plain), grouped);
        }
        for (n, words) in
            [(0, "zero"), (21, "twenty-one"), (300, "three hundred"), (342, "three hundred and forty-two")]
        {
            assert_eq!(spelled(n), words);
        }
    }
}
