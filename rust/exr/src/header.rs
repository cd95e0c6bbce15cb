//! The header, read with limits before anything is believed.
//!
//! Layout: "OpenEXR File Layout" of the OpenEXR project. Every size and count is checked here,
//! so that the rest of the crate can allocate by them.

use std::collections::HashSet;
use std::io::{Read, Seek};

use crate::compression::Compression;
use crate::error::{Error, Kind, Result};
use crate::input::{reserve, Input};

/// Longest side of an image, in pixels.
pub const MAX_SIDE: usize = 65_536;
/// Most pixels of an image.
pub const MAX_AREA: usize = 1 << 28;
/// Longest name of a channel or an attribute, in bytes.
pub const MAX_NAME: usize = 255;
const MAX_PARTS: usize = 64;
const MAX_CHANNELS: usize = 1024;
const MAX_ATTRIBUTES: usize = 4096;
const MAX_ATTRIBUTE: usize = 32 << 20;
const MAX_ALL_ATTRIBUTES: usize = 64 << 20;
/// Largest block before compression, in bytes.
const MAX_BLOCK: u64 = 256 << 20;

const MAGIC: [u8; 4] = [0x76, 0x2f, 0x31, 0x01];
const TILED: u32 = 0x200;
const LONG_NAMES: u32 = 0x400;
const DEEP: u32 = 0x800;
const MULTI_PART: u32 = 0x1000;

/// Type of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleType {
    /// 32-bit unsigned.
    Uint,
    /// float16.
    Half,
    /// float32.
    Float,
}

impl SampleType {
    /// Bytes of one sample.
    pub const fn size(self) -> usize {
        match self {
            Self::Half => 2,
            Self::Uint | Self::Float => 4,
        }
    }

    /// Its name in the format.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Uint => "uint",
            Self::Half => "half",
            Self::Float => "float",
        }
    }
}

/// One channel of a part.
#[derive(Clone, Debug)]
pub struct Channel {
    /// Full name, as `segmentation00.R`.
    pub name: String,
    /// Type of its samples.
    pub kind: SampleType,
    /// A hint to lossy compressions.
    pub linear: bool,
    /// One sample per so many pixels in x and y.
    pub sampling: (i32, i32),
}

/// An attribute as it lies in the file.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Its type's name.
    pub kind: String,
    /// Its bytes.
    pub value: Vec<u8>,
}

/// A rectangle of pixels, both corners inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Left, top, right, bottom.
    pub corners: [i32; 4],
}

impl Window {
    /// Pixels in x.
    pub const fn width(&self) -> usize {
        (self.corners[2] as i64 - self.corners[0] as i64 + 1) as usize
    }

    /// Pixels in y.
    pub const fn height(&self) -> usize {
        (self.corners[3] as i64 - self.corners[1] as i64 + 1) as usize
    }
}

/// How a tiled part is cut.
#[derive(Clone, Copy, Debug)]
pub struct Tiles {
    /// Pixels of a tile in x and y.
    pub size: (usize, usize),
    /// 0 one level, 1 mipmap, 2 ripmap.
    pub levels: u8,
    /// Level sizes round up instead of down.
    pub round_up: bool,
}

/// One image of the file.
#[derive(Clone, Debug)]
pub struct Part {
    /// The `name` attribute; empty in most single-part files.
    pub name: String,
    /// Channels in file order.
    pub channels: Vec<Channel>,
    /// How blocks are packed.
    pub compression: Compression,
    /// Pixels that are stored.
    pub data_window: Window,
    /// Pixels that are shown: the size of the images made here.
    pub display_window: Window,
    /// Cut into tiles, or else into lines.
    pub tiles: Option<Tiles>,
    /// Holds deep samples.
    pub deep: bool,
    /// Entries of its offset table; 0 when the part cannot be read.
    pub chunks: u64,
    /// Every attribute, those above included.
    pub attributes: Vec<Attribute>,
}

/// What stands before the pixels.
#[derive(Clone, Debug)]
pub struct Header {
    /// At least one.
    pub parts: Vec<Part>,
    /// Chunks carry a part number.
    pub multi_part: bool,
    /// Offset of the first offset table.
    pub end: u64,
}

