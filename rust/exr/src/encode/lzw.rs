//! The LZW coder of TIFF (revision 6.0, section 13), with the habits of libtiff.
//!
//! Codes of 9 to 12 bits, most significant bit first; 256 clears, 257 ends, strings from 258.

const CLEAR: u16 = 256;
const END: u16 = 257;
const FIRST: u16 = 258;
/// libtiff clears when this code would be the next to give out.
const LAST: u16 = 4094;
/// Slots of the string table; a prime, more than twice the strings.
const SLOTS: usize = 9001;

struct Coder<'o> {
    out: &'o mut Vec<u8>,
    pending: u32,
    count: u32,
    width: u32,
    next: u16,
    /// (string code + 1, last byte, own code) by hash; zero means free.
    strings: Vec<(u16, u8, u16)>,
}

/// One strip, appended to `out`.
pub fn lzw(data: &[u8], out: &mut Vec<u8>) {
    let mut coder = Coder {
        out,
        pending: 0,
        count: 0,
        width: 9,
        next: FIRST,
        strings: vec![(0, 0, 0); SLOTS],
    };
    coder.put(CLEAR);
    let mut bytes = data.iter().copied();
    if let Some(first) = bytes.next() {
        let mut string = u16::from(first);
        for byte in bytes {
            match coder.find(string, byte) {
                Ok(code) => string = code,
                Err(slot) => {
                    coder.put(string);
                    coder.strings[slot] = (string + 1, byte, coder.next);
                    coder.advance(true);
                    string = u16::from(byte);
                }
            }
        }
        coder.put(string);
        // The reader's table is one string ahead here, so its width may be too.
        coder.advance(false);
    }
    coder.put(END);
    coder.finish();
}

impl Coder<'_> {
    fn put(&mut self, code: u16) {
        self.pending = self.pending << self.width | u32::from(code);
        self.count += self.width;
        while self.count >= 8 {
            self.count -= 8;
            self.out.push((self.pending >> self.count) as u8);
        }
    }

    fn finish(self) {
        if self.count > 0 {
            self.out.push((self.pending << (8 - self.count)) as u8);
        }
    }

    /// The code of `string` followed by `byte`, or the free slot for it.
    fn find(&self, string: u16, byte: u8) -> Result<u16, usize> {
        let mut slot = (usize::from(string) << 8 | usize::from(byte)) % SLOTS;
        loop {
            let (known, last, code) = self.strings[slot];
            if known == 0 {
                return Err(slot);
            }
            if known == string + 1 && last == byte {
                return Ok(code);
            }
            slot = (slot + 1) % SLOTS;
        }
    }

    /// One more code is given out: clear when the table is full, widen when it must.
    fn advance(&mut self, forget: bool) {
        self.next += 1;
        if self.next == LAST {
            self.put(CLEAR);
            if forget {
                self.strings.fill((0, 0, 0));
            }
            self.next = FIRST;
            self.width = 9;
        } else if self.next > (1 << self.width) - 1 {
            self.width += 1;
        }
    }
}
