//! Channels and assets into memory.

use std::fs::File;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::file::{make, note, How};
use super::job::{Made, Sink};
use super::wish::Wish;
use super::Range;
use crate::assets::numbers::Known;
use crate::assets::{Asset, Rules};
use crate::encode::{Format, Pixels, Shape};
use crate::error::{Error, Kind, Result};
use crate::read::attribute::SampleType;
use crate::read::channels::size;
use crate::read::header::Header;
use crate::read::input::reserve;
use crate::read::{find, Input, Place, Reading, Row, Rows, Samples};

/// Samples row by row from the top, channels together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Values {
    /// 8 bit.
    U8(Vec<u8>),
    /// 16 bit.
    U16(Vec<u16>),
    /// Bits of float16.
    F16(Vec<u16>),
    /// Bits of float32.
    F32(Vec<u32>),
    /// 32 bit.
    U32(Vec<u32>),
}

/// An image in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Array {
    /// Pixels in x.
    pub width: usize,
    /// Pixels in y.
    pub height: usize,
    /// Samples of a pixel.
    pub channels: usize,
    /// All of them.
    pub values: Values,
}

impl Array {
    /// Room for an image of `shape`, still empty.
    pub fn new(shape: Shape) -> Result<Self> {
        let (channels, _) = shape.samples.size();
        let count = shape.width * shape.height * channels;
        Ok(Self {
            width: shape.width,
            height: shape.height,
            channels,
            values: match shape.samples {
                Format::Rgb8 | Format::Gray8 => Values::U8(reserve(count)?),
                Format::Gray16 => Values::U16(reserve(count)?),
                Format::Half(_) => Values::F16(reserve(count)?),
                Format::Float => Values::F32(reserve(count)?),
                Format::Uint => Values::U32(reserve(count)?),
            },
        })
    }

    /// Adds a row of its type.
    pub fn row(&mut self, pixels: Pixels<'_>) {
        match (&mut self.values, pixels) {
            (Values::U8(all), Pixels::Bytes(row)) => all.extend_from_slice(row),
            (Values::U16(all) | Values::F16(all), Pixels::Words(row)) => all.extend_from_slice(row),
            (Values::F32(all) | Values::U32(all), Pixels::Longs(row)) => all.extend_from_slice(row),
            _ => {}
        }
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

/// The channels `names` of the file at `path` in one array, in that order. float16 beside
/// float32 becomes float32; whole numbers stand beside themselves only.
pub fn channels(
    path: &Path,
    names: &[String],
    reading: Reading,
    stop: &AtomicBool,
) -> Result<Arrays> {
    let read = || -> Result<Arrays> {
        let mut input =
            Input::new(File::open(path).map_err(|error| Error::io(&error, "open", path))?)?;
        let header = Header::read(&mut input)?;
        let places = places(&header, names)?;
        let kind = common(&header, &places)?;
        let (width, height) = size(&header);
        let mut array = empty(width, height, places.len(), kind)?;
        let mut missing = Vec::new();
        let mut rows = Rows::new(input, &header, &places, reading)?;
        while let Some(row) = rows.next(stop)? {
            if !row.is_whole {
                note(&mut missing, row.y);
            }
            weave(&mut array, &row);
        }
        Ok(Arrays {
            all: vec![Ok(array)],
            missing,
        })
    };
    crate::guard::quietly(read)
        .unwrap_or_else(|| Err(Error::new(Kind::Internal, "a fault in the reader")))
        .map_err(|error| {
            let is_placed = error.message.contains(&path.display().to_string());
            if is_placed || error.kind == Kind::Cancelled {
                error
            } else {
                error.at(path.display())
            }
        })
}

fn places(header: &Header, names: &[String]) -> Result<Vec<Place>> {
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    // Together if they are in one part, for R may be in many.
    let together = find(header, &all);
    let one = |name: &&str| {
        let found = find(header, &[name])?;
        found.first().copied()
    };
    let found = match together {
        Some(places) => places,
        None => match all.iter().map(one).collect() {
            Some(places) => places,
            None => {
                let missing = all.iter().find(|name| one(name).is_none());
                let words = format!("no channel {}", missing.unwrap_or(&""));
                return Err(Error::new(Kind::MissingChannel, words));
            }
        },
    };
    for place in &found {
        let part = &header.parts[place.part];
        if let Some(reason) = part.unreadable() {
            return Err(Error::unsupported(reason));
        }
    }
    if found.is_empty() {
        return Err(Error::new(Kind::Usage, "no channel is named"));
    }
    Ok(found)
}

/// The type that holds all of them without loss.
fn common(header: &Header, places: &[Place]) -> Result<SampleType> {
    let kinds = places
        .iter()
        .map(|place| header.parts[place.part].channels[place.channel].kind);
    let mut common = None;
    for kind in kinds {
        common = match (common, kind) {
            (None, kind) => Some(kind),
            (Some(common), kind) if common == kind => Some(kind),
            (Some(SampleType::Uint), _) | (Some(_), SampleType::Uint) => {
                return Err(Error::new(
                    Kind::Usage,
                    "whole numbers and floats do not fit in one array",
                )
                .hint("read them one after the other"));
            }
            _ => Some(SampleType::Float),
        };
    }
    common.ok_or_else(|| Error::new(Kind::Usage, "no channel is named"))
}

fn empty(width: usize, height: usize, channels: usize, kind: SampleType) -> Result<Array> {
    let count = (width * height)
        .checked_mul(channels)
        .ok_or_else(|| Error::new(Kind::TooLarge, "too many channels for one array"))?;
    Ok(Array {
        width,
        height,
        channels,
        values: match kind {
            SampleType::Half => Values::F16(reserve(count)?),
            SampleType::Float => Values::F32(reserve(count)?),
            SampleType::Uint => Values::U32(reserve(count)?),
        },
    })
}

/// Adds a row, sample beside sample.
fn weave(array: &mut Array, row: &Row<'_>) {
    let step = array.channels;
    let count = step * array.width;
    for channel in 0..step {
        match (&mut array.values, row.channel(channel)) {
            (Values::F16(all), Samples::Half(from)) => {
                put(all, count, channel, step, from, |bits| bits)
            }
            (Values::F32(all), Samples::Half(from)) => {
                put(all, count, channel, step, from, |bits| {
                    half::f16::from_bits(bits).to_f32().to_bits()
                })
            }
            (Values::F32(all) | Values::U32(all), Samples::Float(from) | Samples::Uint(from)) => {
                put(all, count, channel, step, from, |bits| bits);
            }
            _ => {}
        }
    }
}

/// Writes every `step`-th sample of the row that the first channel adds.
fn put<T: Copy + Default, S: Copy>(
    all: &mut Vec<T>,
    count: usize,
    channel: usize,
    step: usize,
    from: &[S],
    convert: impl Fn(S) -> T,
) {
    if step == 1 {
        all.extend(from.iter().map(|&sample| convert(sample)));
        return;
    }
    if channel == 0 {
        all.resize(all.len() + count, T::default());
    }
    let begin = all.len() - count + channel;
    for (to, &sample) in all[begin..].iter_mut().step_by(step).zip(from) {
        *to = convert(sample);
    }
}
