//! Unpacks one block.
//!
//! None, RLE, ZIPS and ZIP are done here; the wavelet and lossy kinds by the `exr` crate, whose
//! claims about memory are checked first and whose panics become errors.

use std::collections::HashMap;

use exr::compression::Compression as Method;
use exr::math::Vec2;
use exr::meta::attribute::{
    ChannelDescription, IntegerBounds, LineOrder, SampleType as Sample, Text,
};
use exr::meta::header::Header as CrateHeader;
use exr::meta::BlockDescription;

use crate::error::{Error, Result};
use crate::guard;
use crate::read::attribute::SampleType;
use crate::read::compression::Compression;
use crate::read::inflate::{Inflate, ROOM};
use crate::read::input::{grow, reserve, Padded};
use crate::read::part::Part;
use crate::read::plausible::{self, COPIES};

/// What unpacking gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Samples as they are.
    Raw,
    /// As `predictor` leaves them.
    Split,
}

/// Size and need of one block.
#[derive(Clone, Copy)]
pub struct Shape {
    /// Pixels in x and y.
    pub size: (usize, usize),
    /// Bytes of all its samples.
    pub length: usize,
    /// Bytes from its start that are wanted of raw samples.
    pub raw: usize,
    /// The same of split ones.
    pub split: usize,
}

/// Unpacks blocks of one part; keeps its memory from block to block.
pub struct Decoder {
    compression: Compression,
    channels: usize,
    /// What each block costs the crate whatever is in it.
    overhead: u64,
    header: Option<CrateHeader>,
    inflate: Inflate,
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
            channels: part.channels.len(),
            overhead: plausible::overhead(part),
            header: crate_header(part),
            inflate: Inflate::new()?,
        })
    }

    /// What unpacking so many bytes of a block costs the crate, as `Budget` counts it.
    pub const fn cost(&self, packed: usize, shape: Shape) -> u64 {
        if self.compression.is_own() || packed == shape.length {
            0
        } else {
            self.overhead + shape.length as u64
        }
    }

    /// What is wanted of a block to `out` from `start` on, which grows as it must.
    pub fn unpack(
        &mut self,
        packed: Padded<'_>,
        shape: Shape,
        out: &mut Vec<u8>,
        start: usize,
    ) -> Result<Form> {
        let bytes = packed.bytes();
        // The format's rule for all kinds: what did not shrink is stored as it is.
        if bytes.len() == shape.length {
            grow(out, start + shape.raw)?;
            out[start..start + shape.raw].copy_from_slice(&bytes[..shape.raw]);
            return Ok(Form::Raw);
        }
        if let Some(expansion) = self.compression.expansion() {
            if shape.length as u64 > bytes.len() as u64 * expansion {
                return Err(Error::invalid(format!(
                    "its {} packed bytes cannot hold {}",
                    bytes.len(),
                    shape.length
                )));
            }
        }
        match self.compression {
            Compression::NONE => Err(Error::invalid("its size is wrong")),
            Compression::RLE => {
                grow(out, start + shape.length)?;
                runs(bytes, &mut out[start..start + shape.length], shape.split)?;
                Ok(Form::Split)
            }
            Compression::ZIPS | Compression::ZIP => {
                grow(out, start + shape.length + ROOM)?;
                self.inflate
                    .inflate(packed, &mut out[start..], shape.length, shape.split)?;
                Ok(Form::Split)
            }
            _ => {
                let raw = self.by_crate(bytes, shape)?;
                if start == 0 {
                    *out = raw;
                    return Ok(Form::Raw);
                }
                grow(out, start + shape.raw)?;
                out[start..start + shape.raw].copy_from_slice(&raw[..shape.raw]);
                Ok(Form::Raw)
            }
        }
    }

    fn by_crate(&self, packed: &[u8], shape: Shape) -> Result<Vec<u8>> {
        let Shape { size, length, .. } = shape;
        if matches!(self.compression, Compression::DWAA | Compression::DWAB) {
            check_dwa(packed, size, self.channels, length)?;
        }
        let Some(header) = &self.header else {
            return Err(Error::unsupported("this compression is not read"));
        };
        // The crate cannot say that there is no memory: the process would end.
        drop(reserve::<u8>(length * COPIES as usize)?);
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
            Some(Ok(bytes)) if bytes.len() == length => Ok(bytes),
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
/// often, less one, the next byte stands. Ends when `need` bytes are there.
fn runs(packed: &[u8], out: &mut [u8], need: usize) -> Result<()> {
    let damaged = || Error::invalid("its packed bytes are damaged");
    let (mut from, mut to) = (0, 0);
    while from < packed.len() && (to < need || need == out.len()) {
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
    if to == out.len() || need < out.len() && to >= need {
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

/// A name for the crate, which takes no letters beyond Latin 1, that DWA treats as it treats `name`: it
/// looks at what stands behind the last dot, and which channels have the same before it.
fn alias<'a>(name: &'a str, layers: &mut HashMap<&'a str, usize>) -> Text {
    let made = name.rsplit_once('.').map(|(layer, short)| {
        let next = layers.len();
        format!("{}.{short}", layers.entry(layer).or_insert(next))
    });
    Text::new_or_none(made.as_deref().unwrap_or(name)).unwrap_or_default()
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
    let mut layers = HashMap::new();
    let channels = part
        .channels
        .iter()
        .map(|channel| ChannelDescription {
            name: alias(&channel.name, &mut layers),
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
