//! Settings of the process that cost nothing to make and much not to.

/// Prepares the process for many large tensors; call it first in `main`.
///
/// - candle shares elementwise operations out to a pool of its own whose threads wait for each other in busy loops,
///   which on two cores that also have other work costs four times the CPU time of one thread. The kernels here share
///   out their work by rayon, so candle gets one thread, unless `CANDLE_NUM_THREADS` says otherwise.
/// - glibc gives large blocks back to the kernel as soon as they are freed, and every page of the next block faults. It
///   is told to keep them. (With another allocator this has no effect.)
///
/// Both together halved the CPU time of a training step. Nothing happens if other threads already run, because the
/// environment must not be changed then, or on other systems than Linux.
pub fn prepare_process() {
    #[cfg(target_os = "linux")]
    {
        keep_memory();
        let alone = std::fs::read_dir("/proc/self/task").is_ok_and(|tasks| tasks.count() == 1);
        if alone && std::env::var_os(THREADS).is_none() {
            #[expect(unsafe_code, reason = "changing the environment is unsafe beside other threads")]
            // SAFETY: this is the only thread of the process.
            unsafe {
                std::env::set_var(THREADS, "1");
            }
        }
    }
}

#[cfg(target_os = "linux")]
const THREADS: &str = "CANDLE_NUM_THREADS";

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "mallopt is a C function")]
fn keep_memory() {
    /// The largest that glibc takes.
    const BLOCK: i32 = 32 << 20;
    // SAFETY: mallopt takes any numbers and refuses wrong ones.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, BLOCK);
        libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
        libc::mallopt(libc::M_TOP_PAD, 2 * BLOCK);
    }
}

#[cfg(all(target_os = "linux", not(target_env = "gnu")))]
fn keep_memory() {}
