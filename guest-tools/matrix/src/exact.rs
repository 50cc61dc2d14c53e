//! Exact arithmetic for small matrices of small fractions. Everything returns nothing when a number
//! leaves 128 bits; the caller then takes floats.

use num_rational::Ratio;
use num_traits::{CheckedAdd, CheckedDiv, CheckedMul, CheckedSub, One, Zero};

/// A fraction in lowest terms.
pub(crate) type Fraction = Ratio<i128>;

/// Rows of fractions.
pub(crate) type Rows = Vec<Vec<Fraction>>;

/// `left * right`. The inner sizes agree.
pub(crate) fn product(left: &Rows, right: &Rows) -> Option<Rows> {
    let columns = right.first()?.len();
    left.iter()
        .map(|row| {
            (0..columns)
                .map(|column| {
                    row.iter().zip(right).try_fold(Fraction::zero(), |sum, (value, other)| {
                        sum.checked_add(&value.checked_mul(other.get(column)?)?)
                    })
                })
                .collect()
        })
        .collect()
}

/// What elimination found.
pub(crate) enum Outcome {
    /// The determinant of a regular matrix and `A⁻¹ B`.
    Regular(Fraction, Rows),
    /// The determinant is zero.
    Singular,
}

/// Gauss-Jordan elimination of the square matrix `matrix` with `right` beside it.
pub(crate) fn eliminate(matrix: &Rows, right: &Rows) -> Option<Outcome> {
    let size = matrix.len();
    let mut work: Rows =
        matrix.iter().zip(right).map(|(row, other)| row.iter().chain(other).copied().collect()).collect();
    let mut determinant = Fraction::one();
    for column in 0..size {
        let Some(pivot) = (column..size).find(|&row| !work[row][column].is_zero()) else {
            return Some(Outcome::Singular);
        };
        if pivot != column {
            work.swap(pivot, column);
            determinant = -determinant;
        }
        let value = work[column][column];
        determinant = determinant.checked_mul(&value)?;
        let mut upper = std::mem::take(&mut work[column]);
        for entry in &mut upper {
            *entry = entry.checked_div(&value)?;
        }
        for row in work.iter_mut().filter(|row| !row.is_empty()) {
            let factor = row[column];
            for (entry, above) in row.iter_mut().zip(&upper) {
                *entry = entry.checked_sub(&factor.checked_mul(above)?)?;
            }
        }
        work[column] = upper;
    }
    Some(Outcome::Regular(determinant, work.into_iter().map(|row| row[size..].to_vec()).collect()))
}

/// Ones on the diagonal.
pub(crate) fn identity(size: usize) -> Rows {
    let one = |row, column| if row == column { Fraction::one() } else { Fraction::zero() };
    (0..size).map(|row| (0..size).map(|column| one(row, column)).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(values: &[&[i128]]) -> Rows {
        values.iter().map(|row| row.iter().map(|value| Fraction::from_integer(*value)).collect()).collect()
    }

    #[test]
    fn the_hilbert_matrix_is_inverted_exactly() {
        // Inverse of the 3x3 Hilbert matrix, a classic with integer entries.
        let hilbert: Rows = (1..=3).map(|row| (0..3).map(|column| Fraction::new(1, row + column)).collect()).collect();
        let Some(Outcome::Regular(determinant, inverse)) = eliminate(&hilbert, &identity(3)) else {
            panic!("singular")
        };
        assert_eq!(determinant, Fraction::new(1, 2160));
        assert_eq!(inverse, rows(&[&[9, -36, 30], &[-36, 192, -180], &[30, -180, 180]]));
    }

    #[test]
    fn singular_and_overflow_are_told_apart() {
        assert!(matches!(eliminate(&rows(&[&[1, 2], &[2, 4]]), &identity(2)), Some(Outcome::Singular)));
        let huge = rows(&[&[i128::MAX, 1], &[1, i128::MAX - 1]]);
        assert!(eliminate(&huge, &identity(2)).is_none());
    }
}
