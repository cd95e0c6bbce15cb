//! From rows of samples to rows of pixels.
//!
//! `source` finds the channels that an asset is made of; `maker` makes its pixels, row by row,
//! by `color`, `depth`, `normals` or `segments`. Ids: `cryptomatte` is what the header defines,
//! `manifest` its names, `numbers` what becomes of them, `ranks` who wins a pixel, `sure` when
//! that is known without sums, `object_id` the id of a name.

mod color;
pub mod cryptomatte;
mod depth;
mod halves;
pub mod maker;
pub mod manifest;
mod normals;
pub mod numbers;
mod object_id;
mod ranks;
pub mod segments;
pub mod source;
mod sure;

use crate::error::{Error, Kind, Result};
use crate::read::attribute::{MAX_AREA, MAX_SIDE};

pub use self::object_id::object_id;

/// One kind of image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asset {
    /// The picture, 8-bit sRGB.
    Rgb,
    /// Coverage, 8 bit.
    Alpha,
    /// Metres along the ray, float16.
    Depth,
    /// Surface directions, float16.
    Normals,
    /// Numbers of body parts, 16 bit.
    Segments,
    /// Numbers of garments, 16 bit.
    ClothingSegments,
}

impl Asset {
    /// All, in the order in which people list them.
    pub const ALL: [Self; 6] = [
        Self::Rgb,
        Self::Alpha,
        Self::Depth,
        Self::Normals,
        Self::Segments,
        Self::ClothingSegments,
    ];

    /// Its flag on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rgb => "rgb",
            Self::Alpha => "alpha",
            Self::Depth => "depth",
            Self::Normals => "normals",
            Self::Segments => "segments",
            Self::ClothingSegments => "clothing_segments",
        }
    }

    /// What follows the stem in its file name.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Rgb => "rgb.png",
            Self::Alpha => "alpha.tif",
            Self::Depth => "depth.tif",
            Self::Normals => "normals.tif",
            Self::Segments => "segments.png",
            Self::ClothingSegments => "clothing_segments.png",
        }
    }

    /// The asset of a flag.
    pub fn parse(name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|asset| asset.name() == name)
            .ok_or_else(|| {
                Error::new(
                    Kind::UnknownAsset,
                    format!("no asset of an EXR is called {name:?}"),
                )
                .hint("known: rgb, alpha, depth, normals, segments, clothing_segments")
            })
    }
}

/// Choices where files or versions differ.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules {
    /// The colour channels are sRGB already.
    pub rgb_is_srgb: bool,
    /// Segments follow the rule before version 1.5.
    pub background_competes: bool,
}

/// Samples of an image, row by row from the top, channels together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pixels {
    /// 8 bit, so many channels.
    Bytes(usize, Vec<u8>),
    /// 16 bit, one channel.
    Shorts(Vec<u16>),
    /// float16 bits, so many channels.
    Halves(usize, Vec<u16>),
}

/// An image in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Pixels in x.
    pub width: usize,
    /// Pixels in y.
    pub height: usize,
    /// Its samples.
    pub pixels: Pixels,
}

impl Image {
    /// An image of `asset` from little-endian samples, checked for size.
    pub fn of(asset: Asset, width: usize, height: usize, samples: &[u8]) -> Result<Self> {
        let (channels, size) = match asset {
            Asset::Rgb => (3, 1),
            Asset::Alpha => (1, 1),
            Asset::Normals => (3, 2),
            Asset::Depth | Asset::Segments | Asset::ClothingSegments => (1, 2),
        };
        let sides = 1..=MAX_SIDE;
        if !sides.contains(&width) || !sides.contains(&height) || width * height > MAX_AREA {
            return Err(Error::new(
                Kind::Usage,
                format!("no image has {width} x {height} pixels"),
            ));
        }
        let expected = width * height * channels * size;
        if samples.len() != expected {
            return Err(Error::new(
                Kind::Usage,
                format!(
                    "{} of {width} x {height} has {expected} bytes, not {}",
                    asset.name(),
                    samples.len()
                ),
            ));
        }
        let words = || {
            samples
                .chunks_exact(2)
                .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
                .collect()
        };
        let pixels = match asset {
            Asset::Rgb | Asset::Alpha => Pixels::Bytes(channels, samples.to_vec()),
            Asset::Depth | Asset::Normals => Pixels::Halves(channels, words()),
            Asset::Segments | Asset::ClothingSegments => Pixels::Shorts(words()),
        };
        Ok(Self {
            width,
            height,
            pixels,
        })
    }
}
