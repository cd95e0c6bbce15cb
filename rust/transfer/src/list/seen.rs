//! Which lines of a list came before, in memory that does not grow: a Bloom filter.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Blocks of 64 bytes: 16 MiB in all, 13 bits for each of 10 million lines.
const BLOCKS: usize = 1 << 18;

/// Bits set for a name, and as many for its line, all in one block: one cache line is touched.
const BITS: u32 = 6;

/// What may have been noted before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The name.
    pub name: bool,
    /// The name with this URL.
    pub line: bool,
}

/// Tells surely that a name is new; and when it says otherwise, it errs in one of 20 cases at 10 million
/// lines, of 100,000 at two million. So what it says is looked into before anything is done about it.
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

    /// Notes a line; what is not known surely was not noted before.
    pub fn note(&mut self, name: &str, url: &str) -> Known {
        let mut hasher = self.keys.build_hasher();
        hasher.write(name.as_bytes());
        let of_name = hasher.finish();
        hasher.write_u8(0xff);
        hasher.write(url.as_bytes());
        // The high bits choose the block.
        let block = &mut self.blocks[(of_name >> 46) as usize % BLOCKS];
        Known {
            name: set(block, of_name),
            line: set(block, hasher.finish()),
        }
    }
}

/// Sets the bits that a hash stands for; true if all were set.
fn set(block: &mut [u64; 8], hash: u64) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_known_and_little_else() {
        let mut seen = Seen::new();
        let names: Vec<String> = (0..200_000).map(|at| format!("{at}.png")).collect();
        let note = |seen: &mut Seen, name: &String, url| seen.note(name, url);
        let first: Vec<Known> = names
            .iter()
            .map(|name| note(&mut seen, name, "a"))
            .collect();
        let wrong = first.iter().filter(|known| known.name || known.line);
        assert!(wrong.clone().count() < 20, "{}", wrong.count());
        let again = |seen: &mut Seen, url| names.iter().map(|name| note(seen, name, url)).collect();
        let same: Vec<Known> = again(&mut seen, "a");
        assert!(same.iter().all(|known| known.name && known.line));
        let other: Vec<Known> = again(&mut seen, "b");
        assert!(other.iter().all(|known| known.name));
        assert!(other.iter().filter(|known| known.line).count() < 100);
    }
}
