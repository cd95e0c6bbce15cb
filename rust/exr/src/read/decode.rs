//! Unpacks one block.
//!
//! None, RLE, ZIPS and ZIP are done here; the wavelet and lossy kinds by the `exr` crate, whose
//! claims about memory are checked first and whose panics become errors.

use exr::compression::Compression as Method;
use exr::math::Vec2;
use exr::meta::attribute::{
    ChannelDescription, IntegerBounds, LineOrder, SampleType as Sample, Text,
};
use exr::meta::header::Header as CrateHeader;
use exr::meta::BlockDescription;
use libdeflater::{DecompressionError, Decompressor};

use crate::error::{Error, Result};
use crate::guard;
use crate::read::attribute::SampleType;
use crate::read::compression::Compression;
use crate::read::part::Part;
use crate::read::predictor;

/// Unpacks blocks of one part; keeps its memory from block to block.
pub struct Decoder {
    compression: Compression,
    pixel_bytes: usize,
    channels: usize,
    header: Option<CrateHeader>,
    inflate: Decompressor,
    split: Vec<u8>,
    raw: Vec<u8>,
}

impl Decoder {
    /// A decoder for `part`, which must be readable.
    pub fn new(part: &Part) -> Result<Self> {
        if let Some(reason) = part.unreadable() {
            return Err(Error::unsupported(reason)
                .hint("write the file again as ZIPS, ZIP, PIZ or without compression"));
        }
        Ok(Self {
            compression: part.compression,
            pixel_bytes: part.pixel_bytes(),
            channels: part.channels.len(),
            header: crate_header(part),
            inflate: Decompressor::new(),
            split: Vec::new(),
            raw: Vec::new(),
        })
    }

    /// The samples of a block of `size` pixels.
    pub fn unpack(&mut self, packed: &[u8], size: (usize, usize)) -> Result<&[u8]> {
        let length = size.0 * size.1 * self.pixel_bytes;
        // The format's rule for all kinds: what did not shrink is stored as it is.
        if packed.len() == length {
            self.raw.clear();
            self.raw.extend_from_slice(packed);
            return Ok(&self.raw);
        }
        match self.compression {
            Compression::NONE => Err(Error::invalid("its size is wrong")),
            Compression::RLE => {
                self.split.resize(length, 0);
                runs(packed, &mut self.split)?;
                self.join()
            }
            Compression::ZIPS | Compression::ZIP => {
                self.split.resize(length, 0);
                match self.inflate.zlib_decompress(packed, &mut self.split) {
                    Ok(found) if found == length => self.join(),
                    Ok(found) => Err(Error::invalid(format!(
                        "it unpacks to {found} bytes, not {length}"
                    ))),
                    Err(DecompressionError::InsufficientSpace) => Err(Error::invalid(format!(
                        "it unpacks to more than {length} bytes"
                    ))),
                    Err(DecompressionError::BadData) => {
                        Err(Error::invalid("its packed bytes are damaged"))
                    }
                }
            }
            _ => self.by_crate(packed, size, length),
        }
    }

    fn join(&mut self) -> Result<&[u8]> {
        self.raw.resize(self.split.len(), 0);
        predictor::join(&mut self.split, &mut self.raw);
        Ok(&self.raw)
    }

    fn by_crate(&mut self, packed: &[u8], size: (usize, usize), length: usize) -> Result<&[u8]> {
        if matches!(self.compression, Compression::DWAA | Compression::DWAB) {
            check_dwa(packed, size, self.channels, length)?;
        }
        let Some(header) = &self.header else {
            return Err(Error::unsupported("this compression is not read"));
        };
        let section = IntegerBounds::new((0, 0), Vec2(size.0, size.1));
        let work = || {
            header.compression.decompress_image_section_from_le(
                header,
                packed.to_vec(),
                section,
                true,
            )
        };
        match guard::quietly(work) {
            Some(Ok(bytes)) if bytes.len() == length => {
                self.raw = bytes;
                Ok(&self.raw)
            }
            Some(Ok(_)) => Err(Error::invalid("it unpacks to a wrong size")),
            Some(Err(exr::error::Error::NotSupported(reason))) => Err(Error::unsupported(format!(
                "{} block: {reason}",
                self.compression.name()
            ))),
            Some(Err(error)) => Err(Error::invalid(format!(
                "its packed bytes are damaged ({error})"
            ))),
            None => Err(Error::invalid("its packed bytes are damaged")),
        }
    }
}

