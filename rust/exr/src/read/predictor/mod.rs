//! OpenEXR's transform of bytes before deflate and runs, and back.
//!
//! Even bytes first, then odd ones; then each less the one before it, plus 128.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;

/// The byte before, in the even and in the odd half.
pub type Before = [u8; 2];

/// Before the very first byte, which has no difference taken: as if 128 were there.
pub const START: u8 = 128;

/// Undoes the transform for a run of `even` and the `odd` bytes that belong between them: both
/// as long as each other, `out` twice as long. Gives the last byte of each.
pub type Weave = fn(even: &[u8], odd: &[u8], before: Before, out: &mut [u8]) -> Before;

/// The fastest for this processor.
pub fn weave() -> Weave {
    #[cfg(target_arch = "x86_64")]
    if let Some(weave) = avx2::weave() {
        return weave;
    }
    #[cfg(target_arch = "aarch64")]
    return neon::weave;
    #[cfg(not(target_arch = "aarch64"))]
    scalar::weave
}

/// The last byte of a run that nobody wants.
pub fn skip(bytes: &[u8], before: u8) -> u8 {
    let sum = bytes.iter().fold(0_u8, |sum, &byte| sum.wrapping_add(byte));
    // Plus 128 for every byte: nothing for every two.
    let flip = (bytes.len() as u8) << 7;
    before.wrapping_add(sum).wrapping_add(flip)
}

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

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(length: usize) -> Vec<u8> {
        let mut seed = length as u32 + 1;
        (0..length)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (seed >> 24) as u8
            })
            .collect()
    }

    fn comes_back(weave: Weave) {
        for length in [0, 2, 4, 14, 30, 32, 34, 62, 64, 66, 100, 1000, 4098] {
            let raw = noise(length);
            let mut packed = vec![0; length];
            split(&raw, &mut packed);
            let (even, odd) = packed.split_at(length / 2);
            let middle = skip(even, START);
            for cut in [0, length / 4, length / 2] {
                let mut back = vec![0; length];
                let (first, second) = back.split_at_mut(2 * cut);
                let before = weave(&even[..cut], &odd[..cut], [START, middle], first);
                assert_eq!(before[0], skip(&even[..cut], START));
                assert_eq!(before[1], skip(&odd[..cut], middle));
                weave(&even[cut..], &odd[cut..], before, second);
                assert_eq!(back, raw, "{length} cut at {cut}");
            }
        }
    }

    #[test]
    fn every_way_back_gives_the_same() {
        comes_back(scalar::weave);
        comes_back(weave());
    }

    #[test]
    fn the_transform_is_that_of_the_plain_loop() {
        for length in [1, 2, 3, 15, 16, 17, 31, 1001] {
            let raw = noise(length);
            let mut packed = vec![0; length];
            split(&raw, &mut packed);
            let plain: Vec<u8> = raw
                .iter()
                .step_by(2)
                .chain(raw.iter().skip(1).step_by(2))
                .copied()
                .collect();
            assert_eq!(packed[0], plain[0]);
            for index in 1..length {
                let less = plain[index].wrapping_sub(plain[index - 1]);
                assert_eq!(packed[index], less.wrapping_add(128), "{length}");
            }
        }
    }
}
