//! Huffman codes of limited length, as deflate (RFC 1951) writes them down.

use super::bits::{Bits, Code};
use super::far::Far;

/// Literals 0 to 255, end of block, lengths.
pub const SYMBOLS: usize = 286;
/// Codes of distances that deflate knows.
const DISTANCES: usize = 30;
/// Four literals and what is left of a byte fit in 64 bits, so that they go out in one step.
pub const LIMIT: usize = 12;
/// A code of code lengths has at most so many bits.
const META_LIMIT: usize = 7;
const META_SYMBOLS: usize = 19;
/// Extra bits of its symbols.
const META_EXTRA: [u8; META_SYMBOLS] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 3, 7];
/// The order in which the lengths of that code are stored.
const META_ORDER: [usize; META_SYMBOLS] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// Lengths of an optimal code in which no symbol is longer than `limit`; symbols that never occur
/// get none. At least two symbols must occur. `N` is at most 512, counts stay below 2^23.
pub fn lengths<const N: usize>(counts: &[u32; N], limit: usize) -> [u8; N] {
    let mut sorted = [0_u32; N];
    let used = sort(counts, &mut sorted);
    let mut weights = [0_u32; N];
    for (weight, key) in weights.iter_mut().zip(&sorted[..used]) {
        *weight = key >> 9;
    }
    depths(&mut weights[..used]);
    let mut of_length = [0_usize; 32];
    for &depth in &weights[..used] {
        of_length[(depth as usize).min(limit)] += 1;
    }
    complete(&mut of_length, limit);
    let mut lengths = [0; N];
    // The rarest first, so the longest first.
    let mut rest = sorted[..used].iter();
    for length in (1..=limit).rev() {
        for key in rest.by_ref().take(of_length[length]) {
            lengths[(key & 511) as usize] = length as u8;
        }
    }
    lengths
}

/// Keys of count and symbol of all that occur, the rarest first; how many.
fn sort<const N: usize>(counts: &[u32; N], sorted: &mut [u32; N]) -> usize {
    let (mut used, mut all) = (0, 0);
    for (symbol, &count) in counts.iter().enumerate() {
        sorted[used] = count << 9 | symbol as u32;
        used += usize::from(count > 0);
        all |= count;
    }
    // By eight bits of the count at a time, the lowest first.
    let mut shift = 9;
    while all > 0 {
        let mut place = [0_u16; 256];
        for key in &sorted[..used] {
            place[(key >> shift & 255) as usize] += 1;
        }
        let mut sum = 0;
        for place in &mut place {
            (*place, sum) = (sum, sum + *place);
        }
        let before = *sorted;
        for key in &before[..used] {
            let place = &mut place[(key >> shift & 255) as usize];
            sorted[usize::from(*place)] = *key;
            *place += 1;
        }
        shift += 8;
        all >>= 8;
    }
    used
}

/// From weights in rising order to depths in an optimal tree, in place (Moffat and Katajainen,
/// "In-place calculation of minimum-redundancy codes", 1995).
fn depths(nodes: &mut [u32]) {
    let count = nodes.len();
    if count < 2 {
        nodes.fill(1);
        return;
    }
    // Joins the two lightest; a joined node keeps the place of its parent.
    let (mut leaf, mut root) = (0, 0);
    for next in 0..count - 1 {
        let mut sum = 0;
        for _ in 0..2 {
            if leaf >= count || (root < next && nodes[root] < nodes[leaf]) {
                sum += nodes[root];
                nodes[root] = next as u32;
                root += 1;
            } else {
                sum += nodes[leaf];
                leaf += 1;
            }
        }
        nodes[next] = sum;
    }
    // From parents to depths of the inner nodes.
    nodes[count - 2] = 0;
    for node in (0..count - 2).rev() {
        nodes[node] = nodes[nodes[node] as usize] + 1;
    }
    // From inner nodes to leaves.
    let (mut free, mut depth) = (1, 0);
    let (mut inner, mut out) = (count - 1, count);
    while free > 0 {
        let mut joined = 0;
        while inner > 0 && nodes[inner - 1] == depth {
            joined += 1;
            inner -= 1;
        }
        for _ in joined..free {
            out -= 1;
            nodes[out] = depth;
        }
        free = 2 * joined;
        depth += 1;
    }
}

/// Moves leaves until the tree is full again after all that were too deep came up to `limit`.
fn complete(of_length: &mut [usize; 32], limit: usize) {
    let room = 1_usize << limit;
    let mut total: usize = (1..=limit)
        .map(|length| of_length[length] << (limit - length))
        .sum();
    while total > room {
        of_length[limit] -= 1;
        if let Some(length) = (1..limit).rev().find(|&length| of_length[length] > 0) {
            of_length[length] -= 1;
            of_length[length + 1] += 2;
        }
        total -= 1;
    }
}

