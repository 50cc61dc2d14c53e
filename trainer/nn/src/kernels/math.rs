//! Sums and functions that the compiler turns into vector instructions inside [`vectorised`](super::vectorised) loops.

/// Partial sums that run beside each other: two registers of AVX-512, four of AVX2.
const LANES: usize = 32;

/// `Σ f(aᵢ, bᵢ)` in an order that depends on the length alone.
#[inline(always)]
fn sum_of(a: &[f32], b: &[f32], f: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [0f32; LANES];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for ((lane, x), y) in lanes.iter_mut().zip(a).zip(b) {
            *lane += f(*x, *y);
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(x, y)| f(*x, *y)).sum();
    lanes.iter().sum::<f32>() + rest
}

/// The scalar product.
#[inline(always)]
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    sum_of(a, b, |x, y| x * y)
}

/// The sum of all elements.
#[inline(always)]
pub(crate) fn sum(a: &[f32]) -> f32 {
    sum_of(a, a, |x, _| x)
}

/// The sum of squared distances from `centre`.
#[inline(always)]
pub(crate) fn spread(a: &[f32], centre: f32) -> f32 {
    sum_of(a, a, |x, _| (x - centre) * (x - centre))
}

/// The largest element, `-inf` if there is none; NaN is passed over.
#[inline(always)]
pub(crate) fn max(a: &[f32]) -> f32 {
    let larger = |m: f32, v: f32| if v > m { v } else { m };
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (a, rest) = a.as_chunks::<LANES>();
    for a in a {
        for (lane, v) in lanes.iter_mut().zip(a) {
            *lane = larger(*lane, *v);
        }
    }
    lanes.iter().chain(rest).copied().fold(f32::NEG_INFINITY, larger)
}

/// Adds `b` to `a`.
#[inline(always)]
pub(crate) fn add(a: &mut [f32], b: &[f32]) {
    for (a, b) in a.iter_mut().zip(b) {
        *a += b;
    }
}

/// `eˣ` with a relative error of about 1e-7; 0 below -87, `e⁸⁸` above 88.
///
/// Reduces to `2ⁿ eʳ` with `|r| <= ln(2) / 2` and evaluates the polynomial of Cephes' `expf`.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    /// Adding it rounds a small number to an integer, which then is in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let low = x < -87.0;
    let x = if low { -87.0 } else { x };
    let x = if x > 88.0 { 88.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let mut p = 1.987_569_1e-4_f32;
    p = p * r + 1.398_199_9e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 1.666_666_6e-1;
    p = p * r + 0.5;
    let power = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    let y = (p * r * r + r + 1.0) * power;
    if low { 0.0 } else { y }
}

/// The logistic function.
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// The normal distribution function `Φ(x)` and `x φ(x)`, both with an absolute error below 2e-7.
///
/// Abramowitz and Stegun, *Handbook of Mathematical Functions*, 7.1.26, for `erfc(|x| / √2) / 2`.
#[inline(always)]
pub(crate) fn normal(x: f32) -> (f32, f32) {
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let bell = exp(-z * z);
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let mut p = 1.061_405_4_f32;
    p = p * t - 1.453_152;
    p = p * t + 1.421_413_7;
    p = p * t - 0.284_496_74;
    p = p * t + 0.254_829_6;
    let tail = 0.5 * p * t * bell;
    let phi = if x > 0.0 { 1.0 - tail } else { tail };
    (phi, x * bell * 0.398_942_3)
}

/// Replaces scores by their softmax; returns `ln Σ eˣ`. An empty row gives `-inf`.
#[inline(always)]
pub(crate) fn softmax(x: &mut [f32]) -> f32 {
    let m = max(x);
    for v in x.iter_mut() {
        *v = exp(*v - m);
    }
    let total = sum(x);
    let scale = 1.0 / total;
    for v in x.iter_mut() {
        *v *= scale;
    }
    m + total.ln()
}

/// `ln Σ eˣ`.
#[inline(always)]
pub(crate) fn log_sum_exp(x: &[f32]) -> f32 {
    let m = max(x);
    m + sum_of(x, x, |v, _| exp(v - m)).ln()
}

super::vectorised::vectorised! {
    /// The sum of squares, exact to about 1e-7 of itself.
    pub(crate) fn square_sum(x: &[f32]) -> f64 {
        let mut total = 0.0;
        for block in x.chunks(LANES * 64) {
            total += f64::from(dot(block, block));
        }
        total
    }
}
