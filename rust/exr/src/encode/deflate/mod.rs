//! Deflate (RFC 1951) for filtered pixels: runs of one byte, repeats of the row above where that
//! helps, and Huffman codes made for each block.
//!
//! What a filter leaves of an image is noise and runs, in which a search for other repeats finds
//! little for its time. Two passes over bytes that are in the cache: find runs and count symbols;
//! write codes, eight literals at a time.

mod bits;
mod far;
mod huffman;
mod lengths;
mod plan;
mod runs;

use self::bits::{Bits, Code, Rest, MOST};
use self::far::Far;
use self::huffman::SYMBOLS;
use self::lengths::{EXTRA, REST, SYMBOL};
use self::plan::{add, cost, header_cost, Plan, END};
use self::runs::{scan, Counts, Span, Tally};
use super::{extend, wide::widened};
use crate::error::Result;

pub use self::runs::SLACK;

/// A block that is stored says its size in 16 bits.
const STORED: usize = 65_535;

/// Parts that may repeat the row above less often than this before that is no longer looked for.
const FEW: u32 = 4;
const PATIENCE: u32 = 8;
/// Two of so many are looked at even so, for high and low bytes take turns.
const PAUSE: u32 = 16;
/// Literals of so few bits on average are written eight at a time.
const BRIEF: usize = 5;

/// One deflate stream after another.
pub struct Deflate {
    far: Option<Far>,
    /// So many more parts are compared with the row above though they hardly repeat it.
    hope: u32,
    parts: u32,
    rest: Rest,
    spans: Vec<Span>,
    tally: Box<Tally>,
    /// Codes of the last two blocks, the last one's first.
    kept: [Option<Box<Plan>>; 2],
}

/// What one block may become.
struct Block {
    from: usize,
    to: usize,
    spans: usize,
    counts: Counts,
    cost: f32,
}

impl Deflate {
    /// Nothing packed yet. With rows of so many bytes, those that repeat the row above are found;
    /// with 0, runs only.
    pub fn new(row: usize) -> Self {
        Self {
            far: Far::new(row),
            hope: PATIENCE,
            parts: 0,
            rest: Rest::default(),
            spans: Vec::new(),
            tally: Box::new(Tally::new()),
            kept: [None, None],
        }
    }

    /// Packs `bytes` but for their last `SLACK`, which are only there to be read, and appends the
    /// stream to `out`. A block may end after every `section` bytes; the last one of `last` ends
    /// the stream, with a whole byte.
    pub fn pack(
        &mut self,
        bytes: &[u8],
        section: usize,
        last: bool,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let size = bytes.len() - SLACK;
        self.spans.clear();
        let mut open: Option<Block> = None;
        let mut from = 0;
        while from < size {
            let to = size.min(from + section);
            let before = self.spans.len();
            let far = self.far.filter(|_| self.is_far_worth_a_look());
            let counts = scan(bytes, from, to, far, &mut self.spans, &mut self.tally);
            self.hope = if counts.far < FEW {
                self.hope.saturating_sub(1)
            } else {
                PATIENCE
            };
            let next = Block {
                from,
                to,
                spans: self.spans.len() - before,
                cost: cost(&counts),
                counts,
            };
            open = Some(match open {
                None => next,
                Some(block) => match block.join(&next) {
                    Some(both) => both,
                    None => {
                        self.write(bytes, &block, false, out)?;
                        self.spans.drain(..block.spans);
                        next
                    }
                },
            });
            from = to;
        }
        if let Some(block) = open {
            self.write(bytes, &block, last, out)?;
        }
        Ok(())
    }

    /// Noise is not compared with the row above, but for a part now and then.
    fn is_far_worth_a_look(&mut self) -> bool {
        self.parts = self.parts.wrapping_add(1);
        self.hope > 0 || self.parts % PAUSE < 2
    }

