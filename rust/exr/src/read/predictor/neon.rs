//! With NEON, which every 64-bit ARM processor has.
#![expect(unsafe_code, reason = "loads and stores of SIMD registers")]

use std::arch::aarch64::{
    uint8x16_t, uint8x16x2_t, vaddq_u8, vdupq_laneq_u8, vdupq_n_u8, veorq_u8, vextq_u8, vld1q_u8,
    vst2q_u8,
};

use super::{scalar, Before};

/// See `super::Weave`.
pub fn weave(even: &[u8], odd: &[u8], before: Before, out: &mut [u8]) -> Before {
    // SAFETY: every 64-bit ARM processor that Rust's targets stand for has NEON.
    unsafe { run(even, odd, before, out) }
}

#[target_feature(enable = "neon")]
fn run(even: &[u8], odd: &[u8], before: Before, out: &mut [u8]) -> Before {
    let mut carry = [vdupq_n_u8(before[0]), vdupq_n_u8(before[1])];
    let (evens, even_rest) = even.as_chunks::<16>();
    let (odds, odd_rest) = odd.as_chunks::<16>();
    let (outs, out_rest) = out[..2 * even.len()].as_chunks_mut::<32>();
    let mut before = before;
    for ((even, odd), out) in evens.iter().zip(odds).zip(outs.iter_mut()) {
        let first = sums(load(even));
        let second = sums(load(odd));
        store(
            out,
            uint8x16x2_t(vaddq_u8(first, carry[0]), vaddq_u8(second, carry[1])),
        );
        carry[0] = vaddq_u8(carry[0], vdupq_laneq_u8::<15>(first));
        carry[1] = vaddq_u8(carry[1], vdupq_laneq_u8::<15>(second));
    }
    if let Some(&[.., first, second]) = outs.last() {
        before = [first, second];
    }
    scalar::weave(even_rest, odd_rest, before, out_rest)
}

/// Running sums of 16 bytes, each flipped by 128.
#[target_feature(enable = "neon")]
fn sums(bytes: uint8x16_t) -> uint8x16_t {
    let zero = vdupq_n_u8(0);
    let mut sum = veorq_u8(bytes, vdupq_n_u8(128));
    sum = vaddq_u8(sum, vextq_u8::<15>(zero, sum));
    sum = vaddq_u8(sum, vextq_u8::<14>(zero, sum));
    sum = vaddq_u8(sum, vextq_u8::<12>(zero, sum));
    vaddq_u8(sum, vextq_u8::<8>(zero, sum))
}

#[target_feature(enable = "neon")]
fn load(bytes: &[u8; 16]) -> uint8x16_t {
    // SAFETY: the pointer is to 16 readable bytes; the load needs no alignment.
    unsafe { vld1q_u8(bytes.as_ptr()) }
}

#[target_feature(enable = "neon")]
fn store(out: &mut [u8; 32], pair: uint8x16x2_t) {
    // SAFETY: the pointer is to 32 writable bytes; the store needs no alignment.
    unsafe { vst2q_u8(out.as_mut_ptr(), pair) }
}