impl Header {
    /// Reads and checks everything up to the offset tables.
    pub fn read<R: Read + Seek>(input: &mut Input<R>) -> Result<Self> {
        if input.length() < 8 || input.array::<4>()? != MAGIC {
            return Err(Error::invalid("not an OpenEXR file"));
        }
        let flags = u32::from_le_bytes(input.array()?);
        if flags & 0xff != 2 {
            return Err(Error::unsupported(format!(
                "OpenEXR version {} is not read",
                flags & 0xff
            )));
        }
        if flags & !(0xff | TILED | LONG_NAMES | DEEP | MULTI_PART) != 0 {
            return Err(Error::unsupported(format!(
                "unknown format flags {flags:#x}"
            )));
        }
        let multi_part = flags & MULTI_PART != 0;
        let mut budget = MAX_ALL_ATTRIBUTES;
        let mut parts = Vec::new();
        loop {
            let attributes = attributes(input, &mut budget)
                .map_err(|error| error.at(format!("header of part {}", parts.len())))?;
            if multi_part && attributes.is_empty() {
                break;
            }
            let part = Part::new(attributes, flags)
                .map_err(|error| error.at(format!("header of part {}", parts.len())))?;
            parts.push(part);
            if !multi_part {
                break;
            }
            if parts.len() > MAX_PARTS {
                return Err(Error::new(
                    Kind::TooLarge,
                    format!("more than {MAX_PARTS} parts"),
                ));
            }
        }
        if parts.is_empty() {
            return Err(Error::invalid("the file has no part"));
        }
        let header = Self {
            parts,
            multi_part,
            end: input.position(),
        };
        header.plausible(input.left())?;
        Ok(header)
    }

    /// The offset tables must fit in what is left, and the pixels must be able to come from it.
    fn plausible(&self, left: u64) -> Result<()> {
        let tables = self.parts.iter().map(|part| part.chunks * 8).sum::<u64>();
        if tables > left {
            return Err(Error::invalid(format!(
                "the offset tables need {tables} bytes, the file has {left} left"
            ))
            .hint("fetch or render the file again"));
        }
        for (index, part) in self.parts.iter().enumerate() {
            let Some(expansion) = part.compression.expansion() else {
                continue;
            };
            let raw = part.raw_bytes();
            if raw > (left - tables).saturating_mul(expansion) && part.unreadable().is_none() {
                return Err(Error::invalid(format!(
                    "part {index} claims {raw} bytes of pixels, which the file cannot hold"
                ))
                .hint("fetch or render the file again"));
            }
        }
        Ok(())
    }
}

impl Part {
    fn new(attributes: Vec<Attribute>, flags: u32) -> Result<Self> {
        let find = |name: &str| attributes.iter().find(|attribute| attribute.name == name);
        let need = |name: &str, kind: &str| {
            let found = find(name).ok_or_else(|| Error::invalid(format!("no {name}")))?;
            if found.kind == kind {
                Ok(found.value.as_slice())
            } else {
                Err(Error::invalid(format!("{name} is not a {kind}")))
            }
        };
        let text = |name: &str| {
            find(name).map_or_else(String::new, |found| {
                String::from_utf8_lossy(&found.value).into_owned()
            })
        };
        let kind = text("type");
        let deep = flags & DEEP != 0 && flags & MULTI_PART == 0 || kind.starts_with("deep");
        let tiled =
            kind.ends_with("tile") || kind == "tiledimage" || kind.is_empty() && flags & TILED != 0;
        let &[compression] = need("compression", "compression")? else {
            return Err(Error::invalid("compression is not one byte"));
        };
        let mut part = Self {
            name: text("name"),
            channels: channels(need("channels", "chlist")?)?,
            compression: Compression(compression),
            data_window: window(need("dataWindow", "box2i")?, "dataWindow")?,
            display_window: window(need("displayWindow", "box2i")?, "displayWindow")?,
            tiles: if tiled {
                Some(tiles(need("tiles", "tiledesc")?)?)
            } else {
                None
            },
            deep,
            chunks: 0,
            attributes: Vec::new(),
        };
        let stated = find("chunkCount").and_then(|found| found.value.as_slice().try_into().ok());
        part.attributes = attributes;
        if part.unreadable().is_some() {
            // Its table must still be stepped over when others follow.
            part.chunks = stated.map_or(0, |bytes| u32::from_le_bytes(bytes).into());
            return Ok(part);
        }
        part.chunks = part.count_chunks()?;
        if let Some(stated) = stated.map(i32::from_le_bytes) {
            if i64::from(stated) != part.chunks as i64 {
                return Err(Error::invalid(format!(
                    "chunkCount is {stated}, but the image needs {}",
                    part.chunks
                )));
            }
        }
        Ok(part)
    }

