//! Finding channels in parts, and reading them as planes.

use std::io::{Read, Seek};
use std::sync::atomic::AtomicBool;

use crate::error::{Error, Kind, Result};
use crate::read::attribute::SampleType;
use crate::read::header::Header;
use crate::read::input::{reserve, Input};
use crate::read::line::Samples;
use crate::read::part::Part;
use crate::read::rows::{Reading, Rows};

/// Most memory for the planes of one file.
const MAX_PLANES: usize = 8 << 30;

/// A channel of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Index of the part.
    pub part: usize,
    /// Index of the channel in it.
    pub channel: usize,
}

/// The samples of one channel over the display window; floats as their bits.
#[derive(Clone, Debug)]
pub enum Plane {
    /// float16.
    Half(Vec<u16>),
    /// float32.
    Float(Vec<u32>),
    /// Unsigned.
    Uint(Vec<u32>),
}

/// Where all of `names` are: in one part, or each in a part named like its layer.
pub fn find(header: &Header, names: &[&str]) -> Option<Vec<Place>> {
    let within = |part: usize| -> Option<Vec<Place>> {
        let channels = &header.parts[part].channels;
        names
            .iter()
            .map(|name| {
                let channel = channels.iter().position(|channel| channel.name == *name)?;
                Some(Place { part, channel })
            })
            .collect()
    };
    let mut order: Vec<usize> = (0..header.parts.len()).collect();
    // Plain R, G, B may be in every part of a file; the picture is in the part named so.
    order.sort_by_key(|&part| !is_picture(&header.parts[part]));
    order.into_iter().find_map(within).or_else(|| {
        names
            .iter()
            .map(|name| {
                let (layer, short) = name.rsplit_once('.')?;
                let part = header.parts.iter().position(|part| part.name == layer)?;
                let channels = &header.parts[part].channels;
                let channel = channels.iter().position(|channel| channel.name == short)?;
                Some(Place { part, channel })
            })
            .collect()
    })
}

fn is_picture(part: &Part) -> bool {
    ["", "rgba", "rgb", "beauty"].contains(&part.name.to_lowercase().as_str())
}

/// Size of the images that `header` gives: the display window of its first part.
pub fn size(header: &Header) -> (usize, usize) {
    let window = header.parts[0].display_window;
    (window.width(), window.height())
}

/// Reads the channels at `places`; pixels that no part stores are 0.
pub fn read<R: Read + Seek>(
    input: Input<R>,
    header: &Header,
    places: &[Place],
    stop: &AtomicBool,
) -> Result<Vec<Plane>> {
    let (width, height) = size(header);
    let mut rows = Rows::new(input, header, places, Reading::default())?;
    let kinds = || {
        places
            .iter()
            .map(|place| header.parts[place.part].channels[place.channel].kind)
    };
    let bytes: usize = kinds().map(|kind| kind.size() * width * height).sum();
    if bytes > MAX_PLANES {
        return Err(Error::new(
            Kind::TooLarge,
            format!("its channels need {bytes} bytes of memory"),
        )
        .hint("extract fewer assets at a time"));
    }
    let mut planes = kinds()
        .map(|kind| {
            Ok(match kind {
                SampleType::Half => Plane::Half(reserve(width * height)?),
                SampleType::Float => Plane::Float(reserve(width * height)?),
                SampleType::Uint => Plane::Uint(reserve(width * height)?),
            })
        })
        .collect::<Result<Vec<_>>>()?;
    while let Some(row) = rows.next(stop)? {
        for (index, plane) in planes.iter_mut().enumerate() {
            match (plane, row.channel(index)) {
                (Plane::Half(all), Samples::Half(row)) => all.extend_from_slice(row),
                (Plane::Float(all), Samples::Float(row))
                | (Plane::Uint(all), Samples::Uint(row)) => all.extend_from_slice(row),
                _ => return Err(Error::new(Kind::Internal, "a row of another type")),
            }
        }
    }
    Ok(planes)
}

impl Plane {
    /// Sample `index` as a number.
    pub fn number(&self, index: usize) -> f32 {
        match self {
            Self::Half(all) => half::f16::from_bits(all[index]).to_f32(),
            Self::Float(all) => f32::from_bits(all[index]),
            Self::Uint(all) => all[index] as f32,
        }
    }

    /// Samples in it.
    pub fn len(&self) -> usize {
        match self {
            Self::Half(all) => all.len(),
            Self::Float(all) | Self::Uint(all) => all.len(),
        }
    }

    /// The samples as float16 bits, rounded to nearest, ties to even.
    pub fn halves(&self) -> Vec<u16> {
        match self {
            Self::Half(all) => all.clone(),
            _ => (0..self.len())
                .map(|index| half::f16::from_f32(self.number(index)).to_bits())
                .collect(),
        }
    }

    /// The samples as 32-bit words, where ids are kept; nothing for halves.
    pub fn words(&self) -> Option<&[u32]> {
        match self {
            Self::Half(_) => None,
            Self::Float(all) | Self::Uint(all) => Some(all),
        }
    }
}
