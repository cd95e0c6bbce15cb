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

/// One deflate stream after another.
pub struct Deflate {
    far: Option<Far>,
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
            let counts = scan(bytes, from, to, self.far, &mut self.spans, &mut self.tally);
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
            emit(raw, spans, &plan.codes, self.far, &mut bits);
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
    fn emit(raw: &[u8], spans: &[Span], codes: &[Code; SYMBOLS], far: Option<Far>, bits: &mut Bits<'_>) = emit_body
}

#[inline(always)]
fn emit_body(
    raw: &[u8],
    spans: &[Span],
    codes: &[Code; SYMBOLS],
    far: Option<Far>,
    bits: &mut Bits<'_>,
) {
    // Of two distances, a zero bit says that it is 1.
    let distances = [Code::new(0, 1), far.map_or(Code::default(), Far::code)];
    let mut rest = raw;
    for span in spans {
        let (literals, after) = rest.split_at(span.literals as usize);
        rest = &after[span.run as usize..];
        let (eights, few) = literals.as_chunks::<8>();
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
