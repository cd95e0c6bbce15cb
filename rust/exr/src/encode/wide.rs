//! One loop, compiled twice: for the processor at hand and for any.
#![cfg_attr(target_arch = "x86_64", expect(unsafe_code))]

/// Makes a function of a body that is `#[inline(always)]`: on x86-64 with AVX2 what the compiler
/// makes of it with AVX2, elsewhere what it makes of it for any processor (on ARM that has NEON).
/// Both give the same.
macro_rules! widened {
    ($(#[$doc:meta])* $visible:vis fn $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $result:ty)? = $body:path) => {
        $(#[$doc])*
        #[cfg_attr(target_arch = "x86_64", expect(unsafe_code))]
        $visible fn $name($($arg: $type),*) $(-> $result)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
                fn wide($($arg: $type),*) $(-> $result)? {
                    $body($($arg),*)
                }
                if $crate::encode::wide::here() {
                    // SAFETY: `wide` is safe but for what it asks of the processor, and `here`
                    // just found all of that.
                    return unsafe { wide($($arg),*) };
                }
            }
            $body($($arg),*)
        }
    };
}
pub(super) use widened;

/// Whether the processor has all that `widened!` compiles for.
#[cfg(target_arch = "x86_64")]
#[inline]
pub fn here() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("lzcnt")
}

/// Bit i: `first[i] == second[i]`.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
pub fn equal_avx2(first: &[u8; 64], second: &[u8; 64]) -> u64 {
    use std::arch::x86_64::{_mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8};

    let half = |at: usize| {
        // SAFETY: `at` is 0 or 32, so 32 bytes from there lie within both arrays; these loads ask
        // for no alignment.
        let (first, second) = unsafe {
            (
                _mm256_loadu_si256(first.as_ptr().add(at).cast()),
                _mm256_loadu_si256(second.as_ptr().add(at).cast()),
            )
        };
        u64::from(_mm256_movemask_epi8(_mm256_cmpeq_epi8(first, second)) as u32)
    };
    half(0) | half(32) << 32
}

/// The same on any processor, eight bytes at a time.
#[inline(always)]
pub fn equal_plain(first: &[u8; 64], second: &[u8; 64]) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    // One bit of each byte, side by side in the top byte of a product.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let (first, second) = (first.as_chunks::<8>().0, second.as_chunks::<8>().0);
    let mut mask = 0;
    for (index, (first, second)) in first.iter().zip(second).enumerate() {
        let other = u64::from_le_bytes(*first) ^ u64::from_le_bytes(*second);
        let differs = (((other & LOW) + LOW) | other) & !LOW;
        let bits = (!differs & !LOW) >> 7;
        mask |= (bits.wrapping_mul(GATHER) >> 56) << (8 * index);
    }
    mask
}
