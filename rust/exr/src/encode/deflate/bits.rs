//! Bits into bytes, the first bit lowest.

/// Most bits that are written in one step.
pub const MOST: u32 = 56;

/// Some bits, the first lowest, above a byte that says how many: of both together one is made by
/// few instructions, as a shift looks at the lowest bits of its count only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Code(u64);

impl Code {
    /// The lowest `length` bits of `bits`, at most `MOST`; the others must be 0.
    pub const fn new(bits: u64, length: u32) -> Self {
        Self(bits << 8 | length as u64)
    }

    /// How many bits.
    #[inline(always)]
    pub const fn length(self) -> u32 {
        (self.0 & 255) as u32
    }

    /// These, then those of `next`; together at most `MOST`.
    #[inline(always)]
    pub const fn then(self, next: Self) -> Self {
        let bits = (next.0 & !255) << (self.0 & 63);
        Self((self.0 | bits) + (next.0 & 255))
    }
}

/// Writes into memory that has 8 bytes more than what is written.
pub struct Bits<'o> {
    out: &'o mut [u8],
    at: usize,
    buffer: u64,
    count: u32,
}

/// Bits that do not fill a byte yet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rest {
    bits: u8,
    count: u8,
}

impl<'o> Bits<'o> {
    /// Goes on after `rest`.
    pub const fn new(out: &'o mut [u8], rest: Rest) -> Self {
        Self {
            out,
            at: 0,
            buffer: rest.bits as u64,
            count: rest.count as u32,
        }
    }

    /// The lowest `count` bits of `bits`, at most 56; the others must be 0.
    #[inline(always)]
    pub fn put(&mut self, bits: u64, count: u32) {
        self.buffer |= bits << self.count;
        self.count += count;
        self.out[self.at..self.at + 8].copy_from_slice(&self.buffer.to_le_bytes());
        self.at += (self.count >> 3) as usize;
        self.buffer >>= self.count & 56;
        self.count &= 7;
    }

    /// All bits of a code.
    #[inline(always)]
    pub fn code(&mut self, code: Code) {
        self.put(code.0 >> 8, code.length());
    }

    /// Fills the last byte with zeros.
    pub fn align(&mut self) {
        self.put(0, self.count.wrapping_neg() & 7);
    }

    /// Whole bytes, where a byte begins.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.out[self.at..self.at + bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }

    /// Bytes written, and what is left over.
    pub const fn end(self) -> (usize, Rest) {
        let rest = Rest {
            bits: self.buffer as u8,
            count: self.count as u8,
        };
        (self.at, rest)
    }
}
