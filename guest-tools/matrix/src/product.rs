//! Products, alone or by fork-join.
//!
//! The inner loop works on panels: 4 rows of the left and 4 columns of the right matrix, copied so that
//! they are read in order. Sixteen sums stay in vector registers.

use std::borrow::Cow;
use std::ops::Range;

use tomas_tool_sdk::{ToolError, parallel};

use crate::dense::Dense;

/// Rows of a left and columns of a right panel.
const PANEL: usize = 4;
/// Terms of a sum that are taken at once, so that two panels stay in the first cache.
const DEPTH: usize = 256;
/// From this many multiplications on (some milliseconds) the work is shared.
const WORTH_SHARING: usize = 1 << 23;

/// Four values, one of each row or column of a panel.
type Four = [f64; PANEL];

/// `left * right`. The inner sizes agree.
pub(crate) fn product(left: &Dense, right: &Dense) -> Result<Dense, ToolError> {
    let width = parallel::width().min(left.rows);
    if width > 1 && left.rows * left.columns * right.columns >= WORTH_SHARING {
        shared(left, right, width)
    } else {
        Ok(alone(left, right))
    }
}

/// Each worker gets a block of rows of the left matrix and the whole right one.
fn shared(left: &Dense, right: &Dense, width: usize) -> Result<Dense, ToolError> {
    let block = left.rows.div_ceil(width).next_multiple_of(PANEL);
    let items: Vec<Vec<u8>> =
        (0..left.rows).step_by(block).map(|start| item(left, start..(start + block).min(left.rows), right)).collect();
    let mut data = Vec::with_capacity(left.rows * right.columns);
    for bytes in parallel::map(worker, &items)? {
        data.extend_from_slice(&values(&bytes));
    }
    if data.len() == left.rows * right.columns {
        Ok(Dense { rows: left.rows, columns: right.columns, data })
    } else {
        Err(ToolError::failed(format!("workers returned `{}` values of `{}`", data.len(), left.rows * right.columns)))
    }
}

/// Three sizes as 32 bits and a gap, then the values. Both ends are the same component on the same
/// machine, so the order of bytes is its own.
fn item(left: &Dense, rows: Range<usize>, right: &Dense) -> Vec<u8> {
    let part: &[u8] = bytemuck::cast_slice(&left.data[rows.start * left.columns..rows.end * left.columns]);
    let whole: &[u8] = bytemuck::cast_slice(&right.data);
    let sizes = [rows.len(), left.columns, right.columns, 0].map(|size| u32::try_from(size).unwrap_or(u32::MAX));
    [bytemuck::cast_slice(&sizes), part, whole].concat()
}

/// Multiplies what [`item`] wrote; the answer is the values of the product.
pub(crate) fn worker(item: &[u8]) -> Result<Vec<u8>, String> {
    let bad = || "the item is not a product".to_owned();
    let (sizes, rest) = item.split_at_checked(16).ok_or_else(bad)?;
    let (sizes, _) = sizes.as_chunks::<4>();
    let &[rows, inner, columns, _] = sizes else { return Err(bad()) };
    let [rows, inner, columns] = [rows, inner, columns].map(|size| u32::from_ne_bytes(size) as usize);
    let bytes = |one: usize, other: usize| one.checked_mul(other).and_then(|count| count.checked_mul(8));
    let (left, right) = bytes(rows, inner).and_then(|length| rest.split_at_checked(length)).ok_or_else(bad)?;
    let length = bytes(rows, columns).ok_or_else(bad)?;
    if bytes(inner, columns) != Some(right.len()) || columns == 0 {
        return Err(bad());
    }
    let (left, right) = (values(left), values(right));
    let left = View { rows, columns: inner, data: &left };
    let right = View { rows: inner, columns, data: &right };
    // Every page that an instance touches costs time, so the sums go where the answer is.
    let mut answer = vec![0_u8; length];
    match bytemuck::try_cast_slice_mut(&mut answer) {
        Ok(sums) => add_product(left, right, sums),
        Err(_) => {
            let mut sums = vec![0.0; rows * columns];
            add_product(left, right, &mut sums);
            answer = bytemuck::cast_slice(&sums).to_vec();
        }
    }
    Ok(answer)
}

/// In place where the bytes happen to be aligned.
fn values(bytes: &[u8]) -> Cow<'_, [f64]> {
    match bytemuck::try_cast_slice(bytes) {
        Ok(values) => Cow::Borrowed(values),
        Err(_) => Cow::Owned(bytemuck::pod_collect_to_vec(bytes)),
    }
}

/// A matrix that somebody else owns.
#[derive(Clone, Copy)]
struct View<'a> {
    rows: usize,
    columns: usize,
    data: &'a [f64],
}