/// Undoes the runs: a count below 0 says how many bytes follow as they are, another one how
/// often, less one, the next byte stands.
fn runs(packed: &[u8], out: &mut [u8]) -> Result<()> {
    let damaged = || Error::invalid("its packed bytes are damaged");
    let (mut from, mut to) = (0, 0);
    while from < packed.len() {
        let count = i32::from(packed[from] as i8);
        from += 1;
        let length = if count < 0 { -count } else { count + 1 } as usize;
        let target = out.get_mut(to..to + length).ok_or_else(damaged)?;
        if count < 0 {
            target.copy_from_slice(packed.get(from..from + length).ok_or_else(damaged)?);
            from += length;
        } else {
            target.fill(*packed.get(from).ok_or_else(damaged)?);
            from += 1;
        }
        to += length;
    }
    if to == out.len() {
        Ok(())
    } else {
        Err(damaged())
    }
}

/// The crate sizes buffers by these counters, so none may exceed what the block can need.
///
/// Leader of a DWA block, eleven 64-bit numbers: version; sizes of the plain section unpacked and
/// packed; packed sizes of AC, DC and RLE; the RLE section before and after its runs; counts of
/// AC and DC values; the kind of AC coding.
fn check_dwa(packed: &[u8], size: (usize, usize), channels: usize, length: usize) -> Result<()> {
    let Some(leader) = packed.get(..88) else {
        // An empty block is all zero.
        return if packed.is_empty() {
            Ok(())
        } else {
            Err(Error::invalid("its DWA leader is cut off"))
        };
    };
    let mut numbers = [0_u64; 11];
    for (number, bytes) in numbers.iter_mut().zip(leader.chunks_exact(8)) {
        *number = bytes
            .iter()
            .rev()
            .fold(0, |sum, &byte| sum << 8 | u64::from(byte));
    }
    // Lossy channels are cut into blocks of 8 x 8, rounded up; one value each, and a mark.
    let cells = (size.0.div_ceil(8) * size.1.div_ceil(8) * channels) as u64;
    let (raw, body) = (length as u64, packed.len() as u64);
    let limits = [
        (1, raw),
        (2, body),
        (3, body),
        (4, body),
        (5, body),
        (6, 2 * raw + 64),
        (7, raw),
        (8, 64 * cells),
        (9, cells),
    ];
    match limits
        .iter()
        .find(|&&(index, limit)| numbers[index] > limit)
    {
        Some((index, _)) => Err(Error::invalid(format!(
            "number {index} of its DWA leader is too large"
        ))),
        None => Ok(()),
    }
}

/// What the `exr` crate must know of a part to unpack its blocks.
fn crate_header(part: &Part) -> Option<CrateHeader> {
    let method = match part.compression {
        Compression::PIZ => Method::PIZ,
        Compression::PXR24 => Method::PXR24,
        Compression::B44 => Method::B44,
        Compression::B44A => Method::B44A,
        Compression::DWAA => Method::DWAA(None),
        Compression::DWAB => Method::DWAB(None),
        _ => return None,
    };
    let channels = part
        .channels
        .iter()
        .map(|channel| ChannelDescription {
            // Only DWA looks at names, and only at plain ones.
            name: Text::new_or_none(&channel.name).unwrap_or_default(),
            sample_type: match channel.kind {
                SampleType::Uint => Sample::U32,
                SampleType::Half => Sample::F16,
                SampleType::Float => Sample::F32,
            },
            quantize_linearly: channel.linear,
            sampling: Vec2(1, 1),
        })
        .collect();
    let (width, height) = part.block_size();
    // Only the size of one block matters here, so the "image" is one block.
    let size = (width, height.max(method.scan_lines_per_block()));
    Some(
        CrateHeader::new(Text::default(), size, channels).with_encoding(
            method,
            BlockDescription::Tiles(exr::meta::attribute::TileDescription {
                tile_size: Vec2(size.0, size.1),
                level_mode: exr::meta::attribute::LevelMode::Singular,
                rounding_mode: exr::math::RoundingMode::Down,
            }),
            LineOrder::Increasing,
        ),
    )
}
