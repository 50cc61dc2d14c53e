//! A matrix of floating-point numbers.

use std::ops::Range;

/// Row by row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Dense {
    /// Rows.
    pub(crate) rows: usize,
    /// Columns.
    pub(crate) columns: usize,
    /// `rows * columns` values.
    pub(crate) data: Vec<f64>,
}

impl Dense {
    /// All zero.
    pub(crate) fn zeros(rows: usize, columns: usize) -> Self {
        Self { rows, columns, data: vec![0.0; rows * columns] }
    }

    /// Ones on the diagonal.
    pub(crate) fn identity(size: usize) -> Self {
        let mut identity = Self::zeros(size, size);
        identity.data.iter_mut().step_by(size + 1).for_each(|value| *value = 1.0);
        identity
    }

    /// Uniform between -1 and 1 from a seed (SplitMix64, Steele et al. 2014).
    pub(crate) fn random(rows: usize, columns: usize, seed: u64) -> Self {
        let mut state = seed;
        let next = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut bits = state;
            bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
        };
        Self { rows, columns, data: std::iter::repeat_with(next).take(rows * columns).collect() }
    }

    /// The values of row `row`.
    pub(crate) fn row(&self, row: usize) -> &[f64] {
        &self.data[row * self.columns..(row + 1) * self.columns]
    }

    /// The values of row `row`.
    pub(crate) fn row_mut(&mut self, row: usize) -> &mut [f64] {
        &mut self.data[row * self.columns..(row + 1) * self.columns]
    }

    /// A copy of a part.
    pub(crate) fn part(&self, rows: Range<usize>, columns: Range<usize>) -> Self {
        let data = rows.clone().flat_map(|row| self.row(row)[columns.clone()].iter().copied()).collect();
        Self { rows: rows.len(), columns: columns.len(), data }
    }

    /// This matrix with the columns of `right` behind its own; both have the same rows.
    pub(crate) fn beside(&self, right: &Self) -> Self {
        let data = (0..self.rows).flat_map(|row| self.row(row).iter().chain(right.row(row)).copied()).collect();
        Self { rows: self.rows, columns: self.columns + right.columns, data }
    }

    /// The square root of the sum of squares.
    pub(crate) fn norm(&self) -> f64 {
        self.data.iter().map(|value| value * value).sum::<f64>().sqrt()
    }
}
