//! The codes of a block, and what blocks cost.

use super::bits::Code;
use super::far::Far;
use super::huffman::{codes, lengths, Header, LIMIT, SYMBOLS};
use super::runs::Counts;
use crate::encode::wide::widened;

/// The symbol that ends a block.
pub const END: usize = 256;

/// New codes take time; those of another block do if they take at most so many bits more.
const NEAR: f32 = 900.0;
/// Where at most so many bytes do not occur, all get codes: the header hardly grows, and the
/// codes do for other blocks.
const RARE: usize = 64;

/// Codes for a block.
pub struct Plan {
    lengths: [u8; SYMBOLS],
    has_far: bool,
    /// As `codes` of `huffman` gives them.
    pub codes: [Code; SYMBOLS],
    /// What tells the reader.
    pub header: Header,
}

impl Plan {
    /// About the best for `counts`.
    pub fn new(counts: &Counts, far: Option<Far>) -> Self {
        let far = far.filter(|_| counts.far > 0);
        let mut symbols = counts.symbols;
        symbols[END] = 1;
        let missing = symbols[..END].iter().filter(|&&count| count == 0).count();
        if missing < RARE {
            for count in &mut symbols[..END] {
                *count = (*count).max(1);
            }
        }
        let lengths = lengths(&symbols, LIMIT);
        Self {
            codes: codes(&lengths),
            header: Header::new(&lengths, far),
            has_far: far.is_some(),
            lengths,
        }
    }

    /// Bits of a whole block of such symbols.
    pub fn size(&self, counts: &Counts) -> usize {
        let coded = coded(&self.lengths, counts).unwrap_or(u32::MAX);
        self.header.size() + coded as usize + usize::from(self.lengths[END])
    }

    /// Whether all of these symbols have codes, not much longer than their best ones, whose
    /// `cost` is known.
    pub fn is_near(&self, counts: &Counts, cost: f32) -> bool {
        (self.has_far || counts.far == 0)
            && coded(&self.lengths, counts).is_some_and(|coded| coded as f32 <= cost + NEAR)
    }
}

widened! {
    /// Bits of all symbols; none if one of them has no code.
    fn coded(lengths: &[u8; SYMBOLS], counts: &Counts) -> Option<u32> = coded_body
}

#[inline(always)]
fn coded_body(lengths: &[u8; SYMBOLS], counts: &Counts) -> Option<u32> {
    let (mut bits, mut without) = (counts.extra, 0);
    for (&length, &count) in lengths.iter().zip(&counts.symbols) {
        bits += u32::from(length) * count;
        without |= if length == 0 { count } else { 0 };
    }
    (without == 0).then_some(bits)
}

/// About how many bits a header takes, and as many again for the time that it takes to make.
pub fn header_cost(counts: &Counts) -> f32 {
    let used = counts.symbols.iter().filter(|&&count| count > 0).count();
    1500.0 + 3.0 * used as f32
}

widened! {
    /// Counts of both.
    pub fn add(to: &mut Counts, other: &Counts) = add_body
}

#[inline(always)]
fn add_body(to: &mut Counts, other: &Counts) {
    to.extra += other.extra;
    to.far += other.far;
    for (to, other) in to.symbols.iter_mut().zip(&other.symbols) {
        *to += other;
    }
}

widened! {
    /// About how many bits the best codes take.
    pub fn cost(counts: &Counts) -> f32 = cost_body
}

#[inline(always)]
fn cost_body(counts: &Counts) -> f32 {
    let mut lanes = [0.0_f32; 8];
    let mut totals = [0_u32; 8];
    let (blocks, rest) = counts.symbols.as_chunks::<8>();
    for block in blocks {
        for lane in 0..8 {
            lanes[lane] += weighed(block[lane]);
            totals[lane] += block[lane];
        }
    }
    let total = totals.iter().sum::<u32>() + rest.iter().sum::<u32>();
    let parts = lanes.iter().sum::<f32>() + rest.iter().map(|&count| weighed(count)).sum::<f32>();
    weighed(total) - parts + counts.extra as f32
}

/// `count * log2(count)`, within a thousandth of `count`.
#[inline(always)]
fn weighed(count: u32) -> f32 {
    let value = count as f32;
    let bits = value.to_bits();
    let exponent = (bits >> 23) as i32 - 127;
    let mantissa = f32::from_bits(bits & 0x7f_ffff | 0x3f80_0000);
    // A polynomial near log2 between 1 and 2.
    let fraction = (0.165559 * mantissa + -0.918851) * mantissa + 2.17678;
    value * (exponent as f32 + fraction * (mantissa - 1.0))
}
