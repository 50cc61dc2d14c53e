//! What people write for a matrix.

use num_traits::ToPrimitive;
use tomas_tool_sdk::{ToolError, blobs, shown};

use crate::dense::Dense;
use crate::exact::{Fraction, Rows};

/// The most elements of an input (1 GiB would not fit in any quota).
const MOST_ELEMENTS: usize = 1 << 27;
/// Up to this many elements the exact values are kept.
const EXACT_ELEMENTS: usize = 100;
/// What a matrix may be.
const FORMS: &str = "`[[1,2],[3,4]]`, `1 2; 3 4`, `identity(3)`, `random(200,200,seed)` or `blob:name.csv`";

/// A matrix as it was read.
pub(crate) struct Input {
    /// The values.
    pub(crate) dense: Dense,
    /// The exact values of a small matrix.
    pub(crate) exact: Option<Rows>,
    /// Written without rows, as `[5,6]`: a row or a column, as the operation needs it.
    pub(crate) flat: bool,
}

impl Input {
    /// Reads the argument called `name`.
    pub(crate) fn read(name: &str, text: &str) -> Result<Self, ToolError> {
        match blobs::name(text) {
            Some(blob) => {
                let table = blobs::read_text(blob)?;
                Self::table(&table).map_err(|error| ToolError::invalid(format!("`{name}` is `{text}`: {error}")))
            }
            None => Self::written(text).map_err(|error| {
                ToolError::invalid(format!("`{name}` is `{}`: {error}\nhint: allowed are {FORMS}", shown(text)))
            }),
        }
    }

    /// The transpose of a row that was written without rows.
    pub(crate) fn into_column(mut self) -> Self {
        (self.dense.rows, self.dense.columns) = (self.dense.columns, self.dense.rows);
        self.exact = self.exact.map(|rows| rows.into_iter().flatten().map(|value| vec![value]).collect());
        self
    }

    /// A table in a file: one row a line; a first line of headings is dropped.
    fn table(text: &str) -> Result<Self, String> {
        let mut lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        if lines.first().is_some_and(|line| cells(line).iter().all(|cell| number(cell).is_none())) {
            lines.remove(0);
        }
        Self::from_rows(&lines.iter().map(|line| cells(line)).collect::<Vec<_>>(), false)
    }

    fn written(text: &str) -> Result<Self, String> {
        let plain = text.trim().replace('\u{2212}', "-").replace(['(', '{'], "[").replace([')', '}'], "]");
        if let Some(dense) = named(&plain.to_lowercase())? {
            return Ok(Self { exact: exact_of(&dense), dense, flat: false });
        }
        // `A = [[1,2],[3,4]]` and `the matrix [1 2; 3 4]` start at the bracket.
        let body = match (plain.find('['), plain.rfind(']')) {
            (Some(start), Some(end)) if start < end => &plain[start..=end],
            (None, None) => plain.as_str(),
            _ => return Err("a bracket is missing".to_owned()),
        };
        let unwrapped = body.strip_prefix('[').and_then(|body| body.strip_suffix(']')).unwrap_or(body).trim();
        // `[1,2],[3,4]` has no outer pair.
        let inner = if unwrapped.contains('[') && !unwrapped.starts_with('[') { body } else { unwrapped };
        if inner.contains('[') {
            let groups: Vec<&str> =
                inner.split(']').map(|group| group.trim_start_matches([',', ';', ' ', '\n', '\r', '\t'])).collect();
            let rows: Option<Vec<&str>> =
                groups.iter().filter(|group| !group.is_empty()).map(|group| group.strip_prefix('[')).collect();
            let rows = rows.ok_or("rows must be in brackets of their own")?;
            return Self::from_rows(&rows.iter().map(|row| cells(row)).collect::<Vec<_>>(), false);
        }
        let rows: Vec<&str> = inner.split([';', '\n']).filter(|row| !row.trim().is_empty()).collect();
        Self::from_rows(&rows.iter().map(|row| cells(row)).collect::<Vec<_>>(), rows.len() == 1)
    }