    /// Why its pixels are not read here, by name.
    pub fn unreadable(&self) -> Option<String> {
        if self.deep {
            return Some("deep samples are not read".to_owned());
        }
        if self.compression.lines().is_none() {
            return Some(format!(
                "{} compression (number {}) is not read",
                self.compression.name(),
                self.compression.0
            ));
        }
        let channel = self
            .channels
            .iter()
            .find(|channel| channel.sampling != (1, 1))?;
        Some(format!(
            "subsampled channels are not read ({})",
            channel.name
        ))
    }

    /// Bytes of one pixel, all channels together.
    pub fn pixel_bytes(&self) -> usize {
        self.channels
            .iter()
            .map(|channel| channel.kind.size())
            .sum()
    }

    /// Pixels of one whole block in x and y.
    pub fn block_size(&self) -> (usize, usize) {
        match self.tiles {
            Some(tiles) => tiles.size,
            None => (
                self.data_window.width(),
                self.compression.lines().unwrap_or(1),
            ),
        }
    }

    /// Bytes of the largest level before compression.
    fn raw_bytes(&self) -> u64 {
        let area = self.data_window.width() as u64 * self.data_window.height() as u64;
        area * self.pixel_bytes() as u64
    }

    /// Entries of the offset table, smaller levels included; checks the size of a block.
    fn count_chunks(&self) -> Result<u64> {
        let (width, height) = (self.data_window.width(), self.data_window.height());
        let (x, y) = self.block_size();
        let block = (x.min(width) * y.min(height)) as u64 * self.pixel_bytes() as u64;
        if block > MAX_BLOCK {
            return Err(Error::new(
                Kind::TooLarge,
                format!("blocks of {block} bytes are too large"),
            ));
        }
        let Some(tiles) = self.tiles else {
            return Ok(height.div_ceil(y) as u64);
        };
        let count = |w: usize, h: usize| w.div_ceil(x) as u64 * h.div_ceil(y) as u64;
        let (wide, high) = (
            levels(width, tiles.round_up),
            levels(height, tiles.round_up),
        );
        Ok(match tiles.levels {
            0 => count(width, height),
            1 => (0..levels(width.max(height), tiles.round_up).len())
                .map(|level| {
                    count(
                        wide.get(level).copied().unwrap_or(1),
                        high.get(level).copied().unwrap_or(1),
                    )
                })
                .sum(),
            _ => wide
                .iter()
                .flat_map(|&w| high.iter().map(move |&h| count(w, h)))
                .sum(),
        })
    }
}

/// Sizes of all levels of a side, largest first, down to 1.
fn levels(size: usize, round_up: bool) -> Vec<usize> {
    let mut sizes = vec![size];
    let mut now = size;
    while now > 1 {
        now = if round_up { now.div_ceil(2) } else { now / 2 };
        sizes.push(now);
    }
    sizes
}

fn attributes<R: Read + Seek>(input: &mut Input<R>, budget: &mut usize) -> Result<Vec<Attribute>> {
    let mut found = Vec::new();
    loop {
        let name = word(input)?;
        if name.is_empty() {
            return Ok(found);
        }
        let kind = word(input)?;
        let size = usize::try_from(input.int()?)
            .map_err(|_| Error::invalid(format!("attribute {name} has a negative size")))?;
        if size > MAX_ATTRIBUTE || size > *budget || found.len() >= MAX_ATTRIBUTES {
            return Err(Error::new(
                Kind::TooLarge,
                format!("attribute {name} is too large"),
            ));
        }
        *budget -= size;
        let value = input
            .vec(size)
            .map_err(|error| error.at(format!("attribute {name}")))?;
        found.push(Attribute { name, kind, value });
    }
}

