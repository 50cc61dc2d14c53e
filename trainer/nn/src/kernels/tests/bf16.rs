//! The tile instructions against products of operands that were rounded before.

use super::super::amx;
use super::super::gemm::Matrix;
use super::Random;

/// Rounds to bf16, ties to even.
fn rounded(x: f32) -> f64 {
    let bits = x.to_bits();
    f64::from(f32::from_bits((bits + 0x7fff + (bits >> 16 & 1)) & 0xffff_0000))
}

fn compare(m: usize, n: usize, k: usize, transposed: [bool; 2]) {
    let mut random = Random::new(50);
    let (a, b) = (random.values(m * k), random.values(k * n));
    let a_matrix = if transposed[0] { Matrix::new(&a, k, m).t() } else { Matrix::new(&a, m, k) };
    let b_matrix = if transposed[1] { Matrix::new(&b, n, k).t() } else { Matrix::new(&b, k, n) };
    let y = amx::product(a_matrix, b_matrix, |rows| rows.iter_mut().for_each(|v| *v += 1.0)).unwrap();
    let at = |x: &[f32], i, j, rows, cols, t: bool| rounded(if t { x[j * rows + i] } else { x[i * cols + j] });
    for i in 0..m {
        for j in 0..n {
            let terms = (0..k).map(|p| at(&a, i, p, m, k, transposed[0]) * at(&b, p, j, k, n, transposed[1]));
            let wanted = terms.sum::<f64>() + 1.0;
            let found = f64::from(y[i * n + j]);
            assert!(
                (found - wanted).abs() < 1e-4,
                "{m}x{k}x{n} {transposed:?}: ({i}, {j}) is {found}, expected {wanted}"
            );
        }
    }
}

#[test]
fn products_match_at_every_edge() {
    if !amx::available() {
        return;
    }
    let sizes =
        [(1, 1, 1), (16, 16, 32), (32, 32, 32), (33, 31, 33), (17, 50, 7), (100, 3, 70), (64, 96, 128), (5, 64, 300)];
    for (m, n, k) in sizes {
        for transposed in [[false, false], [false, true], [true, false], [true, true]] {
            compare(m, n, k, transposed);
        }
    }
    // More than one task and more than one stripe of the right operand.
    compare(150, 1100, 640, [false, true]);
    compare(150, 1100, 640, [true, false]);
}
