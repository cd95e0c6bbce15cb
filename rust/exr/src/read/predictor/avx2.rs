//! With AVX2: 16 even bytes in one half of a register, the odd ones in the other.
#![expect(
    unsafe_code,
    reason = "loads and stores of SIMD registers, and a call that only some processors can run"
)]

use std::arch::x86_64::{
    __m128i, __m256i, _mm256_add_epi8, _mm256_castsi128_si256, _mm256_inserti128_si256,
    _mm256_permute4x64_epi64, _mm256_set1_epi16, _mm256_set1_epi8, _mm256_setr_epi8,
    _mm256_setr_m128i, _mm256_shuffle_epi8, _mm256_slli_epi64, _mm256_storeu_si256,
    _mm_loadu_si128, _mm_set1_epi8,
};

use super::{scalar, Before, Weave};

/// The way of this module, where the processor has what it needs.
pub fn weave() -> Option<Weave> {
    fn checked(even: &[u8], odd: &[u8], before: Before, out: &mut [u8]) -> Before {
        // SAFETY: this function leaves `weave` only after AVX2 was found.
        unsafe { run(even, odd, before, out) }
    }
    is_x86_feature_detected!("avx2").then_some(checked)
}

#[target_feature(enable = "avx2")]
fn run(even: &[u8], odd: &[u8], before: Before, out: &mut [u8]) -> Before {
    // The last byte of the lower eight to all of the upper eight.
    const UP: [i8; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 7, 7, 7, 7, 7, 7, 7, 7];
    const PAIRS: [i8; 16] = [0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15];
    let (up, last, pairs) = (both(UP), _mm256_set1_epi8(15), both(PAIRS));
    // The flip by 128 of every byte adds up to 128, 0, 128, 0 ... within 16 bytes, and to nothing
    // behind them, so it is put into the carry once.
    let mut carry = _mm256_add_epi8(
        _mm256_setr_m128i(
            _mm_set1_epi8(before[0] as i8),
            _mm_set1_epi8(before[1] as i8),
        ),
        _mm256_set1_epi16(128),
    );
    let (evens, even_rest) = even.as_chunks::<16>();
    let (odds, odd_rest) = odd.as_chunks::<16>();
    let (outs, out_rest) = out[..2 * even.len()].as_chunks_mut::<32>();
    let mut before = before;
    for ((even, odd), out) in evens.iter().zip(odds).zip(outs.iter_mut()) {
        let bytes = _mm256_castsi128_si256(load(even));
        let mut sum = _mm256_inserti128_si256::<1>(bytes, load(odd));
        sum = _mm256_add_epi8(sum, _mm256_slli_epi64::<8>(sum));
        sum = _mm256_add_epi8(sum, _mm256_slli_epi64::<16>(sum));
        sum = _mm256_add_epi8(sum, _mm256_slli_epi64::<32>(sum));
        sum = _mm256_add_epi8(sum, _mm256_shuffle_epi8(sum, up));
        let whole = _mm256_add_epi8(sum, carry);
        carry = _mm256_add_epi8(carry, _mm256_shuffle_epi8(sum, last));
        let halves = _mm256_permute4x64_epi64::<0b11_01_10_00>(whole);
        store(out, _mm256_shuffle_epi8(halves, pairs));
    }
    if let Some(&[.., first, second]) = outs.last() {
        before = [first, second];
    }
    scalar::weave(even_rest, odd_rest, before, out_rest)
}

#[target_feature(enable = "avx2")]
fn both(bytes: [i8; 16]) -> __m256i {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = bytes;
    _mm256_setr_epi8(
        a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, a, b, c, d, e, f, g, h, i, j, k, l, m, n,
        o, p,
    )
}

#[target_feature(enable = "avx2")]
fn load(bytes: &[u8; 16]) -> __m128i {
    // SAFETY: the pointer is to 16 readable bytes; the load needs no alignment.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
fn store(out: &mut [u8; 32], value: __m256i) {
    // SAFETY: the pointer is to 32 writable bytes; the store needs no alignment.
    unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), value) }
}