/// Text up to a zero byte.
fn word<R: Read + Seek>(input: &mut Input<R>) -> Result<String> {
    let mut bytes = Vec::new();
    loop {
        match input.byte()? {
            0 => return Ok(String::from_utf8_lossy(&bytes).into_owned()),
            _ if bytes.len() >= MAX_NAME => {
                return Err(Error::invalid(format!(
                    "a name is longer than {MAX_NAME} bytes"
                )));
            }
            byte => bytes.push(byte),
        }
    }
}

fn channels(list: &[u8]) -> Result<Vec<Channel>> {
    let mut input = Input::new(std::io::Cursor::new(list))?;
    let mut found: Vec<Channel> = reserve(list.len().min(MAX_CHANNELS * 18) / 18 + 1)?;
    let mut names = HashSet::new();
    loop {
        let name = word(&mut input).map_err(|error| error.at("channel list"))?;
        if name.is_empty() {
            break;
        }
        let place = |error: Error| error.at(format!("channel {name}"));
        let kind = match input.int().map_err(place)? {
            0 => SampleType::Uint,
            1 => SampleType::Half,
            2 => SampleType::Float,
            other => return Err(Error::invalid(format!("channel {name} has type {other}"))),
        };
        let linear = input.array::<4>().map_err(place)?[0] != 0;
        let sampling = (input.int().map_err(place)?, input.int().map_err(place)?);
        if !names.insert(name.clone()) {
            return Err(Error::invalid(format!("channel {name} is there twice")));
        }
        if found.len() >= MAX_CHANNELS {
            return Err(Error::new(
                Kind::TooLarge,
                format!("more than {MAX_CHANNELS} channels"),
            ));
        }
        found.push(Channel {
            name,
            kind,
            linear,
            sampling,
        });
    }
    if found.is_empty() {
        return Err(Error::invalid("no channel"));
    }
    Ok(found)
}

fn window(value: &[u8], name: &str) -> Result<Window> {
    let bytes: [u8; 16] = value
        .try_into()
        .map_err(|_| Error::invalid(format!("{name} is not four numbers")))?;
    let mut corners = [0; 4];
    for (corner, bytes) in corners.iter_mut().zip(bytes.chunks_exact(4)) {
        *corner = bytes
            .iter()
            .rev()
            .fold(0, |number, &byte| number << 8 | i32::from(byte));
    }
    let [left, top, right, bottom] = corners.map(i64::from);
    let (width, height) = (right - left + 1, bottom - top + 1);
    if width < 1 || height < 1 {
        return Err(Error::invalid(format!("{name} is empty: {corners:?}")));
    }
    // Far corners leave no room for arithmetic with lines and tiles.
    if corners.iter().any(|corner| corner.unsigned_abs() > 1 << 30) {
        return Err(Error::invalid(format!(
            "{name} is out of bounds: {corners:?}"
        )));
    }
    let side = MAX_SIDE as i64;
    if width > side || height > side || width * height > MAX_AREA as i64 {
        return Err(Error::new(
            Kind::TooLarge,
            format!("{name} has {width} x {height} pixels"),
        ));
    }
    Ok(Window { corners })
}

fn tiles(value: &[u8]) -> Result<Tiles> {
    let &[x0, x1, x2, x3, y0, y1, y2, y3, mode] = value else {
        return Err(Error::invalid("tiles is not nine bytes"));
    };
    let size = (
        u32::from_le_bytes([x0, x1, x2, x3]),
        u32::from_le_bytes([y0, y1, y2, y3]),
    );
    let side = 1..=MAX_SIDE as u32;
    if !side.contains(&size.0) || !side.contains(&size.1) || mode & 0xf > 2 || mode >> 4 > 1 {
        return Err(Error::invalid(format!(
            "tiles of {} x {} (mode {mode})",
            size.0, size.1
        )));
    }
    Ok(Tiles {
        size: (size.0 as usize, size.1 as usize),
        levels: mode & 0xf,
        round_up: mode >> 4 == 1,
    })
}
