//! Matches with the row above.

use super::bits::Code;

/// Most bytes that a match can go back.
const MOST: usize = 1 << 15;

/// How deflate says the distance of the row above, the second of two that it knows.
#[derive(Clone, Copy, Debug)]
pub struct Far {
    /// In bytes.
    pub distance: usize,
    /// The number of its code.
    pub symbol: usize,
    extra: u32,
}

impl Far {
    /// For rows of so many bytes; nothing if no match goes so far, or hardly farther than a run.
    pub fn new(row: usize) -> Option<Self> {
        // Two codes for each doubling.
        (5..=MOST).contains(&row).then(|| {
            let less = row - 1;
            let extra = less.ilog2() - 1;
            Self {
                distance: row,
                symbol: 2 * extra as usize + (less >> extra),
                extra,
            }
        })
    }

    /// A one, which is its code, and what the extra bits say.
    pub const fn code(self) -> Code {
        let rest = (self.distance - 1) & ((1 << self.extra) - 1);
        Code::new(1 | (rest as u64) << 1, self.bits())
    }

    /// Bits of all that.
    pub const fn bits(self) -> u32 {
        1 + self.extra
    }
}
