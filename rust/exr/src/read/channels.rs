//! Finding channels in parts, and reading them as planes.

use std::io::{Read, Seek};
use std::sync::atomic::AtomicBool;

use crate::error::{Error, Kind, Result};
use crate::read::attribute::{SampleType, Window};
use crate::read::blocks::{self, Block};
use crate::read::header::Header;
use crate::read::input::{reserve, Input};
use crate::read::part::Part;

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
    input: &mut Input<R>,
    header: &Header,
    places: &[Place],
    stop: &AtomicBool,
) -> Result<Vec<Plane>> {
    let shown = header.parts[0].display_window;
    let mut planes = places
        .iter()
        .map(|place| empty(header.parts[place.part].channels[place.channel].kind))
        .collect::<Vec<_>>();
    check_memory(header, places, &planes)?;
    for plane in &mut planes {
        plane.reserve(shown.width() * shown.height())?;
    }
    for (index, part) in header.parts.iter().enumerate() {
        let mut wanted: Vec<(usize, &mut Plane)> = places
            .iter()
            .zip(&mut planes)
            .filter(|(place, _)| place.part == index)
            .map(|(place, plane)| (place.channel, plane))
            .collect();
        if !wanted.is_empty() {
            blocks::read(input, header, index, stop, |block| {
                store(part, shown, block, &mut wanted);
                Ok(())
            })?;
        }
    }
    for plane in &mut planes {
        plane.grow(shown.width() * shown.height());
    }
    Ok(planes)
}

fn empty(kind: SampleType) -> Plane {
    match kind {
        SampleType::Half => Plane::Half(Vec::new()),
        SampleType::Float => Plane::Float(Vec::new()),
        SampleType::Uint => Plane::Uint(Vec::new()),
    }
}

/// The planes cover the display window, which the file's size does not bound.
fn check_memory(header: &Header, places: &[Place], planes: &[Plane]) -> Result<()> {
    let shown = header.parts[0].display_window;
    let area = shown.width() * shown.height();
    for place in places {
        let stored = header.parts[place.part].data_window;
        if area > (16 * stored.width() * stored.height()).max(1 << 24) {
            return Err(Error::invalid(format!(
                "the display window has {area} pixels, but far fewer are stored"
            )));
        }
    }
    let bytes: usize = planes.iter().map(|plane| plane.sample_size() * area).sum();
    if bytes > MAX_PLANES {
        return Err(Error::new(
            Kind::TooLarge,
            format!("its channels need {bytes} bytes of memory"),
        )
        .hint("extract fewer assets at a time"));
    }
    Ok(())
}

/// Copies what of `block` lies in the display window.
fn store(part: &Part, shown: Window, block: &Block<'_>, wanted: &mut [(usize, &mut Plane)]) {
    let sizes: Vec<usize> = part
        .channels
        .iter()
        .map(|channel| channel.kind.size())
        .collect();
    let line_bytes = sizes.iter().sum::<usize>() * block.width;
    let x = part.data_window.corners[0] as i64 + block.x as i64 - shown.corners[0] as i64;
    let y = part.data_window.corners[1] as i64 + block.y as i64 - shown.corners[1] as i64;
    // The columns of the block that are shown.
    let first = (-x).clamp(0, block.width as i64) as usize;
    let last = (shown.width() as i64 - x).clamp(0, block.width as i64) as usize;
    if first >= last {
        return;
    }
    for line in 0..block.height {
        let row = y + line as i64;
        if row < 0 || row >= shown.height() as i64 {
            continue;
        }
        let target = row as usize * shown.width() + (x + first as i64) as usize;
        let bytes = &block.bytes[line * line_bytes..(line + 1) * line_bytes];
        for (channel, plane) in wanted.iter_mut() {
            let start = sizes[..*channel].iter().sum::<usize>() * block.width;
            let size = sizes[*channel];
            plane.put(target, &bytes[start + first * size..start + last * size]);
        }
    }
}

impl Plane {
    fn sample_size(&self) -> usize {
        match self {
            Self::Half(_) => 2,
            Self::Float(_) | Self::Uint(_) => 4,
        }
    }

    fn reserve(&mut self, samples: usize) -> Result<()> {
        match self {
            Self::Half(all) => *all = reserve(samples)?,
            Self::Float(all) | Self::Uint(all) => *all = reserve(samples)?,
        }
        Ok(())
    }

    /// Memory is touched only as far as blocks were really there.
    fn grow(&mut self, samples: usize) {
        match self {
            Self::Half(all) if all.len() < samples => all.resize(samples, 0),
            Self::Float(all) | Self::Uint(all) if all.len() < samples => all.resize(samples, 0),
            _ => {}
        }
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        let count = bytes.len() / self.sample_size();
        self.grow(at + count);
        match self {
            Self::Half(all) => {
                for (sample, bytes) in all[at..at + count].iter_mut().zip(bytes.chunks_exact(2)) {
                    *sample = u16::from_le_bytes([bytes[0], bytes[1]]);
                }
            }
            Self::Float(all) | Self::Uint(all) => {
                for (sample, bytes) in all[at..at + count].iter_mut().zip(bytes.chunks_exact(4)) {
                    *sample = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
                }
            }
        }
    }

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