    fn from_rows(rows: &[Vec<&str>], flat: bool) -> Result<Self, String> {
        let columns = rows.first().map_or(0, Vec::len);
        if columns == 0 {
            return Err("there is no number in it".to_owned());
        }
        let small = rows.len() * columns <= EXACT_ELEMENTS;
        let (mut data, mut exact) = (Vec::with_capacity(rows.len() * columns), small.then(Vec::new));
        for (index, row) in rows.iter().enumerate() {
            if row.len() != columns {
                return Err(format!("row {} has {} numbers, row 1 has {columns}", index + 1, row.len()));
            }
            let mut fractions = Vec::new();
            for cell in row {
                let value = number(cell).ok_or_else(|| format!("`{}` is not a number", shown(cell)))?;
                data.push(value);
                if small {
                    fractions.extend(fraction(cell));
                }
            }
            exact = exact.filter(|_| fractions.len() == columns);
            if let Some(exact) = &mut exact {
                exact.push(fractions);
            }
        }
        Ok(Self { dense: Dense { rows: rows.len(), columns, data }, exact, flat })
    }
}

/// The cells of a row: separated by commas, semicolons or tabs where there are any, else by spaces.
fn cells(row: &str) -> Vec<&str> {
    let row = row.trim().trim_end_matches([',', ';']);
    if row.contains([',', ';', '\t']) {
        row.split([',', ';', '\t']).map(|cell| cell.trim().trim_matches('"')).collect()
    } else {
        row.split_whitespace().collect()
    }
}

/// `identity[3]` and the like (brackets are already square); nothing for other texts.
fn named(text: &str) -> Result<Option<Dense>, String> {
    if let Some(size) = text.strip_suffix(" identity").or(text.strip_suffix(" identity matrix")) {
        let side = size.split(['x', '×']).next().unwrap_or(size).trim_end_matches("by").trim();
        return side.parse().map(|side| sized(side, side).map(|()| Some(Dense::identity(side)))).unwrap_or(Ok(None));
    }
    let Some((name, rest)) = text.split_once('[') else { return Ok(None) };
    let numbers: Option<Vec<u64>> = rest
        .trim_end_matches(']')
        .split([',', ' ', 'x'])
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().ok())
        .collect();
    let name = name.trim();
    if !matches!(name, "identity" | "eye" | "zeros" | "ones" | "random" | "rand") {
        return Ok(None);
    }
    let sizes = numbers.ok_or_else(|| format!("`{name}` takes whole numbers"))?;
    let size = |index: usize| sizes.get(index).and_then(|size| usize::try_from(*size).ok());
    let rows = size(0).ok_or_else(|| format!("`{name}` needs a size"))?;
    let columns = size(1).unwrap_or(rows);
    sized(rows, columns)?;
    Ok(Some(match name {
        "identity" | "eye" if rows == columns && sizes.len() < 3 => Dense::identity(rows),
        "zeros" => Dense::zeros(rows, columns),
        "ones" => Dense { rows, columns, data: vec![1.0; rows * columns] },
        "random" | "rand" => Dense::random(rows, columns, sizes.get(2).copied().unwrap_or(0)),
        _ => return Err(format!("`{name}` needs one size")),
    }))
}

fn sized(rows: usize, columns: usize) -> Result<(), String> {
    match rows.checked_mul(columns) {
        Some(1..=MOST_ELEMENTS) => Ok(()),
        _ => Err(format!("{rows} by {columns} is not a size; allowed are 1 to {MOST_ELEMENTS} elements")),
    }
}

/// The exact values of a small matrix of integers.
fn exact_of(dense: &Dense) -> Option<Rows> {
    let whole = |value: &f64| (value.fract() == 0.0).then(|| value.to_i128().map(Fraction::from_integer)).flatten();
    (dense.data.len() <= EXACT_ELEMENTS)
        .then(|| dense.data.chunks(dense.columns).map(|row| row.iter().map(whole).collect()).collect())
        .flatten()
}

/// A decimal, with an exponent or not, or a fraction of two.
fn number(text: &str) -> Option<f64> {
    let plain = |text: &str| text.trim().parse::<f64>().ok().filter(|value| value.is_finite());
    match text.split_once('/') {
        Some((over, under)) => {
            plain(over).zip(plain(under)).map(|(over, under)| over / under).filter(|value| value.is_finite())
        }
        None => plain(text),
    }
}

