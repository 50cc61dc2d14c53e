//! Rounding matrices to bf16 and laying them out in tiles.

use super::gemm::Matrix;
use candle_core::{Result, bail};
use rayon::prelude::*;
use std::arch::x86_64::*;
use std::mem::MaybeUninit;

/// A tile of bf16 numbers, two to a word: `[row][pair of terms]` on the left, `[pair of terms][column]` on the right.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
pub(crate) struct Tile([[u32; 16]; 16]);

/// Which operand a matrix is.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Side {
    /// Its rows are rows of the result.
    Left,
    /// Its columns are columns of the result.
    Right,
}

/// Lays an operand out in tile rows: 16 rows (left) or columns (right) of the result each, over all terms. There is an
/// even number of tile rows; what is beyond the matrix is zero.
pub(crate) fn pack(matrix: Matrix<'_>, side: Side) -> Result<Vec<Tile>> {
    // As seen from the result, a row of the left operand and a column of the right one are the same.
    let m = if side == Side::Left { matrix } else { matrix.t() };
    let (lines, terms) = (m.rows(), m.cols());
    let depth = terms.div_ceil(32);
    let Some(layout) = Layout::of(m) else {
        bail!("bf16 product: neither rows nor columns of an operand are contiguous");
    };
    let tile = |row: usize, step: usize| {
        let (line, term) = (row * 16, step * 32);
        let (lines, terms) = (lines.saturating_sub(line).min(16), (terms - term).min(32));
        #[expect(unsafe_code, reason = "the caller has checked that the machine has these instructions")]
        // SAFETY: as the reason says: `amx::available` checks them.
        unsafe {
            one(m.data(), layout, [line, term], [lines, terms], side)
        }
    };
    // Tile rows of a task, step by step. Where the numbers of a term are beside each other, it reads 512 bytes in a row.
    let group = if matches!(layout, Layout::Terms(_)) { 1 } else { 8 };
    let n = lines.div_ceil(16).next_multiple_of(2) * depth;
    let mut tiles = Vec::with_capacity(n);
    let room: &mut [MaybeUninit<Tile>] = tiles.spare_capacity_mut().get_mut(..n).unwrap_or_default();
    room.par_chunks_mut((group * depth).max(1)).enumerate().for_each(|(task, room)| {
        for step in 0..depth {
            for (i, to) in room.iter_mut().skip(step).step_by(depth).enumerate() {
                to.write(tile(task * group + i, step));
            }
        }
    });
    #[expect(unsafe_code, reason = "zeroing first costs as much as packing")]
    // SAFETY: the capacity is at least `n`, and the groups cover all tiles, each step a `depth`-th part of theirs.
    unsafe {
        tiles.set_len(n);
    }
    Ok(tiles)
}

/// Where the numbers of a line (a row of the left operand, a column of the right one) are.
#[derive(Clone, Copy)]
enum Layout {
    /// Its terms beside each other; lines start this many elements apart.
    Terms(usize),
    /// Terms start this many elements apart; the numbers of one term beside each other.
    Lines(usize),
}

impl Layout {
    fn of(m: Matrix<'_>) -> Option<Self> {
        match m.strides() {
            (lines, 1) => Some(Self::Terms(lines)),
            (1, terms) => Some(Self::Lines(terms)),
            _ => None,
        }
    }
}

/// One tile from `line` and `term` on, of which so many lines and terms exist.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn one(data: &[f32], layout: Layout, [line, term]: [usize; 2], [lines, terms]: [usize; 2], side: Side) -> Tile {
    let mut words = [_mm512_setzero_si512(); 16];
    match layout {
        Layout::Terms(stride) => {
            for (i, word) in words.iter_mut().enumerate().take(lines) {
                let row = data.get((line + i) * stride + term..).unwrap_or_default();
                let row = row.get(..terms).unwrap_or(row);
                let (low, high) = row.split_at(row.len().min(16));
                *word = round(load(low), load(high));
            }
        }
        Layout::Lines(stride) => {
            let of_term = |t: usize| {
                let row = data.get((term + t) * stride + line..).unwrap_or_default();
                load(if t < terms { row.get(..lines).unwrap_or(row) } else { &[] })
            };
            for (i, word) in words.iter_mut().enumerate() {
                *word = interleave(round(of_term(2 * i), of_term(2 * i + 1)));
            }
        }
    }
    if matches!(layout, Layout::Terms(_)) != (side == Side::Left) {
        words = transpose(words);
    }
    store(words)
}

