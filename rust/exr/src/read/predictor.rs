//! OpenEXR's transform of bytes before deflate and runs, and back.
//!
//! Even bytes first, then odd ones; then each less the one before it, plus 128.

/// Does the transform: `split` becomes what is packed; both are as long as each other.
pub fn split(raw: &[u8], split: &mut [u8]) {
    let (even, odd) = split.split_at_mut(raw.len().div_ceil(2));
    for (pair, (first, second)) in raw.chunks_exact(2).zip(even.iter_mut().zip(odd)) {
        (*first, *second) = (pair[0], pair[1]);
    }
    if let (1, Some(last)) = (raw.len() % 2, even.last_mut()) {
        *last = raw[raw.len() - 1];
    }
    // Backwards, so that the byte before is still whole.
    for index in (1..split.len()).rev() {
        split[index] = split[index].wrapping_sub(split[index - 1]) ^ 128;
    }
}

/// Undoes it: `split` is used up, `raw` becomes the samples; both are as long as each other.
pub fn join(split: &mut [u8], raw: &mut [u8]) {
    sum(split);
    let (even, odd) = split.split_at(raw.len().div_ceil(2));
    if let (1, Some(last)) = (raw.len() % 2, even.last()) {
        let end = raw.len() - 1;
        raw[end] = *last;
    }
    for (pair, (first, second)) in raw.chunks_exact_mut(2).zip(even.iter().zip(odd)) {
        (pair[0], pair[1]) = (*first, *second);
    }
}

/// Running sum of bytes less 128 (which is the same as a flip of the top bit), the first as it is.
///
/// Eight bytes at a time: in four lanes of 16 bits a product with 1 in every lane is a running
/// sum, once for the even bytes and once for the odd ones. Only `carry` is serial.
fn sum(bytes: &mut [u8]) {
    const ONES: u64 = 0x0001_0001_0001_0001;
    const LOW: u64 = 0x00ff_00ff_00ff_00ff;
    const FLIP: u64 = 0x8080_8080_8080_8080;
    if let Some(first) = bytes.first_mut() {
        *first ^= 128;
    }
    let mut carry = 0_u64;
    let (blocks, rest) = bytes.as_chunks_mut::<8>();
    for block in blocks {
        let word = u64::from_le_bytes(*block) ^ FLIP;
        let even = (word & LOW).wrapping_mul(ONES);
        let odd = (word >> 8 & LOW).wrapping_mul(ONES);
        let both = even + odd;
        let before = carry * ONES;
        // No lane can overflow: at most eight bytes and a carry are added in one.
        let low = (even + (odd << 16) + before) & LOW;
        let high = (both + before) & LOW;
        *block = (low | high << 8).to_le_bytes();
        carry = (carry + (both >> 48)) & 0xff;
    }
    let mut carry = carry as u8;
    for byte in rest {
        carry = carry.wrapping_add(*byte ^ 128);
        *byte = carry;
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn goes_and_comes_back_as_the_plain_loop_does() {
        for length in [0, 1, 2, 3, 15, 16, 17, 31, 32, 33, 100, 1001] {
            let raw: Vec<u8> = (0..length)
                .map(|i: u32| (i * i / 3 + 7 * i) as u8)
                .collect();
            let mut packed = vec![0; raw.len()];
            super::split(&raw, &mut packed);

            let mut plain: Vec<u8> = raw
                .iter()
                .step_by(2)
                .chain(raw.iter().skip(1).step_by(2))
                .copied()
                .collect();
            let before = plain.clone();
            for index in 1..plain.len() {
                plain[index] = before[index]
                    .wrapping_sub(before[index - 1])
                    .wrapping_add(128);
            }
            assert_eq!(packed, plain, "{length}");

            let mut back = vec![0; raw.len()];
            super::join(&mut packed, &mut back);
            assert_eq!(back, raw, "{length}");
        }
    }
}
