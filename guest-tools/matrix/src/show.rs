//! Numbers and matrices for reading.

use serde_json::{Value, json};

use crate::dense::Dense;
use crate::exact::{Fraction, Rows};

/// Up to this many elements a matrix is written out.
pub(crate) const WRITTEN: usize = 100;
/// Rows and columns of the corner that is shown of a larger one.
const CORNER: usize = 3;

/// A result as people and as programs read it.
pub(crate) struct Shown {
    /// `[[1, 2], [3, 4]]`, or `[1, 2]` for a vector; of a large matrix only the corner.
    pub(crate) text: String,
    /// The same in JSON.
    pub(crate) entries: Value,
}

/// A float: whole numbers without a point, others with at most ten digits.
pub(crate) fn float(value: f64) -> String {
    if value == 0.0 {
        "0".to_owned()
    } else if value.fract() == 0.0 && value.abs() < 1e15 {
        format!("{value:.0}")
    } else if (1e-5..1e15).contains(&value.abs()) {
        let places = (9 - value.abs().log10().floor() as i32).clamp(0, 15);
        let text = format!("{value:.*}", usize::try_from(places).unwrap_or(0));
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
    } else {
        let text = format!("{value:.9e}");
        match text.split_once('e') {
            Some((digits, exponent)) if digits.contains('.') => {
                format!("{}e{exponent}", digits.trim_end_matches('0').trim_end_matches('.'))
            }
            _ => text,
        }
    }
}

/// A fraction: as a decimal where that is exact and short, else as `1/3`.
pub(crate) fn fraction(value: &Fraction) -> String {
    for places in 0..=6_u32 {
        let power = 10_i128.pow(places);
        if power % value.denom() == 0 {
            let scaled = value.numer().checked_mul(power / value.denom());
            return scaled.map_or_else(|| value.to_string(), |scaled| decimal(scaled, places as usize));
        }
    }
    value.to_string()
}

fn decimal(scaled: i128, places: usize) -> String {
    let digits = format!("{:0width$}", scaled.unsigned_abs(), width = places + 1);
    let (whole, rest) = digits.split_at(digits.len() - places);
    let sign = if scaled < 0 { "-" } else { "" };
    if rest.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest}") }
}

/// A matrix of floats.
pub(crate) fn dense(matrix: &Dense) -> Shown {
    if matrix.data.len() <= WRITTEN {
        let rows =
            matrix.data.chunks(matrix.columns).map(|row| row.iter().map(|value| float(*value)).collect()).collect();
        return Shown { text: text(rows), entries: json!(matrix.data.chunks(matrix.columns).collect::<Vec<_>>()) };
    }
    let corner = matrix.part(0..matrix.rows.min(CORNER), 0..matrix.columns.min(CORNER));
    let rows = corner.data.chunks(corner.columns).map(|row| row.iter().map(|value| float(*value)).collect()).collect();
    Shown { text: text(rows), entries: json!(corner.data.chunks(corner.columns).collect::<Vec<_>>()) }
}

/// A matrix of fractions.
pub(crate) fn exact(rows: &Rows) -> Shown {
    // JSON numbers: whole ones stay whole, others become the nearest float.
    let entry = |value: &Fraction| match i64::try_from(*value.numer()) {
        Ok(whole) if value.is_integer() => json!(whole),
        _ => json!(*value.numer() as f64 / *value.denom() as f64),
    };
    let entries = rows.iter().map(|row| row.iter().map(entry).collect::<Vec<_>>()).collect::<Vec<_>>();
    Shown { text: text(rows.iter().map(|row| row.iter().map(fraction).collect()).collect()), entries: json!(entries) }
}

/// Nested brackets; a single row or column loses one pair.
fn text(rows: Vec<Vec<String>>) -> String {
    if rows.iter().all(|row| row.len() == 1) {
        return format!("[{}]", rows.concat().join(", "));
    }
    let mut lines: Vec<String> = rows.iter().map(|row| format!("[{}]", row.join(", "))).collect();
    if lines.len() == 1 { lines.remove(0) } else { format!("[{}]", lines.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (value, expected) in [
            (0.0, "0"),
            (-2.0, "-2"),
            (0.1 + 0.2, "0.3"),
            (1.0 / 3.0, "0.3333333333"),
            (1e20, "1e20"),
            (-1.5e-9, "-1.5e-9"),
            (123456.789, "123456.789"),
            (2.0 / 3.0 * 1e14, "66666666666667"),
        ] {
            assert_eq!(float(value), expected);
        }
    }

    #[test]
    fn fractions_are_decimals_where_exact() {
        for (over, under, expected) in
            [(3, 2, "1.5"), (-1, 4, "-0.25"), (1, 3, "1/3"), (7, 1, "7"), (-1, 2160, "-1/2160")]
        {
            assert_eq!(fraction(&Fraction::new(over, under)), expected);
        }
    }

    #[test]
    fn vectors_lose_a_pair_of_brackets() {
        let column = Dense { rows: 2, columns: 1, data: vec![1.0, 2.0] };
        assert_eq!(dense(&column).text, "[1, 2]");
        assert_eq!(dense(&Dense::identity(2)).text, "[[1, 0], [0, 1]]");
        assert_eq!(dense(&Dense::identity(20)).text, "[[1, 0, 0], [0, 1, 0], [0, 0, 1]]");
    }
}
