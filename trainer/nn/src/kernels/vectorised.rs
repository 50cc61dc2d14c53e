//! Functions compiled for several instruction sets and chosen as they are called, because a build for any x86-64 machine
//! would else use no more than SSE2.

/// Instruction sets that the macro [`vectorised`] compiles for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// What the build was made for.
    Baseline,
    /// x86-64-v3: AVX2 and FMA.
    V3,
    /// x86-64-v4: AVX-512 F, BW, DQ, VL and all of v3.
    V4,
}

/// The best level of this machine.
pub(crate) fn level() -> Level {
    #[cfg(target_arch = "x86_64")]
    {
        let v3 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        let v4 = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl");
        match (v3, v4) {
            (true, true) => return Level::V4,
            (true, false) => return Level::V3,
            _ => {}
        }
    }
    Level::Baseline
}

/// Wraps functions so that their loops are compiled once per [`Level`]. Call them per block of work, not per element:
/// a call finds out the level anew.
macro_rules! vectorised {
    ($($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block)*) => {$(
        $(#[$meta])*
        #[allow(clippy::too_many_arguments, reason = "kernels take their slices one by one")]
        $vis fn $name($($arg: $ty),*) $(-> $ret)? {
            #[allow(clippy::too_many_arguments)]
            #[inline(always)]
            fn body($($arg: $ty),*) $(-> $ret)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[allow(clippy::too_many_arguments)]
                #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
                fn v4($($arg: $ty),*) $(-> $ret)? { body($($arg),*) }
                #[allow(clippy::too_many_arguments)]
                #[target_feature(enable = "avx2,fma")]
                fn v3($($arg: $ty),*) $(-> $ret)? { body($($arg),*) }
                match $crate::kernels::vectorised::level() {
                    $crate::kernels::vectorised::Level::V4 => {
                        #[expect(unsafe_code, reason = "the level says that the machine has these instructions")]
                        // SAFETY: as the reason says.
                        return unsafe { v4($($arg),*) };
                    }
                    $crate::kernels::vectorised::Level::V3 => {
                        #[expect(unsafe_code, reason = "the level says that the machine has these instructions")]
                        // SAFETY: as the reason says.
                        return unsafe { v3($($arg),*) };
                    }
                    $crate::kernels::vectorised::Level::Baseline => {}
                }
            }
            body($($arg),*)
        }
    )*};
}
pub(crate) use vectorised;
