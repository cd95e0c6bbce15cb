//! From the bytes of rows to a zlib stream (RFC 1950) or a strip of LZW, in the way of a mode.

use libdeflater::Adler32;

use super::deflate::{Deflate, SLACK};
use super::lzw::lzw;
use super::zlib::{Strategy, Zlib};
use crate::error::Result;

/// One stream after another.
pub enum Coder {
    /// Stock zlib, whose bytes the original files have.
    Zlib(Zlib),
    /// The LZW of libtiff.
    Lzw,
    /// Our own deflate.
    Fast(Box<Fast>),
}

/// What our own deflate needs around it.
pub struct Fast {
    deflate: Deflate,
    section: usize,
    sum: Option<Adler32>,
}

impl Coder {
    /// Stock zlib.
    pub fn zlib(level: u8, window_bits: u8, strategy: Strategy) -> Result<Self> {
        Ok(Self::Zlib(Zlib::new(level, window_bits, strategy)?))
    }

    /// Our own deflate; its codes may change after every `section` bytes.
    pub fn fast(section: usize) -> Self {
        Self::Fast(Box::new(Fast {
            deflate: Deflate::new(),
            section,
            sum: None,
        }))
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
            Self::Fast(fast) => {
                let mut sum = fast.sum.take().unwrap_or_else(|| {
                    // A window of 32 KiB, the fastest level.
                    out.extend_from_slice(&[0x78, 0x01]);
                    Adler32::new()
                });
                sum.update(data);
                fast.deflate.pack(bytes, fast.section, last, out)?;
                if last {
                    out.extend_from_slice(&sum.sum().to_be_bytes());
                } else {
                    fast.sum = Some(sum);
                }
                Ok(())
            }
        }
    }
}