impl<'a> View<'a> {
    fn of(matrix: &'a Dense) -> Self {
        Self { rows: matrix.rows, columns: matrix.columns, data: &matrix.data }
    }

    fn row(self, row: usize) -> &'a [f64] {
        &self.data[row * self.columns..(row + 1) * self.columns]
    }
}

/// The product in this instance.
fn alone(left: &Dense, right: &Dense) -> Dense {
    let mut out = Dense::zeros(left.rows, right.columns);
    add_product(View::of(left), View::of(right), &mut out.data);
    out
}

/// Adds the product to `out`, which has the rows of `left` and the columns of `right`.
fn add_product(left: View<'_>, right: View<'_>, out: &mut [f64]) {
    let (mut rows, mut columns) = (Vec::new(), Vec::new());
    for start in (0..left.columns).step_by(DEPTH) {
        let terms = start..(start + DEPTH).min(left.columns);
        let depth = terms.len();
        pack_rows(left, terms.clone(), &mut rows);
        pack_columns(right, terms, &mut columns);
        for (left_panel, out) in rows.chunks_exact(depth).zip(out.chunks_mut(PANEL * right.columns)) {
            for (column, right_panel) in columns.chunks_exact(depth).enumerate() {
                let sums = multiply_panels(left_panel, right_panel);
                for (row, sums) in out.chunks_exact_mut(right.columns).zip(&sums) {
                    row[column * PANEL..].iter_mut().zip(sums).for_each(|(to, sum)| *to += sum);
                }
            }
        }
    }
}

/// The products of 4 rows with 4 columns.
fn multiply_panels(left: &[Four], right: &[Four]) -> [Four; PANEL] {
    let mut sums = [[0.0; PANEL]; PANEL];
    for (left, right) in left.iter().zip(right) {
        for (sums, left) in sums.iter_mut().zip(left) {
            for (sum, right) in sums.iter_mut().zip(right) {
                *sum += left * right;
            }
        }
    }
    sums
}

/// Panels of 4 rows, zero beyond the last row.
fn pack_rows(matrix: View<'_>, terms: Range<usize>, panels: &mut Vec<Four>) {
    panels.clear();
    for start in (0..matrix.rows).step_by(PANEL) {
        let first = panels.len();
        panels.resize(first + terms.len(), [0.0; PANEL]);
        for lane in 0..PANEL.min(matrix.rows - start) {
            let values = &matrix.row(start + lane)[terms.clone()];
            panels[first..].iter_mut().zip(values).for_each(|(four, value)| four[lane] = *value);
        }
    }
}

/// Panels of 4 columns, zero beyond the last column.
fn pack_columns(matrix: View<'_>, terms: Range<usize>, panels: &mut Vec<Four>) {
    panels.clear();
    panels.resize(matrix.columns.div_ceil(PANEL) * terms.len(), [0.0; PANEL]);
    for (offset, term) in terms.clone().enumerate() {
        for (column, values) in matrix.row(term).chunks(PANEL).enumerate() {
            panels[column * terms.len() + offset][..values.len()].copy_from_slice(values);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By the definition.
    fn slow(left: &Dense, right: &Dense) -> Dense {
        let mut out = Dense::zeros(left.rows, right.columns);
        for row in 0..left.rows {
            for column in 0..right.columns {
                out.row_mut(row)[column] =
                    (0..left.columns).map(|term| left.row(row)[term] * right.row(term)[column]).sum();
            }
        }
        out
    }

    fn far(one: &Dense, other: &Dense) -> f64 {
        one.data.iter().zip(&other.data).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn panels_agree_with_the_definition() {
        for (rows, inner, columns) in [(1, 1, 1), (4, 4, 4), (5, 7, 3), (33, 300, 18), (2, 513, 9)] {
            let (left, right) = (Dense::random(rows, inner, 1), Dense::random(inner, columns, 2));
            assert!(far(&alone(&left, &right), &slow(&left, &right)) < 1e-12, "{rows} {inner} {columns}");
        }
    }

    #[test]
    fn shards_agree_with_the_whole() {
        let (left, right) = (Dense::random(37, 20, 1), Dense::random(20, 11, 2));
        for width in [1, 2, 3, 8] {
            assert_eq!(shared(&left, &right, width), Ok(alone(&left, &right)));
        }
    }

    #[test]
    fn broken_items_are_refused() {
        let good = item(&Dense::random(4, 4, 1), 0..4, &Dense::random(4, 4, 2));
        assert!(worker(&good).is_ok());
        assert!(worker(&good[..good.len() - 1]).is_err());
        assert!(worker(&[]).is_err());
        assert!(worker(&[0xff; 64]).is_err());
    }
}
