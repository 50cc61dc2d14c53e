//! Multiplies and inverts matrices, solves linear systems, finds determinants.
//!
//! Small matrices of fractions are exact ([`exact`]); others are floats ([`lu`], [`product`]), and large
//! ones use every core of the quota.

mod dense;
mod exact;
mod lu;
mod parse;
mod product;
mod show;

use serde::Deserialize;
use serde_json::{Value, json};
use tomas_tool_sdk::{Tool, ToolError, blobs};

use dense::Dense;
use exact::{Outcome, Rows};
use lu::Elimination;
use parse::Input;
use show::Shown;

struct Matrix;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    operation: Operation,
    a: String,
    b: Option<String>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Operation {
    Multiply,
    Solve,
    Determinant,
    Inverse,
}

impl Tool for Matrix {
    const NAME: &'static str = "matrix";
    const DESCRIPTION: &'static str = tomas_tool_sdk::description!();
    const PARAMETERS: &'static str = r#"{"type":"object","additionalProperties":false,"required":["operation","a"],"properties":{
"operation":{"type":"string","enum":["multiply","solve","determinant","inverse"],"description":"multiply a by b, solve a x = b, determinant or inverse of a"},
"a":{"type":"string","x-tomas-source":"quote-or-blob","description":"[[1,2],[3,4]] or 1 2; 3 4 or identity(3) or random(200,200,seed) or blob:NAME of a CSV file"},
"b":{"type":"string","x-tomas-source":"quote-or-blob","description":"the second matrix, or the right-hand side such as [5,6]"}}}"#;
    const RESULT: &'static str = r#"{"type":"object","required":["text","value"],"properties":{
"text":{"type":"string"},
"value":{"type":"string","description":"the number or matrix; of a large matrix its norm"},
"rows":{"type":"integer"},"columns":{"type":"integer"},
"entries":{"type":"array","items":{"type":"array","items":{"type":"number"}},"description":"all of a small matrix, the upper left corner of a large one"},
"norm":{"type":"number","description":"Frobenius norm"},
"exact":{"type":"boolean","description":"computed without rounding"},
"blob":{"type":"string","description":"name of the CSV file with a large result of a CSV file"}}}"#;
    type Arguments = Arguments;

    fn call(arguments: Arguments) -> Result<Value, ToolError> {
        let Arguments { operation, a, b } = arguments;
        let from_blob = [Some(&a), b.as_ref()].into_iter().flatten().any(|text| blobs::name(text).is_some());
        let left = Input::read("a", &a)?;
        let right = |needs: &str| match &b {
            Some(b) => Input::read("b", b),
            None => Err(ToolError::invalid(format!("`b` is missing\nhint: {needs}"))),
        };
        match operation {
            Operation::Multiply => multiply(left, right("give the second matrix of the product")?, from_blob),
            Operation::Solve => solve(left, right("give the right-hand side of the system")?, from_blob),
            Operation::Determinant => determinant(&left),
            Operation::Inverse => inverse(&left, from_blob),
        }
    }
}

fn multiply(left: Input, right: Input, from_blob: bool) -> Result<Value, ToolError> {
    let fits = |left: &Input, right: &Input| left.dense.columns == right.dense.rows;
    // `[5,6]` is a column on the right of a matrix.
    let right = if !fits(&left, &right) && right.flat && right.dense.columns == left.dense.columns {
        right.into_column()
    } else {
        right
    };
    if !fits(&left, &right) {
        return Err(ToolError::invalid(format!(
            "`a` is {} and `b` is {}; the columns of `a` must be as many as the rows of `b`",
            shape(&left.dense),
            shape(&right.dense)
        )));
    }
    let exact = left.exact.as_ref().zip(right.exact.as_ref()).and_then(|(left, right)| exact::product(left, right));
    let result = match exact {
        Some(rows) => Answer::Exact(rows),
        None => Answer::Dense(product::product(&left.dense, &right.dense)?),
    };
    result.report("The product", "product.csv", from_blob)
}

fn solve(left: Input, right: Input, from_blob: bool) -> Result<Value, ToolError> {
    let size = square(&left.dense, "solve")?;
    let right =
        if right.dense.rows != size && right.flat && right.dense.columns == size { right.into_column() } else { right };
    if right.dense.rows != size {
        return Err(ToolError::invalid(format!(
            "`a` is {} and `b` is {}; `b` must have {size} rows",
            shape(&left.dense),
            shape(&right.dense)
        )));
    }
    let name = if right.dense.columns == 1 { "The solution x" } else { "The solution X" };
    quotient(&left, &right.dense, right.exact.as_ref(), "the system has no unique solution")?.report(
        name,
        "solution.csv",
        from_blob,
    )
}