/// Codes, their first bit lowest.
pub fn codes<const N: usize>(lengths: &[u8; N]) -> [Code; N] {
    // Two counters in turn, for equal neighbours would wait for each other.
    let mut counts = [[0_u16; 16]; 2];
    let (pairs, last) = lengths.as_chunks::<2>();
    for [one, other] in pairs {
        counts[0][usize::from(one & 15)] += 1;
        counts[1][usize::from(other & 15)] += 1;
    }
    for one in last {
        counts[0][usize::from(one & 15)] += 1;
    }
    let mut next = [0_u16; 16];
    for length in 2..16 {
        let shorter = counts[0][length - 1] + counts[1][length - 1];
        next[length] = (next[length - 1] + shorter).wrapping_shl(1);
    }
    let mut codes = [Code::default(); N];
    for (code, &length) in codes.iter_mut().zip(lengths) {
        let next = &mut next[usize::from(length & 15)];
        if length > 0 {
            let bits = next.reverse_bits() >> (16 - length);
            *code = Code::new(u64::from(bits), u32::from(length));
            *next += 1;
        }
    }
    codes
}

/// How the lengths of a block's codes are written: symbols of the code of code lengths.
pub struct Header {
    /// Symbol, and above it (from bit 8) what its extra bits say.
    items: [u16; SYMBOLS + DISTANCES],
    used: usize,
    literals: usize,
    distances: usize,
    lengths: [u8; META_SYMBOLS],
    stored: usize,
}

impl Header {
    /// For the literal code of `lengths`; there are one or two distances, of one bit each.
    pub fn new(lengths: &[u8; SYMBOLS], far: Option<Far>) -> Self {
        let literals = lengths
            .iter()
            .rposition(|&length| length > 0)
            .map_or(257, |last| (last + 1).max(257));
        let mut counts = [0_u32; META_SYMBOLS];
        let mut items = [0; SYMBOLS + DISTANCES];
        let mut used = 0;
        let mut all = [0_u8; SYMBOLS + DISTANCES];
        all[..literals].copy_from_slice(&lengths[..literals]);
        let last = far.map_or(0, |far| far.symbol);
        all[literals] = 1;
        all[literals + last] = 1;
        repeats(&all[..=literals + last], |symbol, extra| {
            counts[usize::from(symbol)] += 1;
            items[used] = u16::from(symbol) | u16::from(extra) << 8;
            used += 1;
        });
        // A code needs two symbols.
        if counts.iter().filter(|&&count| count > 0).count() < 2 {
            counts[usize::from(counts[0] > 0)] += 1;
        }
        let lengths = self::lengths(&counts, META_LIMIT);
        let stored = META_ORDER
            .iter()
            .rposition(|&symbol| lengths[symbol] > 0)
            .map_or(4, |last| (last + 1).max(4));
        Self {
            items,
            used,
            literals,
            distances: last + 1,
            lengths,
            stored,
        }
    }

    /// Bits of all of it.
    pub fn size(&self) -> usize {
        let item = |item: &u16| {
            let symbol = usize::from(item & 255);
            usize::from(self.lengths[symbol]) + usize::from(META_EXTRA[symbol])
        };
        14 + 3 * self.stored + self.items[..self.used].iter().map(item).sum::<usize>()
    }

    /// Writes it.
    pub fn write(&self, bits: &mut Bits<'_>) {
        bits.put(self.literals as u64 - 257, 5);
        bits.put(self.distances as u64 - 1, 5);
        bits.put(self.stored as u64 - 4, 4);
        for &symbol in &META_ORDER[..self.stored] {
            bits.put(u64::from(self.lengths[symbol]), 3);
        }
        let codes = codes(&self.lengths);
        for item in &self.items[..self.used] {
            let symbol = usize::from(item & 255);
            let extra = Code::new(u64::from(item >> 8), u32::from(META_EXTRA[symbol]));
            bits.code(codes[symbol].then(extra));
        }
    }
}

/// Runs of code lengths as symbols: 16 repeats the last 3 to 6 times, 17 and 18 stand for zeros.
fn repeats(lengths: &[u8], mut put: impl FnMut(u8, u8)) {
    let mut rest = lengths;
    while let [length, after @ ..] = rest {
        if after.first() != Some(length) {
            put(*length, 0);
            rest = after;
            continue;
        }
        let same = rest.iter().take_while(|&other| other == length).count();
        rest = &rest[same..];
        let mut left = same;
        if *length == 0 {
            while left >= 3 {
                let now = left.min(138);
                if now > 10 {
                    put(18, now as u8 - 11);
                } else {
                    put(17, now as u8 - 3);
                }
                left -= now;
            }
        } else {
            put(*length, 0);
            left -= 1;
            while left >= 3 {
                let now = left.min(6);
                put(16, now as u8 - 3);
                left -= now;
            }
        }
        for _ in 0..left {
            put(*length, 0);
        }
    }
}
