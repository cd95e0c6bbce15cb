//! TIFF files (revision 6.0, with Adobe's deflate and predictor 3): little endian, one image.
//!
//! Layouts as the original files have them: floats as `tifffile` 2020.9 wrote them, bytes as
//! OpenCV's `imwrite` with libtiff. Modes other than exact keep the tags and choose their strips.

mod tags;

use std::io::{Seek, Write};

use self::tags::{first, last, of_libtiff, of_tifffile, Strips};
use super::coder::Coder;
use super::filter::{less_words, split_floats, split_halves, sub};
use super::zlib::Strategy;
use super::{deflate, extend, wrong, Format, Mode, Pixels, Shape, Sink};
use crate::error::{Error, Kind, Result};

/// Numbers of compressions.
const LZW: u16 = 5;
const DEFLATE: u16 = 8;
/// Bytes of a strip that is not exact.
const STRIP: usize = 1 << 18;
/// Codes may change at the end of a plane of so many bytes.
const PLANE: usize = 1 << 10;
/// Or after rows of so many.
const SECTION: usize = 1 << 14;

/// A file that grows by rows.
pub struct Tiff<W> {
    out: Sink<W>,
    shape: Shape,
    channels: usize,
    /// Bytes of a row.
    row: usize,
    strips: Strips,
    /// Rows to come, and those of the strip at hand.
    left: usize,
    held: usize,
    predicted: Vec<u8>,
    packed: Vec<u8>,
    coder: Coder,
}

impl<W: Write + Seek> Tiff<W> {
    /// Leaves room for what is known at the end only.
    pub fn new(out: Sink<W>, shape: Shape, mode: Mode) -> Result<Self> {
        let (channels, size) = shape.samples.size();
        let row = shape.width * channels * size;
        let strip = match (mode, shape.samples) {
            (Mode::Exact, Format::Gray8) => 8192,
            (Mode::Exact, _) => 65_536,
            _ => STRIP,
        };
        let rows = (strip / row).clamp(1, shape.height);
        let coder = match (mode, shape.samples) {
            (Mode::Exact, Format::Gray8) => Coder::Lzw,
            (Mode::Exact, _) => Coder::zlib(9, 15, Strategy::Default)?,
            (Mode::Fast, Format::Half(_) | Format::Float) if row / size >= PLANE => {
                Coder::fast(row / size, row)
            }
            (Mode::Fast, _) => Coder::fast(row * (SECTION / row).max(1), 0),
            (Mode::Small, _) => Coder::small(),
        };
        let method = if matches!(coder, Coder::Lzw) {
            LZW
        } else {
            DEFLATE
        };
        let count = shape.height.div_ceil(rows);
        let mut this = Self {
            out,
            shape,
            channels,
            row,
            strips: Strips {
                rows,
                method,
                offsets: vec![0; count],
                counts: vec![0; count],
            },
            left: shape.height,
            held: 0,
            predicted: Vec::new(),
            packed: Vec::new(),
            coder,
        };
        let head = this.head();
        this.out.put(&head)?;
        this.strips.offsets.clear();
        this.strips.counts.clear();
        Ok(this)
    }

    /// All before the first strip, if the directory is there.
    fn head(&self) -> Vec<u8> {
        if self.shape.samples == Format::Gray8 {
            b"II\x2a\0\0\0\0\0".to_vec()
        } else {
            first(&of_tifffile(self.shape, &self.strips))
        }
    }

    /// Writes one row, or keeps it until a strip is full.
    pub fn row(&mut self, pixels: Pixels<'_>) -> Result<()> {
        let start = self.predicted.len();
        extend(&mut self.predicted, self.row)?;
        let out = &mut self.predicted[start..];
        match (self.shape.samples, pixels) {
            (Format::Gray8, Pixels::Bytes(row)) => sub(row, 1, out),
            (Format::Half(_), Pixels::Words(row)) => split_halves(row, self.channels, out),
            (Format::Float, Pixels::Longs(row)) => split_floats(row, self.channels, out),
            (Format::Uint, Pixels::Longs(row)) => less_words(row, self.channels, out),
            _ => return Err(wrong("no TIFF is made of such samples")),
        }
        self.left -= 1;
        self.held += 1;
        if self.held == self.strips.rows || self.left == 0 {
            self.strip()?;
        }
        Ok(())
    }

    fn strip(&mut self) -> Result<()> {
        extend(&mut self.predicted, deflate::SLACK)?;
        self.coder.pack(&self.predicted, true, &mut self.packed)?;
        self.strips.offsets.push(offset(self.out.written)?);
        self.strips.counts.push(offset(self.packed.len() as u64)?);
        self.out.put(&self.packed)?;
        self.predicted.clear();
        self.packed.clear();
        self.held = 0;
        Ok(())
    }

    /// Writes what is known now.
    pub fn finish(mut self) -> Result<W> {
        let end = self.out.written;
        let mut head = self.head();
        if self.shape.samples == Format::Gray8 {
            self.out.put(&[0][..(end % 2) as usize])?;
            let place = offset(self.out.written)?;
            let directory = last(&of_libtiff(self.shape, &self.strips), place as usize);
            self.out.put(&directory)?;
            head[4..].copy_from_slice(&place.to_le_bytes());
        }
        offset(self.out.written)?;
        self.out.put_at(0, &head)?;
        self.out.end()
    }
}

/// A place or size as these files state it.
pub fn offset(place: u64) -> Result<u32> {
    u32::try_from(place)
        .map_err(|_| Error::new(Kind::TooLarge, "the image does not fit in a TIFF of 4 GiB"))
}
