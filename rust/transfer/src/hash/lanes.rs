//! Blocks of several hashes, taken in side by side where the processor can.

use std::cmp::Reverse;

use sha2::block_api::compress256;

/// The words of one hash, and blocks that it is to take in.
pub struct Lane<'a> {
    /// The hash, as the standard calls it.
    pub words: &'a mut [u32; 8],
    /// What is left to take in.
    pub blocks: &'a [[u8; 64]],
}

/// A way to work on some lanes at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// One, with what `sha2` finds in the processor.
    One,
    /// Two in turns, with the instructions for sha256, each of which takes longer than it keeps busy.
    Pair,
    /// Eight in AVX2 registers: three times as fast as plain code, for processors without sha256.
    EightOld,
    /// Eight in registers of 256 bits, with the rotations of AVX-512.
    Eight,
    /// Sixteen in AVX-512 registers.
    Sixteen,
}

/// As many lanes as the widest kernel of this processor has; 1 if it gains nothing from several.
pub fn width() -> usize {
    let widest = [Kernel::Sixteen, Kernel::EightOld, Kernel::Pair];
    let found = widest.into_iter().find(|kernel| kernel.is_there());
    found.map_or(1, Kernel::lanes)
}

/// Takes all blocks in.
pub fn compress(lanes: &mut [Lane]) {
    compress_with(lanes, best);
}

/// Takes blocks in as long as enough lanes have any for a full kernel.
pub fn compress_while_full(lanes: &mut [Lane]) {
    compress_to(lanes, 2 * width() / 3 + 1, best);
}

/// The fastest kernel for so many lanes. On one core 20 KB cost a lane alone 14.0 us, 11.2 in a pair, 7.7 as one
/// of eight and 6.1 as one of sixteen; lanes without work cost as much as others. With AVX2 it is 15.8.
fn best(open: usize) -> Kernel {
    use Kernel::{Eight, EightOld, One, Pair, Sixteen};
    let order: &[Kernel] = match open {
        11.. => &[Sixteen, Eight, Pair, EightOld],
        6.. => &[Eight, Pair, EightOld],
        2.. => &[Pair, Eight, EightOld],
        _ => &[],
    };
    let found = order.iter().find(|kernel| kernel.is_there());
    found.copied().unwrap_or(One)
}

/// Takes all blocks in, by the kernel that is chosen for so many lanes.
pub fn compress_with(lanes: &mut [Lane], choose: impl Fn(usize) -> Kernel) {
    compress_to(lanes, 1, choose);
}

/// Takes blocks in until fewer than `least` lanes have any.
fn compress_to(lanes: &mut [Lane], least: usize, choose: impl Fn(usize) -> Kernel) {
    let mut open: Vec<&mut Lane> = lanes.iter_mut().collect();
    loop {
        // The longest first, so that the lanes are full for as long as can be.
        open.sort_unstable_by_key(|lane| Reverse(lane.blocks.len()));
        open.truncate(open.partition_point(|lane| !lane.blocks.is_empty()));
        if open.len() < least {
            return;
        }
        let kernel = choose(open.len());
        let most = open.len().min(kernel.lanes());
        kernel.step(&mut open[..most]);
    }
}

impl Kernel {
    /// All of them; which of them are there depends on the processor.
    #[cfg(any(test, feature = "fuzzing"))]
    pub const ALL: [Self; 5] = [
        Self::One,
        Self::Pair,
        Self::EightOld,
        Self::Eight,
        Self::Sixteen,
    ];

    /// How many lanes it works on.
    pub fn lanes(self) -> usize {
        match self {
            Self::One => 1,
            Self::Pair => 2,
            Self::EightOld | Self::Eight => 8,
            Self::Sixteen => 16,
        }
    }

    /// True if this processor can.
    #[cfg(target_arch = "x86_64")]
    pub fn is_there(self) -> bool {
        use std::arch::is_x86_feature_detected as has;
        match self {
            Self::One => true,
            Self::Pair => has!("sha") && has!("sse4.1") && has!("ssse3"),
            Self::EightOld => has!("avx2"),
            Self::Eight => has!("avx512f") && has!("avx512vl") && has!("avx2"),
            Self::Sixteen => has!("avx512f") && has!("avx512bw"),
        }
    }

    /// True if this processor can.
    #[cfg(not(target_arch = "x86_64"))]
    pub fn is_there(self) -> bool {
        self == Self::One
    }