/// The same without rounding.
fn fraction(text: &str) -> Option<Fraction> {
    let (over, under) = text.split_once('/').unwrap_or((text, "1"));
    let (over, under) = (decimal(over.trim())?, decimal(under.trim())?);
    num_traits::CheckedDiv::checked_div(&over, &under)
}

/// `-12.34` without an exponent.
fn decimal(text: &str) -> Option<Fraction> {
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    let digits: i128 = format!("{whole}{places}").parse().ok()?;
    let power = 10_i128.checked_pow(u32::try_from(places.len()).ok()?)?;
    Some(Fraction::new(digits, power))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(usize, usize, Vec<f64>), ToolError> {
        Input::read("a", text).map(|input| (input.dense.rows, input.dense.columns, input.dense.data))
    }

    #[test]
    fn matrices_as_people_write_them() {
        for text in [
            "[[1,2],[3,4]]",
            "1 2; 3 4",
            "1,2;3,4",
            "[1 2; 3 4]",
            "[[1, 2], [3, 4]]",
            "((1,2),(3,4))",
            "A = [[1 2] [3 4]]",
            "1 2\n3 4\n",
            "{{1,2},{3,4}}",
            "[1,2],[3,4]",
            "[[1,2],\n [3,4]]",
            "the matrix [1, 2; 3, 4]",
            "[1,2;3,4;]",
        ] {
            assert_eq!(read(text), Ok((2, 2, vec![1.0, 2.0, 3.0, 4.0])), "{text}");
        }
        assert_eq!(read("[1/2, -0.25, \u{2212}3, 1e3]"), Ok((1, 4, vec![0.5, -0.25, -3.0, 1000.0])));
        assert_eq!(read("identity(2)"), Ok((2, 2, vec![1.0, 0.0, 0.0, 1.0])));
        assert_eq!(read("2x2 identity matrix"), Ok((2, 2, vec![1.0, 0.0, 0.0, 1.0])));
        assert_eq!(read("random(3, 2, 7)").map(|(rows, columns, data)| (rows, columns, data.len())), Ok((3, 2, 6)));
    }

    #[test]
    fn exact_values_are_kept() {
        let exact = Input::read("a", "[0.1, 1/3]").ok().and_then(|input| input.exact);
        assert_eq!(exact, Some(vec![vec![Fraction::new(1, 10), Fraction::new(1, 3)]]));
        assert!(Input::read("a", "[1e-300, 1]").is_ok_and(|input| input.exact.is_none()));
    }

    #[test]
    fn what_is_not_a_matrix_is_refused() {
        for text in [
            "",
            "[]",
            "[[]]",
            "abc",
            "[[1,2],[3]]",
            "[[1,2],[3,x]]",
            "[1,2",
            "1,,2",
            "nan",
            "inf",
            "1/0",
            "random()",
            "random(0,3)",
            "random(999999999,999999999)",
            "identity(2,3)",
            "random(-1,2)",
            "]1[",
            "[[1,2],3]",
        ] {
            assert!(matches!(read(text), Err(ToolError::InvalidArguments(_))), "{text}: {:?}", read(text));
        }
    }

    /// Texts of these pieces in every order that a generator comes up with.
    fn texts(pieces: &'static [&'static str]) -> impl Iterator<Item = String> {
        let mut state = 1_u64;
        let mut next = move |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        std::iter::repeat_with(move || (0..next(12)).map(|_| pieces[next(pieces.len())]).collect()).take(50_000)
    }

    #[test]
    fn no_text_panics() {
        let pieces = &[
            "[", "]", "[[", "]]", "(", ")", "{", ",", ";", " ", "\n", "1", "2.5", "-", "/", "e", ".", "x", "identity",
            "random", "ones", "é", "blob:", "0",
        ];
        for text in texts(pieces) {
            if let Ok(input) = Input::read("a", &text) {
                let Input { dense, exact, .. } = input;
                assert_eq!(dense.data.len(), dense.rows * dense.columns, "{text}");
                assert!(dense.rows > 0 && dense.columns > 0, "{text}");
                assert!(exact.is_none_or(|rows| rows.len() == dense.rows), "{text}");
            }
        }
    }
}
