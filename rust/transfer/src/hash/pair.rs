//! Two hashes in turns, with the processor's instructions for sha256.

use std::arch::x86_64::*;

use super::wide::K;

/// Takes in the blocks of both, of which there are equally many.
#[target_feature(enable = "sha,ssse3,sse4.1")]
pub fn compress(words: &mut [[u32; 8]; 2], blocks: [&[[u8; 64]]; 2]) {
    let mut held = [load(words[0]), load(words[1])];
    for (first, second) in blocks[0].iter().zip(blocks[1]) {
        let before = held;
        let mut w = [quarters(first), quarters(second)];
        for group in 0..16 {
            let k = four(
                K[4 * group],
                K[4 * group + 1],
                K[4 * group + 2],
                K[4 * group + 3],
            );
            for (held, w) in held.iter_mut().zip(&mut w) {
                let sum = _mm_add_epi32(w[group % 4], k);
                held[1] = _mm_sha256rnds2_epu32(held[1], held[0], sum);
                let sum = _mm_shuffle_epi32::<0x0e>(sum);
                held[0] = _mm_sha256rnds2_epu32(held[0], held[1], sum);
                if group < 12 {
                    let next = |n: usize| w[(group + n) % 4];
                    let early = _mm_sha256msg1_epu32(next(0), next(1));
                    let middle = _mm_alignr_epi8::<4>(next(3), next(2));
                    let sum = _mm_add_epi32(early, middle);
                    w[group % 4] = _mm_sha256msg2_epu32(sum, next(3));
                }
            }
        }
        for (held, before) in held.iter_mut().zip(before) {
            held[0] = _mm_add_epi32(held[0], before[0]);
            held[1] = _mm_add_epi32(held[1], before[1]);
        }
    }
    *words = [store(held[0]), store(held[1])];
}

/// Words in the order that the instructions want: F, E, B, A and H, G, D, C.
#[inline]
#[target_feature(enable = "sse2")]
fn load(words: [u32; 8]) -> [__m128i; 2] {
    let [a, b, c, d, e, f, g, h] = words;
    [four(f, e, b, a), four(h, g, d, c)]
}

#[inline]
#[target_feature(enable = "sse4.1")]
fn store(held: [__m128i; 2]) -> [u32; 8] {
    let [f, e, b, a] = words(held[0]);
    let [h, g, d, c] = words(held[1]);
    [a, b, c, d, e, f, g, h]
}

#[inline]
#[target_feature(enable = "sse2")]
fn four(a: u32, b: u32, c: u32, d: u32) -> __m128i {
    let [a, b, c, d] = [a, b, c, d].map(u32::cast_signed);
    _mm_set_epi32(d, c, b, a)
}

#[inline]
#[target_feature(enable = "sse4.1")]
fn words(vector: __m128i) -> [u32; 4] {
    let words = [
        _mm_extract_epi32::<0>(vector),
        _mm_extract_epi32::<1>(vector),
        _mm_extract_epi32::<2>(vector),
        _mm_extract_epi32::<3>(vector),
    ];
    words.map(i32::cast_unsigned)
}

/// The words of a block, four to a register.
#[inline]
#[target_feature(enable = "ssse3")]
fn quarters(block: &[u8; 64]) -> [__m128i; 4] {
    let swap = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
    let (halves, _) = block.as_chunks::<8>();
    let half = |n: usize| i64::from_le_bytes(halves[n]);
    std::array::from_fn(|n| _mm_shuffle_epi8(_mm_set_epi64x(half(2 * n + 1), half(2 * n)), swap))
}
