//! One image of the file: its form, whether it can be read here, how it is cut.

use crate::error::{Error, Kind, Result};
use crate::read::attribute::{channels, tiles, window, Attribute, Channel, Tiles, Window};
use crate::read::compression::Compression;

/// Largest block before compression, in bytes; what it may cost to read is said in `plausible`.
const MAX_BLOCK: u64 = 256 << 20;

/// What the version field says of the whole file.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// Several parts, each with a type of its own.
    pub multi_part: bool,
    /// The single part is cut into tiles.
    pub tiled: bool,
    /// Some part holds deep samples.
    pub deep: bool,
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

impl Part {
    /// A part of these attributes, every size checked.
    pub fn new(attributes: Vec<Attribute>, form: Form) -> Result<Self> {
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
        let (tiled, deep) = if form.multi_part {
            (
                kind == "tiledimage" || kind == "deeptile",
                kind.starts_with("deep"),
            )
        } else {
            (form.tiled, form.deep || kind.starts_with("deep"))
        };
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

    /// Blocks of the largest level.
    pub fn blocks(&self) -> usize {
        let (x, y) = self.block_size();
        self.data_window.width().div_ceil(x) * self.data_window.height().div_ceil(y)
    }

    /// Bytes of the largest level before compression.
    pub fn raw_bytes(&self) -> u64 {
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
