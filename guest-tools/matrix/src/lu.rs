//! Gaussian elimination with partial pivoting, by halves (Toledo, "Locality of Reference in LU
//! Decomposition with Partial Pivoting", 1997): almost all work becomes large products, which can be shared.

use std::ops::Range;

use tomas_tool_sdk::{ToolError, progress};

use crate::dense::Dense;
use crate::product::product;

/// Below this many columns elimination goes column by column.
const SMALL: usize = 16;

/// `[A | B]` that is eliminated in place.
pub(crate) struct Elimination {
    work: Dense,
    /// Rows of `A`.
    size: usize,
    /// -1 after an odd number of exchanged rows.
    sign: f64,
    /// A pivot up to this is rounding error.
    tiny: f64,
}

/// The matrix has no inverse, to working precision.
pub(crate) struct Singular;

impl Elimination {
    /// Factors `A`; `right` (the same rows) is exchanged along.
    pub(crate) fn new(matrix: &Dense, right: Option<&Dense>) -> Result<Self, ToolError> {
        let work = right.map_or_else(|| matrix.clone(), |right| matrix.beside(right));
        let size = matrix.rows;
        let largest = matrix.data.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
        let tiny = largest * size as f64 * f64::EPSILON;
        let mut elimination = Self { work, size, sign: 1.0, tiny };
        elimination.factor(0..size)?;
        Ok(elimination)
    }

    /// Columns `columns` of `L` and `U`, given those before.
    fn factor(&mut self, columns: Range<usize>) -> Result<(), ToolError> {
        if columns.len() <= SMALL {
            columns.clone().for_each(|column| self.eliminate(column, columns.end));
            return Ok(());
        }
        let middle = columns.start + columns.len() / 2;
        self.factor(columns.start..middle)?;
        self.forward(columns.start..middle, middle..columns.end)?;
        self.subtract_product(middle..self.size, columns.start..middle, middle..columns.end)?;
        progress::report(middle as u64, self.size as u64, "eliminating");
        self.factor(middle..columns.end)
    }

    /// One column: finds the pivot, exchanges whole rows, subtracts up to column `end`.
    fn eliminate(&mut self, column: usize, end: usize) {
        let magnitude = |row: usize| self.work.row(row)[column].abs();
        let pivot = (column..self.size).max_by(|&a, &b| magnitude(a).total_cmp(&magnitude(b))).unwrap_or(column);
        if pivot != column {
            let (above, below) = self.work.data.split_at_mut(pivot * self.work.columns);
            let length = self.work.columns;
            above[column * length..][..length].swap_with_slice(&mut below[..length]);
            self.sign = -self.sign;
        }
        let value = self.work.row(column)[column];
        if value == 0.0 {
            return;
        }
        let length = self.work.columns;
        let (above, below) = self.work.data.split_at_mut((column + 1) * length);
        let upper = &above[column * length..][column + 1..end];
        for row in below.chunks_exact_mut(length).take(self.size - column - 1) {
            let factor = row[column] / value;
            row[column] = factor;
            row[column + 1..end].iter_mut().zip(upper).for_each(|(value, upper)| *value -= factor * upper);
        }
    }

    /// Solves with the unit lower triangle at `rows`, for `columns`, in place.
    fn forward(&mut self, rows: Range<usize>, columns: Range<usize>) -> Result<(), ToolError> {
        if rows.len() > SMALL {
            let middle = rows.start + rows.len() / 2;
            self.forward(rows.start..middle, columns.clone())?;
            self.subtract_product(middle..rows.end, rows.start..middle, columns.clone())?;
            return self.forward(middle..rows.end, columns);
        }
        for row in rows.clone() {
            for before in rows.start..row {
                self.subtract_row(row, before, columns.clone());
            }
        }
        Ok(())
    }

    /// Solves with the upper triangle at `rows`, for `columns`, in place.
    fn backward(&mut self, rows: Range<usize>, columns: Range<usize>) -> Result<(), ToolError> {
        if rows.len() > SMALL {
            let middle = rows.start + rows.len() / 2;
            self.backward(middle..rows.end, columns.clone())?;
            self.subtract_product(rows.start..middle, middle..rows.end, columns.clone())?;
            return self.backward(rows.start..middle, columns);
        }
        for row in rows.clone().rev() {
            for after in row + 1..rows.end {
                self.subtract_row(row, after, columns.clone());
            }
            let pivot = self.work.row(row)[row];
            self.work.row_mut(row)[columns.clone()].iter_mut().for_each(|value| *value /= pivot);
        }
        Ok(())
    }

