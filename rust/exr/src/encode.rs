//! From an image to the bytes of its file.

use std::sync::atomic::AtomicBool;

use libdeflater::{CompressionLvl, Compressor};

use self::png::{png, Samples};
use crate::assets::{Image, Pixels};
use crate::error::{Error, Kind, Result};
use crate::read::input::reserve;

mod lzw;
mod png;
mod tiff;
mod zlib;

/// Whose bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The original service's, byte for byte.
    Exact,
    /// The same pixels, packed faster.
    Fast,
}

impl Mode {
    /// The mode of a word.
    pub fn parse(word: &str) -> Result<Self> {
        match word {
            "exact" => Ok(Self::Exact),
            "fast" => Ok(Self::Fast),
            _ => {
                Err(Error::new(Kind::Usage, format!("not a mode: {word:?}"))
                    .hint("known: exact, fast"))
            }
        }
    }
}

/// The file's bytes: PNG for colours and ids, TIFF for the rest. Ends early when `stop` is set:
/// the exact bytes of a large TIFF take seconds.
pub fn encode(image: &Image, mode: Mode, stop: &AtomicBool) -> Result<Vec<u8>> {
    let (width, height) = (image.width, image.height);
    match &image.pixels {
        Pixels::Bytes(1, bytes) => tiff::bytes(width, height, bytes, mode),
        Pixels::Bytes(channels, bytes) => {
            png(width, height, Samples::Bytes(*channels, bytes), mode)
        }
        Pixels::Shorts(words) => png(width, height, Samples::Shorts(words), mode),
        Pixels::Halves(channels, words) => {
            tiff::halves((width, height, *channels), words, mode, stop)
        }
    }
}

/// A zlib stream in little time.
pub fn fast_zlib(data: &[u8]) -> Result<Vec<u8>> {
    let failed = || Error::new(Kind::Internal, "cannot pack an image");
    let level = CompressionLvl::new(1).map_err(|_| failed())?;
    let mut compressor = Compressor::new(level);
    let bound = compressor.zlib_compress_bound(data.len());
    let mut out: Vec<u8> = reserve(bound)?;
    out.resize(bound, 0);
    let size = compressor
        .zlib_compress(data, &mut out)
        .map_err(|_| failed())?;
    out.truncate(size);
    Ok(out)
}
