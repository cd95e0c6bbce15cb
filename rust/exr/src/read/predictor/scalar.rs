//! For any processor: both running bytes stay in registers.

use super::Before;

/// See `super::Weave`.
pub fn weave(even: &[u8], odd: &[u8], [mut first, mut second]: Before, out: &mut [u8]) -> Before {
    for (pair, (even, odd)) in out
        .as_chunks_mut::<2>()
        .0
        .iter_mut()
        .zip(even.iter().zip(odd))
    {
        first = first.wrapping_add(even ^ 128);
        second = second.wrapping_add(odd ^ 128);
        *pair = [first, second];
    }
    [first, second]
}
