//! Matrix products in bf16 with sums in f32, by Intel's tile instructions (AMX), reached through inline assembly.
//!
//! Both operands are packed into tiles of 1 KiB: 16 rows of 32 bf16 for the left one; for the right one 16 pairs of rows
//! of 16 columns, the two numbers of a pair side by side, as `TDPBF16PS` wants it (Intel's Architectures Software
//! Developer's Manual, volume 2, and its Optimization Reference Manual, chapter 20).

use super::amx_pack::{Side, Tile, pack};
use super::data::{Fresh, filled};
use super::gemm::Matrix;
use candle_core::{Result, bail};
use rayon::prelude::*;
use std::arch::asm;
use std::mem::MaybeUninit;
use std::sync::OnceLock;

/// Rows and columns of a result tile.
const EDGE: usize = 16;
/// Terms that one tile instruction sums up.
const DEPTH: usize = 32;
/// Bytes of the packed right operand that should stay in a core's second-level cache.
const CACHED: usize = 1 << 20;

/// Whether this machine has the instructions and the kernel lets this process use them.
pub(crate) fn available() -> bool {
    static AVAILABLE: OnceLock<bool> = OnceLock::new();
    *AVAILABLE.get_or_init(|| has_instructions() && permitted())
}

fn has_instructions() -> bool {
    const BF16: u32 = 1 << 22;
    const TILE: u32 = 1 << 24;
    let vectors = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512bf16");
    vectors && std::arch::x86_64::__cpuid_count(7, 0).edx & (BF16 | TILE) == BF16 | TILE
}

/// Asks Linux for the tiles' state, which a process must do once.
fn permitted() -> bool {
    const ARCH_REQ_XCOMP_PERM: libc::c_long = 0x1023;
    const XFEATURE_XTILEDATA: libc::c_long = 18;
    #[expect(unsafe_code, reason = "there is no safe way to ask")]
    // SAFETY: the call takes two numbers, and either grants the state or fails.
    let status = unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) };
    status == 0
}

/// `a b` as [`gemm::product`](super::gemm::product), with operands rounded to bf16. Check [`available`] first.
pub(crate) fn product(a: Matrix<'_>, b: Matrix<'_>, finish: impl Fn(&mut [f32]) + Sync) -> Result<Vec<f32>> {
    let (m, n, k) = (a.rows(), b.cols(), a.cols());
    if !available() || b.rows() != k || m == 0 || n == 0 || k == 0 {
        bail!("bf16 product: `{m}x{k}` by `{}x{n}` is not possible here", b.rows());
    }
    let right = pack(b, Side::Right)?;
    let depth = k.div_ceil(DEPTH);
    let rows = super::gemm::rows_per_task(m, n * k).next_multiple_of(2 * EDGE);
    let fill = |out: &mut [Fresh]| {
        out.par_chunks_mut(rows * n).enumerate().try_for_each(|(i, out)| {
            let left = pack(a.rows_from(i * rows, out.len() / n), Side::Left)?;
            multiply(&left, &right, depth, n, out);
            #[expect(unsafe_code, reason = "the product has just written the block")]
            // SAFETY: as the reason says.
            finish(unsafe { out.assume_init_mut() });
            Ok(())
        })
    };
    #[expect(unsafe_code, reason = "see `filled`")]
    // SAFETY: the blocks cover the output, and `multiply` writes all of its block.
    unsafe {
        filled(m * n, fill)
    }
}

/// Writes the product of packed operands to rows of `n` elements.
fn multiply(left: &[Tile], right: &[Tile], depth: usize, n: usize, out: &mut [Fresh]) {
    let tiles = Tiles::configure();
    let columns = (CACHED / (depth * size_of::<Tile>())).next_multiple_of(2);
    for (stripe, right) in right.chunks(columns * depth).enumerate() {
        for (i, left) in left.chunks(2 * depth).enumerate() {
            for (j, right) in right.chunks(2 * depth).enumerate() {
                let (row, column) = (2 * EDGE * i, EDGE * (columns * stripe + 2 * j));
                let Some(out) = out.get_mut(row * n + column..) else {
                    continue;
                };
                tiles.block(left, right, depth, out, n, n - column);
            }
        }
    }
}

/// This thread's tile registers, configured for as long as this lives.
struct Tiles;

