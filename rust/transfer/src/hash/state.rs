//! One sha256 under way.

use std::ops::Range;

use sha2::block_api::compress256;

use super::lanes::Lane;

/// The beginning of each hash (FIPS 180-4, 5.3.3).
const BEGINNING: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// The sha256 of the bytes taken in so far.
#[derive(Clone)]
pub struct Hash {
    words: [u32; 8],
    length: u64,
    /// The bytes after the last whole block.
    rest: [u8; 64],
}

impl Hash {
    /// Of nothing.
    pub const fn new() -> Self {
        Self {
            words: BEGINNING,
            length: 0,
            rest: [0; 64],
        }
    }

    /// Takes bytes in, here and now.
    pub fn update(&mut self, bytes: &[u8]) {
        let lane = self.lane(bytes);
        compress256(lane.words, lane.blocks);
    }

    /// Takes bytes in, but for the whole blocks among them: those are left in a lane.
    pub fn lane<'a>(&'a mut self, bytes: &'a [u8]) -> Lane<'a> {
        let blocks = self.edges(bytes);
        self.blocks(&bytes[blocks])
    }

    /// Whole blocks, left in a lane.
    pub fn blocks<'a>(&'a mut self, bytes: &'a [u8]) -> Lane<'a> {
        Lane {
            words: &mut self.words,
            blocks: bytes.as_chunks().0,
        }
    }

    /// Takes bytes in, but for the whole blocks among them: where those are, which are to be taken in next.
    pub fn edges(&mut self, bytes: &[u8]) -> Range<usize> {
        let held = self.held();
        let missing = if held == 0 { 0 } else { 64 - held };
        let (head, bytes) = bytes.split_at(missing.min(bytes.len()));
        self.length += (head.len() + bytes.len()) as u64;
        self.rest[held..held + head.len()].copy_from_slice(head);
        if missing > 0 && head.len() == missing {
            compress256(&mut self.words, &[self.rest]);
        }
        // If the head did not fill its block, there is nothing after it.
        let (blocks, rest) = bytes.as_chunks::<64>();
        if !bytes.is_empty() {
            self.rest[..rest.len()].copy_from_slice(rest);
        }
        head.len()..head.len() + blocks.as_flattened().len()
    }

    /// The sha256.
    pub fn finish(mut self) -> [u8; 32] {
        let held = self.held();
        let bits = self.length.wrapping_mul(8);
        self.rest[held] = 0x80;
        self.rest[held + 1..].fill(0);
        if held >= 56 {
            compress256(&mut self.words, &[self.rest]);
            self.rest.fill(0);
        }
        self.rest[56..].copy_from_slice(&bits.to_be_bytes());
        compress256(&mut self.words, &[self.rest]);
        let mut digest = [0; 32];
        for (bytes, word) in digest.chunks_exact_mut(4).zip(self.words) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        digest
    }

    /// How many bytes wait for their block to be whole.
    fn held(&self) -> usize {
        (self.length % 64) as usize
    }
}

impl Default for Hash {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn every_short_length_and_split() {
        let bytes: Vec<u8> = (0..300_u32).map(|n| (n * 7 + n / 64) as u8).collect();
        for length in 0..=bytes.len() {
            let expected = <[u8; 32]>::from(Sha256::digest(&bytes[..length]));
            for split in (0..=length).step_by(1 + length / 40) {
                let mut hash = Hash::new();
                hash.update(&bytes[..split]);
                hash.update(&bytes[split..length]);
                assert_eq!(hash.finish(), expected, "{length} at {split}");
            }
        }
    }

    #[test]
    fn byte_by_byte() {
        let mut hash = Hash::default();
        for byte in 0..200 {
            assert_eq!(hash.length, u64::from(byte));
            hash.update(&[byte]);
        }
        let bytes: Vec<u8> = (0..200).collect();
        assert_eq!(hash.finish()[..], Sha256::digest(&bytes)[..]);
    }
}
