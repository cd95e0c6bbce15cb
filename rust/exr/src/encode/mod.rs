//! From rows of pixels to the bytes of a file.
//!
//! `png` and `tiff` are the files; `filter` takes from a row what its neighbours tell, `coder`
//! packs what is left: with stock `zlib` and `lzw`, byte for byte as the original service did, with
//! our own `deflate`, or with libdeflate.

mod coder;
mod deflate;
mod filter;
mod lzw;
mod npy;
mod png;
mod tiff;
mod wide;
mod zlib;

use std::io::{self, Cursor, Seek, SeekFrom, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use zerocopy::IntoBytes;

use self::npy::Npy;
use self::png::Png;
use self::tiff::Tiff;
use crate::error::{Error, Kind, Result};

/// Whose bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The original service's, byte for byte.
    Exact,
    /// The same pixels, packed faster.
    Fast,
    /// The same pixels in fewer bytes, slowly.
    Small,
}

impl Mode {
    /// The mode of a word.
    pub fn parse(word: &str) -> Result<Self> {
        match word {
            "exact" => Ok(Self::Exact),
            "fast" => Ok(Self::Fast),
            "small" => Ok(Self::Small),
            _ => Err(Error::new(Kind::Usage, format!("not a mode: {word:?}"))
                .hint("known: exact, fast, small")),
        }
    }
}

/// Samples of a pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Three of 8 bits: PNG.
    Rgb8,
    /// One of 8 bits: TIFF.
    Gray8,
    /// One of 16 bits: PNG.
    Gray16,
    /// So many float16 bits: TIFF.
    Half(usize),
    /// One float32: TIFF.
    Float,
    /// One of 32 bits: TIFF.
    Uint,
}

impl Format {
    /// Samples of a pixel, and bytes of a sample.
    pub const fn size(self) -> (usize, usize) {
        match self {
            Self::Rgb8 => (3, 1),
            Self::Gray8 => (1, 1),
            Self::Gray16 => (1, 2),
            Self::Half(channels) => (channels, 2),
            Self::Float | Self::Uint => (1, 4),
        }
    }
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Pixels in x, 1 to 65,536.
    pub width: usize,
    /// Pixels in y, 1 to 65,536.
    pub height: usize,
    /// What a pixel is.
    pub samples: Format,
}

impl Shape {
    /// Bytes of all its samples, if there can be so many.
    pub fn bytes(self) -> Option<usize> {
        let (channels, size) = self.samples.size();
        let area = self.width.checked_mul(self.height)?;
        area.checked_mul(channels * size)
    }
}

