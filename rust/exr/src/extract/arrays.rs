//! Images in memory, and the assets of a file as such.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use zerocopy::IntoBytes;

use super::file::{make, How};
use super::job::{Made, Sink};
use super::memory::Memory;
use super::wish::Wish;
use super::Range;
use crate::assets::numbers::Known;
use crate::assets::{Asset, Rules};
use crate::encode::{Format, Pixels, Shape};
use crate::error::{Error, Kind, Result};
use crate::read::Reading;

/// What the samples of an array are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// 8 bit.
    U8,
    /// 16 bit.
    U16,
    /// Bits of float16.
    F16,
    /// Bits of float32.
    F32,
    /// 32 bit.
    U32,
}

impl Values {
    /// Bytes of one.
    pub const fn size(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::U16 | Self::F16 => 2,
            Self::F32 | Self::U32 => 4,
        }
    }
}

/// An image in memory: row by row from the top, samples of a pixel together.
pub struct Array {
    /// Pixels in x.
    pub width: usize,
    /// Pixels in y.
    pub height: usize,
    /// Samples of a pixel.
    pub channels: usize,
    /// What they are.
    pub values: Values,
    /// All of them.
    pub memory: Memory,
    /// Rows that were put.
    rows: usize,
}

impl Array {
    /// An image of `width` x `height` pixels of `channels`, all of it 0.
    pub fn zeros((width, height): (usize, usize), channels: usize, values: Values) -> Result<Self> {
        let bytes = (width * height)
            .checked_mul(channels * values.size())
            .ok_or_else(|| Error::new(Kind::TooLarge, "too many channels for one array"))?;
        Ok(Self {
            width,
            height,
            channels,
            values,
            memory: Memory::zeros(bytes)?,
            rows: 0,
        })
    }

    /// Room for an image of `shape`.
    pub fn new(shape: Shape) -> Result<Self> {
        let values = match shape.samples {
            Format::Rgb8 | Format::Gray8 => Values::U8,
            Format::Gray16 => Values::U16,
            Format::Half(_) => Values::F16,
            Format::Float => Values::F32,
            Format::Uint => Values::U32,
        };
        let (channels, _) = shape.samples.size();
        Self::zeros((shape.width, shape.height), channels, values)
    }

    /// Puts the next row.
    pub fn row(&mut self, pixels: Pixels<'_>) {
        self.put(match pixels {
            Pixels::Bytes(row) => row,
            Pixels::Words(row) => row.as_bytes(),
            Pixels::Longs(row) => row.as_bytes(),
        });
    }

    /// Puts the next row as it lies in memory. One of zeros is there already, and pages that
    /// nobody writes cost nothing: most ranks of a cryptomatte are empty.
    pub fn put(&mut self, row: &[u8]) {
        let target = self.next_row();
        let is_zero = row
            .chunks(512)
            .all(|bytes| bytes.iter().fold(0, |any, byte| any | byte) == 0);
        if !is_zero && target.len() == row.len() {
            target.copy_from_slice(row);
        }
    }

    /// The memory of the next row; none behind the last.
    pub fn next_row(&mut self) -> &mut [u8] {
        let size = self.width * self.channels * self.values.size();
        let start = self.rows * size;
        self.rows += 1;
        let row = self.memory.bytes().get_mut(start..start + size);
        row.unwrap_or_default()
    }
}

/// What was read, and the rows that are 0 because the file lacks them.
pub struct Arrays {
    /// In the order of what was asked for.
    pub all: Vec<Result<Array>>,
    /// Only of partial reading.
    pub missing: Vec<Range>,
}

/// The assets of the file at `path`; one that cannot be made is an error of its own.
pub fn assets(
    path: &Path,
    assets: &[Asset],
    rules: Rules,
    reading: Reading,
    stop: &AtomicBool,
) -> Result<Arrays> {
    let wishes: Vec<Wish<'_>> = assets.iter().map(|&asset| Wish::Asset(asset)).collect();
    let how = How {
        rules,
        reading,
        stop,
    };
    let sink = |_: usize, shape: Shape| Ok(Sink::Array(Array::new(shape)?));
    let made = make(path, &wishes, &how, &mut Known::default(), &sink)
        .map_err(|error| error.at(path.display()))?;
    let array = |made: Made| match made {
        Made::Array(array) => Ok(array),
        Made::File(..) => Err(Error::new(Kind::Internal, "a file instead of an array")),
    };
    let fates = made.fates.into_iter();
    Ok(Arrays {
        all: fates
            .map(|fate| {
                fate.and_then(array)
                    .map_err(|error| error.at(path.display()))
            })
            .collect(),
        missing: made.missing,
    })
}
