//! Which numbers the products of linear layers multiply.

use super::gemm::{self, Matrix};
use candle_core::Result;
use std::sync::atomic::{AtomicBool, Ordering};

static BF16: AtomicBool = AtomicBool::new(false);

/// Products with fewer multiplications than this are not worth the packing.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
const WORTH: usize = 1 << 18;

/// Lets linear layers multiply in bf16, with sums in f32, where the machine has instructions for it (Intel AMX); returns
/// whether it has. Parameters, activations and gradients stay f32. Off until turned on; it holds for the whole process.
///
/// Rounding to bf16 keeps 8 bits: a product of many terms differs from f32 by about 0.2 % of its typical size.
pub fn set_bf16(on: bool) -> bool {
    BF16.store(on, Ordering::Relaxed);
    bf16_available()
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn bf16_available() -> bool {
    super::amx::available()
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
fn bf16_available() -> bool {
    false
}

/// The product of a linear layer in the numbers that were chosen; see [`gemm::product`].
pub(crate) fn product(a: Matrix<'_>, b: Matrix<'_>, finish: impl Fn(&mut [f32]) + Sync) -> Result<Vec<f32>> {
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    {
        let work = a.rows().saturating_mul(b.cols()).saturating_mul(a.cols());
        let wide = a.rows().min(b.cols()) >= 16 && work >= WORTH;
        if wide && BF16.load(Ordering::Relaxed) && super::amx::available() {
            return super::amx::product(a, b, finish);
        }
    }
    gemm::product(a, b, finish)
}