    fn write(&mut self, bytes: &[u8], block: &Block, last: bool, out: &mut Vec<u8>) -> Result<()> {
        // High and low bytes take turns, so codes are like those of the block before the last.
        self.kept.swap(0, 1);
        let plan = match self.kept[0].take() {
            Some(plan) if plan.is_near(&block.counts, block.cost) => plan,
            _ => Box::new(Plan::new(&block.counts, self.far)),
        };
        let plan = self.kept[0].insert(plan);
        let packed = plan.size(&block.counts);
        let raw = &bytes[block.from..block.to];
        let stored = 8 * (raw.len() + 5 * raw.len().div_ceil(STORED));

        let before = out.len();
        extend(out, packed.min(stored) / 8 + 64)?;
        let mut bits = Bits::new(&mut out[before..], self.rest);
        if packed < stored {
            bits.put(u64::from(last) | 2 << 1, 3);
            plan.header.write(&mut bits);
            let spans = &self.spans[..block.spans];
            let literals: usize = spans.iter().map(|span| span.literals as usize).sum();
            let are_brief = packed <= BRIEF * literals;
            emit(raw, spans, &plan.codes, self.far, are_brief, &mut bits);
        } else {
            for (index, part) in raw.chunks(STORED).enumerate() {
                let last = last && (index + 1) * STORED >= raw.len();
                bits.put(u64::from(last), 3);
                bits.align();
                let size = part.len() as u64;
                bits.put(size | (size ^ 0xffff) << 16, 32);
                bits.bytes(part);
            }
        }
        if last {
            bits.align();
        }
        let (size, rest) = bits.end();
        self.rest = rest;
        out.truncate(before + size);
        Ok(())
    }
}

impl Block {
    /// Both as one block, if a header of its own would not pay for the second.
    fn join(&self, next: &Self) -> Option<Self> {
        let mut counts = self.counts.clone();
        add(&mut counts, &next.counts);
        let cost = cost(&counts);
        (cost <= self.cost + next.cost + header_cost(&next.counts)).then(|| Self {
            from: self.from,
            to: next.to,
            spans: self.spans + next.spans,
            counts,
            cost,
        })
    }
}

widened! {
    fn emit(raw: &[u8], spans: &[Span], codes: &[Code; SYMBOLS], far: Option<Far>, are_brief: bool, bits: &mut Bits<'_>) = emit_body
}

#[inline(always)]
fn emit_body(
    raw: &[u8],
    spans: &[Span],
    codes: &[Code; SYMBOLS],
    far: Option<Far>,
    are_brief: bool,
    bits: &mut Bits<'_>,
) {
    // Of two distances, a zero bit says that it is 1.
    let distances = [Code::new(0, 1), far.map_or(Code::default(), Far::code)];
    let mut rest = raw;
    for span in spans {
        let (literals, after) = rest.split_at(span.literals as usize);
        rest = &after[span.run as usize..];
        let (eights, left) = if are_brief {
            literals.as_chunks::<8>()
        } else {
            (&[][..], literals)
        };
        for eight in eights {
            let [a, b, c, d, e, f, g, h] = eight.map(|byte| codes[usize::from(byte)]);
            let first = a.then(b).then(c.then(d));
            let second = e.then(f).then(g.then(h));
            if first.length() + second.length() <= MOST {
                bits.code(first.then(second));
            } else {
                bits.code(first);
                bits.code(second);
            }
        }
        let (fours, few) = left.as_chunks::<4>();
        for four in fours {
            let [a, b, c, d] = four.map(|byte| codes[usize::from(byte)]);
            bits.code(a.then(b).then(c.then(d)));
        }
        for &byte in few {
            bits.code(codes[usize::from(byte)]);
        }
        let mut run = span.run as usize;
        let distance = distances[usize::from(span.is_far)];
        while run > 0 {
            let now = run.min(258) - 3;
            let more = Code::new(u64::from(REST[now]), u32::from(EXTRA[now]));
            let length = codes[usize::from(SYMBOL[now])].then(more);
            bits.code(length.then(distance));
            run -= now + 3;
        }
    }
    bits.code(codes[END]);
}

#[cfg(test)]
mod tests;
