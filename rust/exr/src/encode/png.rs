//! PNG files (ISO/IEC 15948): grey of 16 bits or RGB of 8, no ancillary chunk.
//!
//! The exact mode gives the bytes of OpenCV's `imwrite` with libpng 1.6 and stock zlib, by which
//! the original files were written: filter Sub, runs only at level 1, IDAT chunks of 8,192 bytes,
//! and a window no larger than a small image needs. The others choose the filter that suits what
//! is in the picture, Paeth for colours and Up for ids, and write a chunk for each block.

use std::io::{Seek, Write};

use libdeflater::Crc;

use super::coder::Coder;
use super::filter::{big_endian, paeth, sub, up};
use super::zlib::Strategy;
use super::{deflate, extend, wrong, Format, Mode, Pixels, Shape, Sink};
use crate::error::Result;

/// Filtered rows are packed when there are so many bytes of them.
const BLOCK: usize = 1 << 18;
/// Or so many, as libdeflate sees no repeat of what was packed before.
const CHUNK: usize = 1 << 20;
const IDAT: usize = 8192;

#[derive(Clone, Copy)]
enum Filter {
    None = 0,
    Sub = 1,
    Up = 2,
    Paeth = 4,
}

/// A file that grows by rows.
pub struct Png<W> {
    out: Sink<W>,
    mode: Mode,
    filter: Filter,
    /// Bytes of a pixel.
    step: usize,
    left: usize,
    /// All filtered rows of the image, in bytes.
    size: usize,
    row: Vec<u8>,
    above: Vec<u8>,
    filtered: Vec<u8>,
    packed: Vec<u8>,
    coder: Coder,
    block: usize,
    begun: bool,
}

impl<W: Write + Seek> Png<W> {
    /// Writes the head.
    pub fn new(mut out: Sink<W>, shape: Shape, mode: Mode) -> Result<Self> {
        let (depth, color, step) = match shape.samples {
            Format::Rgb8 => (8, 2, 3),
            Format::Gray16 => (16, 0, 2),
            _ => return Err(wrong("no PNG is made of such samples")),
        };
        let row = shape.width * step;
        let size = (row + 1) * shape.height;
        let filter = match (mode, shape.samples) {
            // A single column has no left pixel and is written as it is.
            (Mode::Exact, _) if shape.width == 1 => Filter::None,
            (Mode::Exact, _) => Filter::Sub,
            (_, Format::Rgb8) => Filter::Paeth,
            _ => Filter::Up,
        };
        let coder = match mode {
            Mode::Exact => Coder::zlib(1, window(size), Strategy::Runs)?,
            Mode::Fast => Coder::fast((row + 1) * (SECTION / (row + 1)).max(1), 0),
            Mode::Small => Coder::small(),
        };
        out.put(b"\x89PNG\r\n\x1a\n")?;
        let mut header = [0; 13];
        header[..4].copy_from_slice(&(shape.width as u32).to_be_bytes());
        header[4..8].copy_from_slice(&(shape.height as u32).to_be_bytes());
        (header[8], header[9]) = (depth, color);
        chunk(&mut out, *b"IHDR", &header)?;
        let (mut line, mut above) = (Vec::new(), Vec::new());
        extend(&mut line, row)?;
        extend(&mut above, row)?;
        Ok(Self {
            out,
            mode,
            filter,
            step,
            left: shape.height,
            size,
            row: line,
            above,
            filtered: Vec::new(),
            packed: Vec::new(),
            coder,
            block: if mode == Mode::Small { CHUNK } else { BLOCK },
            begun: false,
        })
    }

    /// Writes one row, or keeps it until a block is full.
    pub fn row(&mut self, pixels: Pixels<'_>) -> Result<()> {
        let row = match pixels {
            Pixels::Bytes(bytes) => bytes,
            Pixels::Words(words) => {
                big_endian(words, &mut self.row);
                &self.row
            }
            Pixels::Longs(_) => return Err(wrong("no PNG is made of such samples")),
        };
        let start = self.filtered.len();
        extend(&mut self.filtered, row.len() + 1)?;
        let (kind, out) = self.filtered[start..].split_at_mut(1);
        kind[0] = self.filter as u8;
        match self.filter {
            Filter::None => out.copy_from_slice(row),
            Filter::Sub => sub(row, self.step, out),
            Filter::Up => up(row, &self.above, out),
            Filter::Paeth => paeth(row, &self.above, self.step, out),
        }
        if matches!(pixels, Pixels::Words(_)) {
            std::mem::swap(&mut self.row, &mut self.above);
        } else {
            self.above.copy_from_slice(row);
        }
        self.left -= 1;
        if self.filtered.len() >= self.block || self.left == 0 {
            self.pack()?;
        }
        Ok(())
    }

    fn pack(&mut self) -> Result<()> {
        let last = self.left == 0;
        extend(&mut self.filtered, deflate::SLACK)?;
        self.coder.pack(&self.filtered, last, &mut self.packed)?;
        self.filtered.clear();
        if self.mode != Mode::Exact {
            chunk(&mut self.out, *b"IDAT", &self.packed)?;
            self.packed.clear();
            return Ok(());
        }
        if !self.begun && self.packed.len() >= 2 {
            self.begun = true;
            shrink_window(&mut self.packed, self.size);
        }
        let whole = if last { 1 } else { IDAT };
        let mut done = 0;
        while self.packed.len() - done >= whole {
            let end = self.packed.len().min(done + IDAT);
            chunk(&mut self.out, *b"IDAT", &self.packed[done..end])?;
            done = end;
        }
        self.packed.drain(..done);
        Ok(())
    }

    /// Writes the end.
    pub fn finish(mut self) -> Result<W> {
        chunk(&mut self.out, *b"IEND", &[])?;
        self.out.end()
    }
}

/// Where the own coder may begin a block with codes of its own: after rows of so many bytes.
const SECTION: usize = 1 << 14;

fn chunk<W: Write + Seek>(out: &mut Sink<W>, kind: [u8; 4], data: &[u8]) -> Result<()> {
    let mut sum = Crc::new();
    sum.update(&kind);
    sum.update(data);
    out.put(&(data.len() as u32).to_be_bytes())?;
    out.put(&kind)?;
    out.put(data)?;
    out.put(&sum.sum().to_be_bytes())
}

/// libpng asks zlib for a smaller window where the whole image fits in it.
const fn window(size: usize) -> u8 {
    let mut window = 15;
    while size <= 16_384 && window > 8 && size + 262 <= 1 << (window - 1) {
        window -= 1;
    }
    window
}

/// libpng states the smallest window that holds the data in the stream's first two bytes.
fn shrink_window(stream: &mut [u8], size: usize) {
    let mut info = stream[0] >> 4;
    let mut half = 1_usize << (info + 7);
    if size > 16_384 || size > half {
        return;
    }
    loop {
        half >>= 1;
        info -= 1;
        if info == 0 || size > half {
            break;
        }
    }
    stream[0] = info << 4 | stream[0] & 0xf;
    let flags = stream[1] & 0xe0;
    let rest = (u16::from(stream[0]) << 8 | u16::from(flags)) % 31;
    stream[1] = flags + 31 - rest as u8;
}
