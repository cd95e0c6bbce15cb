//! From the bytes of rows to a zlib stream (RFC 1950) or a strip of LZW, in the way of a mode.

use libdeflater::{Adler32, CompressionLvl, Compressor};

use super::deflate::{Deflate, SLACK};
use super::extend;
use super::lzw::lzw;
use super::zlib::{last_block, Strategy, Zlib};
use crate::error::{Error, Kind, Result};

/// libdeflate's first level that weighs all ways to say a thing. Higher ones are much slower for
/// half a hundredth.
const LEVEL: i32 = 10;

/// One stream after another.
pub enum Coder {
    /// Stock zlib, whose bytes the original files have.
    Zlib(Zlib),
    /// The LZW of libtiff.
    Lzw,
    /// Deflate by others, in our frame.
    Framed(Box<Framed>),
}

/// What stands around a deflate stream.
pub struct Framed {
    packer: Packer,
    /// The checksum of a stream that has begun.
    sum: Option<Adler32>,
}

enum Packer {
    /// Our own; its codes may change after so many bytes.
    Fast(Deflate, usize),
    /// libdeflate's, which is there only while it packs: it takes some 10 MB.
    Small,
}

impl Coder {
    /// Stock zlib.
    pub fn zlib(level: u8, window_bits: u8, strategy: Strategy) -> Result<Self> {
        Ok(Self::Zlib(Zlib::new(level, window_bits, strategy)?))
    }

    /// Our own deflate; its codes may change after every `section` bytes. Rows of `row` bytes are
    /// compared with the one above, unless that is 0.
    pub fn fast(section: usize, row: usize) -> Self {
        Self::framed(Packer::Fast(Deflate::new(row), section))
    }

    /// libdeflate.
    pub fn small() -> Self {
        Self::framed(Packer::Small)
    }

    fn framed(packer: Packer) -> Self {
        Self::Framed(Box::new(Framed { packer, sum: None }))
    }

    /// Packs `bytes` but for their last `SLACK`, which are only there to be read, and appends
    /// what comes out to `out`. After the `last` the next ones begin another stream.
    pub fn pack(&mut self, bytes: &[u8], last: bool, out: &mut Vec<u8>) -> Result<()> {
        let data = &bytes[..bytes.len() - SLACK];
        match self {
            Self::Zlib(zlib) => zlib.pack(data, last, out),
            Self::Lzw => {
                lzw(data, out);
                Ok(())
            }
            Self::Framed(framed) => framed.pack(bytes, data, last, out),
        }
    }
}

impl Framed {
    fn pack(&mut self, bytes: &[u8], data: &[u8], last: bool, out: &mut Vec<u8>) -> Result<()> {
        let mut sum = self.sum.take().unwrap_or_else(|| {
            // A window of 32 KiB, the fastest level.
            out.extend_from_slice(&[0x78, 0x01]);
            Adler32::new()
        });
        sum.update(data);
        match &mut self.packer {
            Packer::Fast(deflate, section) => deflate.pack(bytes, *section, last, out)?,
            Packer::Small => whole(data, last, out)?,
        }
        if last {
            out.extend_from_slice(&sum.sum().to_be_bytes());
        } else {
            self.sum = Some(sum);
        }
        Ok(())
    }
}

/// libdeflate makes whole streams. One that is not the `last` gets another end: its last block is
/// marked as one of many, and an empty block fills its last byte.
fn whole(data: &[u8], last: bool, out: &mut Vec<u8>) -> Result<()> {
    let level = CompressionLvl::new(LEVEL).map_err(|_| failed())?;
    let mut compressor = Compressor::new(level);
    let before = out.len();
    let bound = compressor.deflate_compress_bound(data.len());
    extend(out, bound)?;
    let size = compressor
        .deflate_compress(data, &mut out[before..])
        .map_err(|_| failed())?;
    out.truncate(before + size);
    if last {
        return Ok(());
    }
    let (begin, end) = last_block(&out[before..])?;
    out[before + begin / 8] &= !(1 << (begin % 8));
    // Three zero bits say that the next block is stored; it begins with the next whole byte.
    let bytes = (end + 3).div_ceil(8);
    out.resize(before + bytes, 0);
    out.extend_from_slice(&[0, 0, 0xff, 0xff]);
    Ok(())
}

fn failed() -> Error {
    Error::new(Kind::Internal, "cannot pack an image")
}

#[cfg(test)]
mod tests {
    use libdeflater::Decompressor;

    use super::{Coder, SLACK};

    #[test]
    fn streams_in_pieces_are_one_stream() {
        let mut state = 1_u32;
        let mut random = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 24
        };
        for mut coder in [Coder::fast(999, 0), Coder::small()] {
            // Sizes that end at every bit of a byte; noise is stored, a byte or two is a block
            // of fixed codes.
            for (size, values) in (1..40_usize).zip([1, 2, 3, 9, 200, 256].into_iter().cycle()) {
                let size = size * size * 13;
                let data: Vec<u8> = (0..size).map(|_| (random() % values) as u8).collect();
                for piece in [size, size.div_ceil(3), 20_000] {
                    let mut stream = Vec::new();
                    for (index, part) in data.chunks(piece).enumerate() {
                        let mut padded = part.to_vec();
                        padded.resize(part.len() + SLACK, 0);
                        let last = (index + 1) * piece >= size;
                        coder.pack(&padded, last, &mut stream).unwrap();
                    }
                    let mut back = vec![0; size];
                    let found = Decompressor::new().zlib_decompress(&stream, &mut back);
                    assert_eq!(found, Ok(size));
                    assert!(back == data, "{size} {values} {piece}");
                }
            }
        }
    }
}
