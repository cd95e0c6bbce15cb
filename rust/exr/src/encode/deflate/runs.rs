//! Which bytes are literals and which repeat the one before them, and how often each occurs.

use super::huffman::SYMBOLS;
use super::lengths::{EXTRA, SYMBOL};
use crate::encode::wide::equal_plain;
#[cfg(target_arch = "x86_64")]
use crate::encode::wide::{equal_avx2, here};

/// Literals, then a run that repeats the last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Bytes as they are.
    pub literals: u32,
    /// Bytes equal to the one before: 0, or what matches can say.
    pub run: u32,
}

/// Bytes that must be readable behind those that are looked at.
pub const SLACK: usize = 64;

/// Runs that are shorter stay literals: a match takes two codes.
const SHORTEST: u32 = 8;
const LONGEST: u32 = 258;

/// How often each symbol occurs, and how many bits stand beside the codes.
#[derive(Clone)]
pub struct Counts {
    /// Literals and lengths; the end of the block is not counted.
    pub symbols: [u32; SYMBOLS],
    /// Extra bits of lengths, and one of each distance.
    pub extra: u32,
}

impl Counts {
    /// Nothing yet.
    pub const NONE: Self = Self {
        symbols: [0; SYMBOLS],
        extra: 0,
    };

    fn run(&mut self, run: u32) {
        let (whole, rest) = (run / LONGEST, run % LONGEST);
        self.symbols[285] += whole;
        self.extra += whole;
        if rest > 0 {
            let length = rest as usize - 3;
            self.symbols[usize::from(SYMBOL[length])] += 1;
            self.extra += 1 + u32::from(EXTRA[length]);
        }
    }
}

/// Four counters of each byte, so that equal neighbours do not wait for each other.
pub struct Tally([[u32; 256]; 4]);

impl Tally {
    /// All zero, as it is again after each use.
    pub const fn new() -> Self {
        Self([[0; 256]; 4])
    }
}

/// Looks at `bytes[from..to]`, behind which `SLACK` bytes can be read; adds its spans.
#[cfg_attr(target_arch = "x86_64", expect(unsafe_code))]
pub fn scan(
    bytes: &[u8],
    from: usize,
    to: usize,
    spans: &mut Vec<Span>,
    tally: &mut Tally,
) -> Counts {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
        fn wide(
            bytes: &[u8],
            from: usize,
            to: usize,
            spans: &mut Vec<Span>,
            tally: &mut Tally,
        ) -> Counts {
            look(bytes, from, to, spans, tally, |a, b| equal_avx2(a, b))
        }
        if here() {
            // SAFETY: `wide` is safe but for what it asks of the processor, and `here` just
            // found all of that.
            return unsafe { wide(bytes, from, to, spans, tally) };
        }
    }
    look(bytes, from, to, spans, tally, equal_plain)
}

#[inline(always)]
pub fn look(
    bytes: &[u8],
    from: usize,
    to: usize,
    spans: &mut Vec<Span>,
    tally: &mut Tally,
    equal: impl Fn(&[u8; 64], &[u8; 64]) -> u64,
) -> Counts {
    let mut counts = Counts::NONE;
    // Bit i: the byte at `at + i` is as the one before.
    let repeats = |at: usize| {
        let (now, before) = (bytes[at..].first_chunk(), bytes[at - 1..].first_chunk());
        let (Some(now), Some(before)) = (now, before) else {
            return 0;
        };
        let left = to - at;
        equal(now, before) & if left < 64 { (1 << left) - 1 } else { u64::MAX }
    };
    let (mut start, mut at) = (from, from.max(1));
    while at < to {
        let same = repeats(at);
        let pairs = same & same >> 1;
        let fours = pairs & pairs >> 2;
        let long = fours & fours >> 4;
        if long == 0 {
            at += 64 - (SHORTEST as usize - 1);
            continue;
        }
        let skipped = long.trailing_zeros();
        let first = at + skipped as usize;
        let mut ones = (!(same >> skipped)).trailing_zeros() as usize;
        let mut end = first + ones;
        if skipped as usize + ones == 64 {
            loop {
                ones = if end < to {
                    (!repeats(end)).trailing_zeros() as usize
                } else {
                    0
                };
                end += ones;
                if ones < 64 {
                    break;
                }
            }
        }
        at = end + 1;
        // One or two bytes beyond the longest matches are no match.
        let over = (end - first) as u32 % LONGEST;
        end -= if over < 3 { over as usize } else { 0 };
        let span = Span {
            literals: (first - start) as u32,
            run: (end - first) as u32,
        };
        counts.run(span.run);
        count(&bytes[start..first], tally);
        spans.push(span);
        start = end;
    }
    if start < to {
        count(&bytes[start..to], tally);
        spans.push(Span {
            literals: (to - start) as u32,
            run: 0,
        });
    }
    let [first, second, third, fourth] = &mut tally.0;
    for symbol in 0..256 {
        counts.symbols[symbol] = first[symbol] + second[symbol] + third[symbol] + fourth[symbol];
    }
    tally.0 = [[0; 256]; 4];
    counts
}

#[inline(always)]
fn count(bytes: &[u8], tally: &mut Tally) {
    let [first, second, third, fourth] = &mut tally.0;
    let (blocks, rest) = bytes.as_chunks::<8>();
    for block in blocks {
        let word = u64::from_le_bytes(*block);
        first[(word & 255) as usize] += 1;
        second[(word >> 8 & 255) as usize] += 1;
        third[(word >> 16 & 255) as usize] += 1;
        fourth[(word >> 24 & 255) as usize] += 1;
        first[(word >> 32 & 255) as usize] += 1;
        second[(word >> 40 & 255) as usize] += 1;
        third[(word >> 48 & 255) as usize] += 1;
        fourth[(word >> 56) as usize] += 1;
    }
    for &byte in rest {
        first[usize::from(byte)] += 1;
    }
}