/// A row of samples, channels together.
#[derive(Clone, Copy, Debug)]
pub enum Pixels<'a> {
    /// Of 8 bits.
    Bytes(&'a [u8]),
    /// Of 16 bits, or the bits of float16.
    Words(&'a [u16]),
    /// Of 32 bits, or the bits of float32.
    Longs(&'a [u32]),
}

/// A file that grows by rows, from the top; holds a strip or block of them, never the image.
pub struct Encoder<W> {
    file: File<W>,
    shape: Shape,
    left: usize,
}

enum File<W> {
    Png(Png<W>),
    Tiff(Tiff<W>),
    Npy(Npy<W>),
}

impl<W: Write + Seek> Encoder<W> {
    /// Begins a PNG or TIFF, whichever the platform makes of such samples, in the empty `out`.
    pub fn new(out: W, shape: Shape, mode: Mode) -> Result<Self> {
        check(shape)?;
        let out = Sink::new(out);
        let file = match shape.samples {
            Format::Rgb8 | Format::Gray16 => File::Png(Png::new(out, shape, mode)?),
            _ => File::Tiff(Tiff::new(out, shape, mode)?),
        };
        Ok(Self::of(file, shape))
    }

    /// Begins a `.npy`, numpy's own file of one array, in the empty `out`.
    pub fn npy(out: W, shape: Shape) -> Result<Self> {
        check(shape)?;
        let file = File::Npy(Npy::new(Sink::new(out), shape)?);
        Ok(Self::of(file, shape))
    }

    const fn of(file: File<W>, shape: Shape) -> Self {
        Self {
            file,
            shape,
            left: shape.height,
        }
    }

    /// The next row: samples of the file's format, as many as fit in its width.
    pub fn row(&mut self, pixels: Pixels<'_>) -> Result<()> {
        let (channels, size) = self.shape.samples.size();
        let (found, of) = match pixels {
            Pixels::Bytes(bytes) => (bytes.len(), 1),
            Pixels::Words(words) => (words.len(), 2),
            Pixels::Longs(longs) => (longs.len(), 4),
        };
        if found != self.shape.width * channels || of != size || self.left == 0 {
            return Err(wrong("a row does not fit the image"));
        }
        self.left -= 1;
        match &mut self.file {
            File::Png(file) => file.row(pixels),
            File::Tiff(file) => file.row(pixels),
            File::Npy(file) => file.row(pixels),
        }
    }

    /// Ends the file, all of whose rows must be there.
    pub fn finish(self) -> Result<W> {
        if self.left > 0 {
            return Err(wrong("an image lacks rows"));
        }
        match self.file {
            File::Png(file) => file.finish(),
            File::Tiff(file) => file.finish(),
            File::Npy(file) => file.finish(),
        }
    }
}

fn check(shape: Shape) -> Result<()> {
    const SIDES: std::ops::RangeInclusive<usize> = 1..=65_536;
    let channels = shape.samples.size().0;
    if !SIDES.contains(&shape.width)
        || !SIDES.contains(&shape.height)
        || !(1..=4).contains(&channels)
    {
        return Err(wrong(&format!(
            "no image has {} x {} pixels of {channels} samples",
            shape.width, shape.height
        )));
    }
    Ok(())
}

fn wrong(words: &str) -> Error {
    Error::new(Kind::Usage, words)
}

/// `size` more bytes of zero, or an error instead of the end of the process.
fn extend(bytes: &mut Vec<u8>, size: usize) -> Result<()> {
    bytes.try_reserve(size).map_err(|_| {
        Error::new(
            Kind::TooLarge,
            format!("not enough memory for {size} bytes"),
        )
    })?;
    bytes.resize(bytes.len() + size, 0);
    Ok(())
}

/// Where the bytes of a file go.
struct Sink<W> {
    out: W,
    written: u64,
}

impl<W: Write + Seek> Sink<W> {
    const fn new(out: W) -> Self {
        Self { out, written: 0 }
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.written += bytes.len() as u64;
        self.out.write_all(bytes).map_err(|error| trouble(&error))
    }

    /// Writes again what is at `place`.
    fn put_at(&mut self, place: u64, bytes: &[u8]) -> Result<()> {
        self.out
            .seek(SeekFrom::Start(place))
            .and_then(|_| self.out.write_all(bytes))
            .and_then(|()| self.out.seek(SeekFrom::End(0)))
            .map_err(|error| trouble(&error))?;
        Ok(())
    }

    fn end(mut self) -> Result<W> {
        self.out.flush().map_err(|error| trouble(&error))?;
        Ok(self.out)
    }
}

fn trouble(error: &io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Kind::DiskFull,
        _ => Kind::Disk,
    };
    Error::new(kind, format!("cannot write: {error}"))
}

/// The bytes of a whole image's file. `next` writes the samples of each row, little endian, from
/// the top. Ends early when `stop` is set: the exact bytes of a large TIFF take seconds.
pub fn encode(
    shape: Shape,
    mode: Mode,
    stop: &AtomicBool,
    mut next: impl FnMut(&mut [u8]),
) -> Result<Vec<u8>> {
    let mut encoder = Encoder::new(Cursor::new(Vec::new()), shape, mode)?;
    let (channels, size) = shape.samples.size();
    let count = shape.width * channels;
    let (mut bytes, mut words, mut longs) = (Vec::new(), Vec::new(), Vec::new());
    match size {
        1 => bytes.resize(count, 0_u8),
        2 => words.resize(count, 0_u16),
        _ => longs.resize(count, 0_u32),
    }
    for _ in 0..shape.height {
        if stop.load(Ordering::Relaxed) {
            return Err(Error::cancelled());
        }
        encoder.row(match size {
            1 => {
                next(&mut bytes);
                Pixels::Bytes(&bytes)
            }
            2 => {
                next(words.as_mut_bytes());
                Pixels::Words(&words)
            }
            _ => {
                next(longs.as_mut_bytes());
                Pixels::Longs(&longs)
            }
        })?;
    }
    Ok(encoder.finish()?.into_inner())
}

#[cfg(test)]
mod tests;