#[repr(C, align(64))]
struct Configuration([u8; 64]);

#[expect(unsafe_code, reason = "the tile registers are reached by assembly alone")]
impl Tiles {
    fn configure() -> Self {
        let mut configuration = Configuration([0; 64]);
        let bytes = &mut configuration.0;
        bytes[0] = 1;
        for tile in 0..8 {
            bytes[16 + 2 * tile] = 64;
            bytes[48 + tile] = 16;
        }
        // SAFETY: `available` was checked, and the configuration is a valid one for palette 1.
        unsafe {
            asm!("ldtilecfg [{}]", in(reg) bytes.as_ptr(), options(nostack, readonly, preserves_flags));
        }
        Self
    }

    /// Writes 32 rows and up to 32 columns of the product of two pairs of tile rows, `depth` tiles each, to `out`, whose
    /// rows start `stride` elements apart and end after `columns`; `out` may have fewer rows.
    fn block(&self, left: &[Tile], right: &[Tile], depth: usize, out: &mut [Fresh], stride: usize, columns: usize) {
        let whole = columns >= 2 * EDGE && out.len() >= (2 * EDGE - 1) * stride + 2 * EDGE;
        if whole {
            self.multiply(left, right, depth, out, stride);
            return;
        }
        let mut edge = [MaybeUninit::uninit(); 4 * EDGE * EDGE];
        self.multiply(left, right, depth, &mut edge, 2 * EDGE);
        for (to, from) in out.chunks_mut(stride).zip(edge.chunks(2 * EDGE)) {
            for (to, from) in to.iter_mut().zip(from).take(columns) {
                *to = *from;
            }
        }
    }

    /// The product of two pairs of tile rows to 32 times 32 elements of `out`.
    fn multiply(&self, left: &[Tile], right: &[Tile], depth: usize, out: &mut [Fresh], stride: usize) {
        assert!(
            left.len() == 2 * depth && right.len() == 2 * depth && depth > 0,
            "packed operands have pairs of tile rows"
        );
        assert!(out.len() >= (2 * EDGE - 1) * stride + 2 * EDGE && stride >= 2 * EDGE, "the target holds 32 rows");
        let (a, b, c) = (left.as_ptr(), right.as_ptr(), out.as_mut_ptr());
        // SAFETY: the registers are configured; the loop reads `depth` tiles from each of four places, which the first
        // check covers, and writes 32 rows of 32 elements, which the second covers.
        unsafe {
            asm!(
                "tilezero tmm0",
                "tilezero tmm1",
                "tilezero tmm2",
                "tilezero tmm3",
                "2:",
                "tileloadd tmm4, [{a0} + {line}*1]",
                "tileloadd tmm6, [{b0} + {line}*1]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tileloadd tmm7, [{b1} + {line}*1]",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tileloadd tmm5, [{a1} + {line}*1]",
                "tdpbf16ps tmm2, tmm5, tmm6",
                "tdpbf16ps tmm3, tmm5, tmm7",
                "add {a0}, 1024",
                "add {a1}, 1024",
                "add {b0}, 1024",
                "add {b1}, 1024",
                "dec {depth}",
                "jnz 2b",
                "tilestored [{c0} + {stride}*1], tmm0",
                "tilestored [{c0} + {stride}*1 + 64], tmm1",
                "tilestored [{c1} + {stride}*1], tmm2",
                "tilestored [{c1} + {stride}*1 + 64], tmm3",
                a0 = inout(reg) a => _,
                a1 = inout(reg) a.add(depth) => _,
                b0 = inout(reg) b => _,
                b1 = inout(reg) b.add(depth) => _,
                c0 = in(reg) c,
                c1 = in(reg) c.add(EDGE * stride),
                line = in(reg) 64usize,
                stride = in(reg) stride * size_of::<f32>(),
                depth = inout(reg) depth => _,
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack),
            );
        }
    }
}

#[expect(unsafe_code, reason = "the tile registers are reached by assembly alone")]
impl Drop for Tiles {
    fn drop(&mut self) {
        // SAFETY: the registers were configured by this thread.
        unsafe {
            asm!("tilerelease", options(nostack, nomem, preserves_flags));
        }
    }
}

const _: () = assert!(size_of::<Tile>() == 2 * EDGE * DEPTH);
