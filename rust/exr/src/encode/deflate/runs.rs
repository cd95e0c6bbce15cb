//! Which bytes are literals, which repeat the one before them or the row above, and how often each
//! occurs.

use super::far::Far;
use super::huffman::SYMBOLS;
use super::lengths::{EXTRA, SYMBOL};
use crate::encode::wide::equal_plain;
#[cfg(target_arch = "x86_64")]
use crate::encode::wide::{equal_avx2, here};

/// Literals, then a run that repeats the last byte or the row above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Bytes as they are.
    pub literals: u32,
    /// Bytes equal to those before: 0, or what matches can say.
    pub run: u32,
    /// They are those of the row above.
    pub is_far: bool,
}

/// Bytes that must be readable behind those that are looked at.
pub const SLACK: usize = 64;

/// Runs that are shorter stay literals: where they are many, the code of their byte is short, and
/// each match is two codes and a turn that no processor foresees.
const SHORTEST: usize = 16;
/// The same where the row above is looked at, for what one of both says the other need not.
const SHORTEST_NEAR: usize = 12;
/// The same of the row above itself, whose distance takes bits as well.
const SHORTEST_FAR: usize = 24;
/// The row above must give so many bytes more than a run.
const MORE: usize = 8;
/// So long a run is taken as it is.
const PLENTY: usize = 64;
const LONGEST: usize = 258;
// Whatever begins a repeat is taken.
const _: () = assert!(SHORTEST_FAR >= SHORTEST_NEAR + MORE);

/// How often each symbol occurs, and how many bits stand beside the codes.
#[derive(Clone)]
pub struct Counts {
    /// Literals and lengths; the end of the block is not counted.
    pub symbols: [u32; SYMBOLS],
    /// Extra bits of lengths, and all of distances.
    pub extra: u32,
    /// How often the row above is repeated.
    pub far: u32,
}

impl Counts {
    /// Nothing yet.
    pub const NONE: Self = Self {
        symbols: [0; SYMBOLS],
        extra: 0,
        far: 0,
    };

    fn run(&mut self, run: usize, distance: u32) {
        let (whole, rest) = (run / LONGEST, run % LONGEST);
        self.symbols[285] += whole as u32;
        self.extra += whole as u32 * distance;
        if rest > 0 {
            self.symbols[usize::from(SYMBOL[rest - 3])] += 1;
            self.extra += distance + u32::from(EXTRA[rest - 3]);
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

/// Looks at `bytes[from..to]`, behind which `SLACK` bytes can be read; adds its spans. The row above
/// is `far` before.
#[cfg_attr(target_arch = "x86_64", expect(unsafe_code))]
pub fn scan(
    bytes: &[u8],
    from: usize,
    to: usize,
    far: Option<Far>,
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
            far: Option<Far>,
            spans: &mut Vec<Span>,
            tally: &mut Tally,
        ) -> Counts {
            look(bytes, from, to, far, spans, tally, |a, b| equal_avx2(a, b))
        }
        if here() {
            // SAFETY: `wide` is safe but for what it asks of the processor, and `here` just
            // found all of that.
            return unsafe { wide(bytes, from, to, far, spans, tally) };
        }
    }
    look(bytes, from, to, far, spans, tally, equal_plain)
}

#[inline(always)]
pub fn look(
    bytes: &[u8],
    from: usize,
    to: usize,
    far: Option<Far>,
    spans: &mut Vec<Span>,
    tally: &mut Tally,
    equal: impl Fn(&[u8; 64], &[u8; 64]) -> u64,
) -> Counts {
    let mut counts = Counts::NONE;
    // Bit i: the byte at `at + i` is as the one `back` before.
    let repeats = |at: usize, back: usize| {
        let (now, before) = (bytes[at..].first_chunk(), bytes[at - back..].first_chunk());
        let (Some(now), Some(before)) = (now, before) else {
            return 0;
        };
        let left = to - at;
        equal(now, before) & if left < 64 { (1 << left) - 1 } else { u64::MAX }
    };
    // How many bytes from `at` on are as those `back` before.
    let length = |at: usize, back: usize| {
        let mut end = at;
        while end < to {
            let ones = (!repeats(end, back)).trailing_zeros();
            end += ones as usize;
            if ones < 64 {
                break;
            }
        }
        end - at
    };
    let (mut start, mut at) = (from, from.max(1));
    while at < to {
        let near = repeats(at, 1);
        let above = far.filter(|far| far.distance <= at);
        let (long, least) = match above {
            None => (starts::<SHORTEST>(near), SHORTEST),
            Some(far) => {
                let above = starts::<SHORTEST_FAR>(repeats(at, far.distance));
                (starts::<SHORTEST_NEAR>(near) | above, SHORTEST_FAR)
            }
        };
        if long == 0 {
            at += 65 - least;
            continue;
        }
        let skipped = long.trailing_zeros();
        let first = at + skipped as usize;
        let mut run = (!(near >> skipped)).trailing_zeros() as usize;
        if run + skipped as usize >= 64 {
            run += length(first + run, 1);
        }
        let mut taken = None;
        if let Some(far) = above.filter(|_| run < PLENTY) {
            // What comes behind may be a run, which costs less.
            let longer = length(first, far.distance).min(LONGEST);
            if longer >= SHORTEST_FAR && longer > run + MORE {
                (run, taken) = (longer, above);
            }
        }
        at = first + run;
        // One or two bytes beyond the longest matches are no match.
        let over = run % LONGEST;
        run -= if over < 3 { over } else { 0 };
        counts.run(run, taken.map_or(1, Far::bits));
        counts.far += u32::from(taken.is_some());
        count(&bytes[start..first], tally);
        spans.push(Span {
            literals: (first - start) as u32,
            run: run as u32,
            is_far: taken.is_some(),
        });
        start = first + run;
    }
    if start < to {
        count(&bytes[start..to], tally);
        spans.push(Span {
            literals: (to - start) as u32,
            run: 0,
            is_far: false,
        });
    }
    let [first, second, third, fourth] = &mut tally.0;
    for symbol in 0..256 {
        counts.symbols[symbol] = first[symbol] + second[symbol] + third[symbol] + fourth[symbol];
    }
    tally.0 = [[0; 256]; 4];
    counts
}

/// Where `COUNT` ones begin that follow each other.
#[inline(always)]
fn starts<const COUNT: usize>(mut ones: u64) -> u64 {
    let mut have = 1;
    while have < COUNT {
        let step = have.min(COUNT - have);
        ones &= ones >> step;
        have += step;
    }
    ones
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