/// Up to 16 numbers; the others are 0.
#[target_feature(enable = "avx512f")]
fn load(row: &[f32]) -> __m512 {
    let mask = if row.len() >= 16 { u16::MAX } else { (1 << row.len()) - 1 };
    #[expect(unsafe_code, reason = "vector loads take pointers")]
    // SAFETY: the mask has a bit for no more numbers than the slice has.
    unsafe {
        _mm512_maskz_loadu_ps(mask, row.as_ptr())
    }
}

/// Rounds 32 numbers to bf16, in order.
#[target_feature(enable = "avx512f,avx512bf16")]
fn round(low: __m512, high: __m512) -> __m512i {
    #[expect(unsafe_code, reason = "the two vector types have the same bits")]
    // SAFETY: as the reason says.
    unsafe {
        std::mem::transmute(_mm512_cvtne2ps_pbh(high, low))
    }
}

/// From 16 numbers of one term and 16 of the next to 16 pairs.
#[target_feature(enable = "avx512f,avx512bw")]
fn interleave(x: __m512i) -> __m512i {
    let mut order = [0i16; 32];
    for i in 0..16 {
        order[2 * i] = i as i16;
        order[2 * i + 1] = i as i16 + 16;
    }
    #[expect(unsafe_code, reason = "arrays and vectors have the same bits")]
    // SAFETY: as the reason says.
    let order = unsafe { std::mem::transmute::<[i16; 32], __m512i>(order) };
    _mm512_permutexvar_epi16(order, x)
}

#[target_feature(enable = "avx512f")]
fn store(words: [__m512i; 16]) -> Tile {
    #[expect(unsafe_code, reason = "arrays and vectors have the same bits")]
    // SAFETY: as the reason says.
    unsafe {
        std::mem::transmute(words)
    }
}

/// Transposes 16 times 16 words: first inside groups of four by four, then the groups.
#[target_feature(enable = "avx512f")]
fn transpose(x: [__m512i; 16]) -> [__m512i; 16] {
    let mut y = x;
    for i in (0..16).step_by(4) {
        let [a, b, c, d] = [x[i], x[i + 1], x[i + 2], x[i + 3]];
        let (ab_low, ab_high) = (_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
        let (cd_low, cd_high) = (_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
        y[i] = _mm512_unpacklo_epi64(ab_low, cd_low);
        y[i + 1] = _mm512_unpackhi_epi64(ab_low, cd_low);
        y[i + 2] = _mm512_unpacklo_epi64(ab_high, cd_high);
        y[i + 3] = _mm512_unpackhi_epi64(ab_high, cd_high);
    }
    // Quarter `q` of `y[4 g + r]` now is column `4 q + r` of rows `4 g ..`.
    let mut z = x;
    for r in 0..4 {
        let [g0, g1, g2, g3] = [y[r], y[4 + r], y[8 + r], y[12 + r]];
        let (low01, low23) = (_mm512_shuffle_i32x4::<0x44>(g0, g1), _mm512_shuffle_i32x4::<0x44>(g2, g3));
        let (high01, high23) = (_mm512_shuffle_i32x4::<0xee>(g0, g1), _mm512_shuffle_i32x4::<0xee>(g2, g3));
        z[r] = _mm512_shuffle_i32x4::<0x88>(low01, low23);
        z[4 + r] = _mm512_shuffle_i32x4::<0xdd>(low01, low23);
        z[8 + r] = _mm512_shuffle_i32x4::<0x88>(high01, high23);
        z[12 + r] = _mm512_shuffle_i32x4::<0xdd>(high01, high23);
    }
    z
}