    /// Takes in as many blocks as the shortest of the lanes has; at most [`Self::lanes`] of them.
    fn step(self, lanes: &mut [&mut Lane]) {
        let count = lanes.iter().map(|lane| lane.blocks.len()).min();
        let count = count.unwrap_or(0);
        if self == Self::One || !self.is_there() {
            for lane in lanes.iter_mut() {
                compress256(lane.words, &lane.blocks[..count]);
            }
        } else {
            self.side_by_side(lanes, count);
        }
        for lane in lanes {
            lane.blocks = &lane.blocks[count..];
        }
    }
    /// Only if it [`Self::is_there`].
    #[cfg(target_arch = "x86_64")]
    #[expect(
        unsafe_code,
        reason = "kernels are compiled for instructions that not all processors have"
    )]
    fn side_by_side(self, lanes: &mut [&mut Lane], count: usize) {
        use super::{pair, wide};
        // SAFETY, of all four: the kernels are safe code, which asks one thing of its caller, that the processor has
        // the instructions it is compiled for. `step`, the only caller, has just asked `is_there`, which looks
        // for the same names as are in their `target_feature`.
        match self {
            Self::One => {}
            Self::Pair => together(lanes, count, |words, blocks| unsafe {
                pair::compress(words, blocks);
            }),
            Self::EightOld => together(lanes, count, |words, blocks| unsafe {
                wide::eight_old(words, blocks);
            }),
            Self::Eight => together(lanes, count, |words, blocks| unsafe {
                wide::eight(words, blocks);
            }),
            Self::Sixteen => together(lanes, count, |words, blocks| unsafe {
                wide::sixteen(words, blocks);
            }),
        }
    }

    /// Never called, for none is there.
    #[cfg(not(target_arch = "x86_64"))]
    fn side_by_side(self, _lanes: &mut [&mut Lane], _count: usize) {}
}

/// Gives a kernel all the lanes it wants: those too many repeat the last one, and nothing is kept of them.
#[cfg(target_arch = "x86_64")]
fn together<const N: usize>(
    lanes: &mut [&mut Lane],
    count: usize,
    kernel: impl FnOnce(&mut [[u32; 8]; N], [&[[u8; 64]]; N]),
) {
    use std::array::from_fn;
    let Some(last) = lanes.len().checked_sub(1) else {
        return;
    };
    let mut words = from_fn(|lane| *lanes[lane.min(last)].words);
    let blocks = from_fn(|lane| &lanes[lane.min(last)].blocks[..count]);
    kernel(&mut words, blocks);
    for (lane, words) in lanes.iter_mut().zip(words) {
        *lane.words = words;
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::super::Hash;
    use super::*;

    fn bytes(random: &mut fastrand::Rng, length: usize) -> Vec<u8> {
        (0..length).map(|_| random.u8(..)).collect()
    }

    /// Hashes `files` side by side, each in pieces of random lengths.
    fn check(files: &[Vec<u8>], random: &mut fastrand::Rng, choose: impl Fn(usize) -> Kernel) {
        let mut hashes = vec![Hash::new(); files.len()];
        let mut left: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
        while left.iter().any(|bytes| !bytes.is_empty()) {
            let mut lanes = Vec::new();
            for (hash, left) in hashes.iter_mut().zip(&mut left) {
                let (piece, rest) = left.split_at(random.usize(..=left.len()));
                *left = rest;
                lanes.push(hash.lane(piece));
            }
            compress_with(&mut lanes, &choose);
            assert!(lanes.iter().all(|lane| lane.blocks.is_empty()));
        }
        for (hash, file) in hashes.into_iter().zip(files) {
            assert_eq!(
                hash.finish()[..],
                Sha256::digest(file)[..],
                "{}",
                file.len()
            );
        }
    }

    #[test]
    fn each_kernel_with_each_number_of_lanes() {
        for seed in 0..40 {
            let mut random = fastrand::Rng::with_seed(seed);
            for kernel in Kernel::ALL {
                let many = random.usize(1..=kernel.lanes() + 3);
                let most = [70, 300, 3000][random.usize(..3)];
                let files: Vec<Vec<u8>> = (0..many)
                    .map(|_| {
                        let length = random.usize(..most);
                        bytes(&mut random, length)
                    })
                    .collect();
                check(&files, &mut random, |_| kernel);
                check(&files, &mut random, best);
            }
        }
    }

    #[test]
    fn every_short_length_side_by_side() {
        let mut random = fastrand::Rng::with_seed(1);
        let files: Vec<Vec<u8>> = (0..300).map(|length| bytes(&mut random, length)).collect();
        for kernel in Kernel::ALL {
            check(&files, &mut random, |_| kernel);
        }
    }

    #[test]
    fn what_is_not_there_is_not_chosen() {
        assert!(Kernel::One.is_there());
        assert_eq!((best(0), best(1)), (Kernel::One, Kernel::One));
        assert!((0..40).all(|open| best(open).is_there()));
        assert!(Kernel::ALL.iter().any(|kernel| kernel.lanes() == width()));
    }
}
