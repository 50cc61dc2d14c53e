//! Sums and functions that the compiler turns into vector instructions.

/// Partial sums that run beside each other: two registers of AVX-512 or four of AVX2.
const LANES: usize = 32;

/// The sum of squares; exact to about 1e-7 of the result for any length that a chunk has.
pub(crate) fn square_sum(x: &[f32]) -> f64 {
    let mut lanes = [0f32; LANES];
    let mut total = 0f64;
    for block in x.chunks(LANES * 64) {
        lanes.fill(0.0);
        for part in block.chunks(LANES) {
            for (lane, v) in lanes.iter_mut().zip(part) {
                *lane += v * v;
            }
        }
        total += lanes.iter().map(|&v| f64::from(v)).sum::<f64>();
    }
    total
}
