//! Matrix products of strided slices, checked at their bounds.

use super::data::Fresh;
use candle_core::{Result, bail};
use rayon::prelude::*;

/// A matrix inside a slice.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a> Matrix<'a> {
    /// A row-major matrix whose rows start `stride` elements apart.
    pub(crate) fn strided(data: &'a [f32], rows: usize, cols: usize, stride: usize) -> Self {
        Self { data, rows, cols, row_stride: stride, col_stride: 1 }
    }

    /// A row-major matrix without gaps.
    pub(crate) fn new(data: &'a [f32], rows: usize, cols: usize) -> Self {
        Self::strided(data, rows, cols, cols)
    }

    /// The transpose.
    pub(crate) fn t(self) -> Self {
        Self { rows: self.cols, cols: self.rows, row_stride: self.col_stride, col_stride: self.row_stride, ..self }
    }

    pub(crate) fn data(&self) -> &'a [f32] {
        self.data
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn cols(&self) -> usize {
        self.cols
    }

    /// Elements from one row to the next and from one column to the next.
    pub(crate) fn strides(&self) -> (usize, usize) {
        (self.row_stride, self.col_stride)
    }

    /// `n` rows from row `first`.
    pub(crate) fn rows_from(self, first: usize, n: usize) -> Self {
        let start = (first * self.row_stride).min(self.data.len());
        Self { data: self.data.get(start..).unwrap_or_default(), rows: n, ..self }
    }

    fn fits(&self) -> bool {
        self.rows == 0 || self.cols == 0 || {
            let last = (self.rows - 1) * self.row_stride + (self.cols - 1) * self.col_stride;
            last < self.data.len()
        }
    }
}

/// Where a product goes; rows start `stride` elements apart.
pub(crate) enum Target<'a> {
    /// Written for the first time.
    Fresh(&'a mut [Fresh]),
    /// Replaced.
    Set(&'a mut [f32]),
    /// Added to.
    Add(&'a mut [f32]),
}

/// `target = alpha a b` (or `+=`) on the calling thread.
pub(crate) fn multiply(target: Target<'_>, stride: usize, alpha: f32, a: Matrix<'_>, b: Matrix<'_>) -> Result<()> {
    let (m, n, k) = (a.rows, b.cols, a.cols);
    let (out, len, add) = match target {
        Target::Fresh(out) => (out.as_mut_ptr().cast::<f32>(), out.len(), false),
        Target::Set(out) => (out.as_mut_ptr(), out.len(), false),
        Target::Add(out) => (out.as_mut_ptr(), out.len(), true),
    };
    let holds = m == 0 || n == 0 || (n <= stride.max(n * usize::from(m == 1)) && (m - 1) * stride + n <= len);
    if b.rows != k || !a.fits() || !b.fits() || !holds {
        bail!("matrix product: `{m}x{k}` by `{}x{n}` does not fit its operands", b.rows);
    }
    #[expect(unsafe_code, reason = "the gemm crate takes pointers")]
    // SAFETY: all elements that the strides reach lie inside the slices, as checked above; `out` is borrowed mutably and
    // so overlaps neither operand, and it is read only in the `Add` case, where it is initialised.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out,
            1,
            stride as isize,
            add,
            a.data.as_ptr(),
            a.col_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.col_stride as isize,
            b.row_stride as isize,
            1.0f32,
            alpha,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
    Ok(())
}

/// Products with fewer multiplications than this stay on one thread: handing work over costs some microseconds.
const PARALLEL: usize = 1 << 20;

/// How many rows of a product one task computes, of `m` rows of `work` multiplications each.
pub(crate) fn rows_per_task(m: usize, work: usize) -> usize {
    if m.saturating_mul(work) < PARALLEL {
        return m.max(1);
    }
    m.div_ceil(rayon::current_num_threads()).next_multiple_of(16)
}

/// `a b` with the rows of the result shared out among threads; `finish` sees every block of complete rows once.
pub(crate) fn product(a: Matrix<'_>, b: Matrix<'_>, finish: impl Fn(&mut [f32]) + Sync) -> Result<Vec<f32>> {
    let (m, n) = (a.rows, b.cols);
    let rows = rows_per_task(m, n * a.cols);
    let fill = |out: &mut [Fresh]| {
        let blocks = out.par_chunks_mut((rows * n).max(1)).enumerate();
        blocks.try_for_each(|(i, block)| {
            let a = a.rows_from(i * rows, block.len() / n);
            multiply(Target::Fresh(block), n, 1.0, a, b)?;
            #[expect(unsafe_code, reason = "the product has just written the block")]
            // SAFETY: as the reason says.
            finish(unsafe { block.assume_init_mut() });
            Ok(())
        })
    };
    #[expect(unsafe_code, reason = "see `filled`")]
    // SAFETY: the blocks cover the output and each is written by its product, which has `k >= 0` terms.
    unsafe {
        super::data::filled(m * n, fill)
    }
}

/// `sum += a b` with the rows of the result shared out among threads.
pub(crate) fn add_product(sum: &mut [f32], a: Matrix<'_>, b: Matrix<'_>) -> Result<()> {
    let n = b.cols;
    let rows = rows_per_task(a.rows, n * a.cols);
    let blocks = sum.par_chunks_mut((rows * n).max(1)).enumerate();
    blocks.try_for_each(|(i, block)| {
        let a = a.rows_from(i * rows, block.len() / n);
        multiply(Target::Add(block), n, 1.0, a, b)
    })
}