fn inverse(left: &Input, from_blob: bool) -> Result<Value, ToolError> {
    let size = square(&left.dense, "inverse")?;
    let exact = left.exact.as_ref().map(|_| exact::identity(size));
    quotient(left, &Dense::identity(size), exact.as_ref(), "it has no inverse")?.report(
        "The inverse",
        "inverse.csv",
        from_blob,
    )
}

/// `A⁻¹ B`.
fn quotient(left: &Input, right: &Dense, right_exact: Option<&Rows>, consequence: &str) -> Result<Answer, ToolError> {
    let singular = |how: &str| ToolError::failed(format!("the matrix is singular{how}, so {consequence}"));
    match left.exact.as_ref().zip(right_exact).and_then(|(left, right)| exact::eliminate(left, right)) {
        Some(Outcome::Regular(_, rows)) => Ok(Answer::Exact(rows)),
        Some(Outcome::Singular) => Err(singular(" (its determinant is 0)")),
        None => match Elimination::new(&left.dense, Some(right))?.solution()? {
            Ok(dense) => Ok(Answer::Dense(dense)),
            Err(lu::Singular) => Err(singular(" to working precision")),
        },
    }
}

fn determinant(left: &Input) -> Result<Value, ToolError> {
    let size = square(&left.dense, "determinant")?;
    let exact = left.exact.as_ref().and_then(|rows| exact::eliminate(rows, &vec![Vec::new(); size]));
    let (value, is_exact) = match exact {
        Some(Outcome::Regular(value, _)) => (show::fraction(&value), true),
        Some(Outcome::Singular) => ("0".to_owned(), true),
        None => (scientific(Elimination::new(&left.dense, None)?.determinant()), false),
    };
    let text = if size * size <= show::WRITTEN {
        format!("The determinant is {value}.")
    } else {
        format!("The determinant of the {} matrix is about {value}.", shape(&left.dense))
    };
    Ok(json!({ "text": text, "value": value, "rows": size, "columns": size, "exact": is_exact }))
}

/// A number given by mantissa and exponent of ten.
fn scientific((mantissa, exponent): (f64, i64)) -> String {
    match i32::try_from(exponent) {
        Ok(small @ -5..15) => show::float(mantissa * 10_f64.powi(small)),
        _ => format!("{}e{exponent}", show::float(mantissa)),
    }
}

fn square(matrix: &Dense, operation: &str) -> Result<usize, ToolError> {
    if matrix.rows == matrix.columns {
        Ok(matrix.rows)
    } else {
        Err(ToolError::invalid(format!("`a` is {}; `{operation}` needs as many rows as columns", shape(matrix))))
    }
}

fn shape(matrix: &Dense) -> String {
    format!("{}×{}", matrix.rows, matrix.columns)
}

/// A matrix as result.
enum Answer {
    Exact(Rows),
    Dense(Dense),
}

impl Answer {
    /// Small matrices are written out; large ones are summarised, and stored when they came from a file.
    fn report(self, what: &str, file: &str, from_blob: bool) -> Result<Value, ToolError> {
        let (Shown { text, entries }, rows, columns, norm, exact) = match &self {
            Self::Exact(rows) => (show::exact(rows), rows.len(), rows.first().map_or(0, Vec::len), None, true),
            Self::Dense(dense) => (show::dense(dense), dense.rows, dense.columns, Some(dense.norm()), false),
        };
        let mut result =
            json!({ "text": "", "value": text, "rows": rows, "columns": columns, "entries": entries, "exact": exact });
        let mut sentence = format!("{what} is {text}.");
        if let Self::Dense(dense) = &self
            && dense.data.len() > show::WRITTEN
        {
            let norm = show::float(norm.unwrap_or(0.0));
            sentence =
                format!("{what} is a {} matrix with Frobenius norm {norm}; it starts with {text}.", shape(dense));
            result["value"] = norm.into();
            if from_blob {
                blobs::write(file, csv(dense).as_bytes())?;
                sentence += &format!(" All of it is in {file}.");
                result["blob"] = file.into();
            }
        }
        if let Some(norm) = norm {
            result["norm"] = norm.into();
        }
        result["text"] = sentence.into();
        Ok(result)
    }
}

fn csv(matrix: &Dense) -> String {
    let line = |row: &[f64]| row.iter().map(f64::to_string).collect::<Vec<_>>().join(",");
    matrix.data.chunks(matrix.columns).map(line).collect::<Vec<_>>().join("\n")
}

tomas_tool_sdk::export!(Matrix; worker = product::worker);

#[cfg(test)]
mod tests;
