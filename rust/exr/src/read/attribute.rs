//! Attributes of the header, and those that describe pixels.

use std::collections::HashSet;
use std::io::{Cursor, Read, Seek};

use crate::error::{Error, Kind, Result};
use crate::read::input::{reserve, Input};

/// Longest side of an image, in pixels.
pub const MAX_SIDE: usize = 65_536;
/// Most pixels of an image.
pub const MAX_AREA: usize = 1 << 28;
/// Longest name of a channel or an attribute, in bytes.
pub const MAX_NAME: usize = 255;
const MAX_CHANNELS: usize = 1024;

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

    /// All pixels of `other` are in it.
    pub const fn covers(&self, other: Self) -> bool {
        self.corners[0] <= other.corners[0]
            && self.corners[1] <= other.corners[1]
            && self.corners[2] >= other.corners[2]
            && self.corners[3] >= other.corners[3]
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

/// Text up to a zero byte.
pub fn word<R: Read + Seek>(input: &mut Input<R>) -> Result<String> {
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

/// The `chlist` attribute.
pub fn channels(list: &[u8]) -> Result<Vec<Channel>> {
    let mut input = Input::new(Cursor::new(list))?;
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

/// A `box2i` attribute that is a window.
pub fn window(value: &[u8], name: &str) -> Result<Window> {
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

/// The `tiledesc` attribute.
pub fn tiles(value: &[u8]) -> Result<Tiles> {
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
