//! Which lines of a list came before, in memory that does not grow: a Bloom filter.

use std::hash::{BuildHasher, RandomState};

/// Blocks of 64 bytes: 16 MiB in all, 13 bits for each of 10 million lines.
const BLOCKS: usize = 1 << 18;

/// Bits set for each line, all in one block: one cache line is touched.
const BITS: u32 = 8;

/// Tells surely that a line is new; and when it says otherwise, it errs in one of 250 cases or
/// far fewer. So what it says is looked into before anything is done about it.
pub struct Seen {
    keys: RandomState,
    blocks: Vec<[u64; 8]>,
}

impl Seen {
    /// Nothing was seen yet.
    pub fn new() -> Self {
        Self {
            keys: RandomState::new(),
            blocks: vec![[0; 8]; BLOCKS],
        }
    }

    /// Notes a thing; true if it may have been noted before, false if it surely was not.
    pub fn note(&mut self, thing: &(&str, &str)) -> bool {
        let hash = self.keys.hash_one(thing);
        // The high bits choose the block, a second hash the bits in it.
        let block = &mut self.blocks[(hash >> 46) as usize % BLOCKS];
        let mut bits = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (hash << 32);
        let mut is_known = true;
        for _ in 0..BITS {
            let at = (bits & 511) as usize;
            bits = bits.rotate_right(9).wrapping_mul(0xff51_afd7_ed55_8ccd);
            let mask = 1 << (at & 63);
            is_known &= block[at >> 6] & mask != 0;
            block[at >> 6] |= mask;
        }
        is_known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_known_and_little_else() {
        let mut seen = Seen::new();
        let names: Vec<String> = (0..200_000).map(|at| format!("{at}.png")).collect();
        let wrong = names.iter().filter(|name| seen.note(&(name, ""))).count();
        assert!(wrong < 20, "{wrong}");
        assert!(names.iter().all(|name| seen.note(&(name, ""))));
    }
}