    /// Row `row` minus row `other` times the factor where they meet.
    fn subtract_row(&mut self, row: usize, other: usize, columns: Range<usize>) {
        let factor = self.work.row(row)[other];
        let (low, high) = (row.min(other), row.max(other));
        let length = self.work.columns;
        let (above, below) = self.work.data.split_at_mut(high * length);
        let (low, high) = (&mut above[low * length..][..length], &mut below[..length]);
        let (to, from) = if row < other { (low, high) } else { (high, low) };
        to[columns.clone()].iter_mut().zip(&from[columns]).for_each(|(to, from)| *to -= factor * from);
    }

    /// The block at `rows` and `columns` minus the product of the blocks that share `inner`.
    fn subtract_product(
        &mut self,
        rows: Range<usize>,
        inner: Range<usize>,
        columns: Range<usize>,
    ) -> Result<(), ToolError> {
        if rows.is_empty() || columns.is_empty() {
            return Ok(());
        }
        let left = self.work.part(rows.clone(), inner.clone());
        let right = self.work.part(inner, columns.clone());
        let result = product(&left, &right)?;
        for (offset, row) in rows.enumerate() {
            let to = &mut self.work.row_mut(row)[columns.clone()];
            to.iter_mut().zip(result.row(offset)).for_each(|(to, value)| *to -= value);
        }
        Ok(())
    }

    /// The pivots, in the order of the rows.
    fn pivots(&self) -> impl Iterator<Item = f64> + '_ {
        self.work.data.iter().copied().step_by(self.work.columns + 1).take(self.size)
    }

    /// The determinant as mantissa (1 to 10, with a sign) and exponent of ten; zero is `(0, 0)`. The
    /// product of many pivots leaves the range of a float, the exponent does not.
    pub(crate) fn determinant(&self) -> (f64, i64) {
        let (mut mantissa, mut exponent) = (self.sign, 0_i64);
        for pivot in self.pivots() {
            mantissa *= pivot;
            if mantissa == 0.0 {
                return (0.0, 0);
            }
            let shift = mantissa.abs().log10().floor();
            if shift.abs() >= 100.0 {
                mantissa /= 10_f64.powf(shift);
                exponent += shift as i64;
            }
        }
        let shift = mantissa.abs().log10().floor();
        (mantissa / 10_f64.powf(shift), exponent + shift as i64)
    }

    /// Whether a pivot is nothing but rounding error.
    pub(crate) fn is_singular(&self) -> bool {
        self.pivots().any(|pivot| pivot.abs() <= self.tiny)
    }

    /// The solution of `A X = B`.
    pub(crate) fn solution(mut self) -> Result<Result<Dense, Singular>, ToolError> {
        if self.is_singular() {
            return Ok(Err(Singular));
        }
        let (rows, columns) = (0..self.size, self.size..self.work.columns);
        self.forward(rows.clone(), columns.clone())?;
        self.backward(rows.clone(), columns.clone())?;
        Ok(Ok(self.work.part(rows, columns)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solutions_satisfy_their_equations() {
        for size in [1, 2, 15, 16, 17, 40, 100, 131] {
            let (matrix, wanted) = (Dense::random(size, size, 3), Dense::random(size, 3, 4));
            let right = product(&matrix, &wanted).expect("a product");
            let elimination = Elimination::new(&matrix, Some(&right)).expect("an elimination");
            let Ok(found) = elimination.solution().expect("no worker failed") else { panic!("singular at {size}") };
            let far = found.data.iter().zip(&wanted.data).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(far < 1e-9, "{size}: {far}");
        }
    }

    #[test]
    fn a_determinant_beyond_floats_keeps_its_exponent() {
        let mut matrix = Dense::identity(400);
        matrix.data.iter_mut().for_each(|value| *value *= 1e10);
        let (mantissa, exponent) = Elimination::new(&matrix, None).expect("an elimination").determinant();
        assert_eq!(exponent + mantissa.log10().round() as i64, 4000);
    }

    #[test]
    fn a_repeated_row_is_singular() {
        let mut matrix = Dense::random(50, 50, 5);
        let row = matrix.row(7).to_vec();
        matrix.row_mut(31).copy_from_slice(&row);
        let elimination = Elimination::new(&matrix, None).expect("an elimination");
        assert!(elimination.is_singular());
    }
}
