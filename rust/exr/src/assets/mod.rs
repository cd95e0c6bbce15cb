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

use crate::encode::Format;
use crate::error::{Error, Kind, Result};

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

    /// The samples of its pixels.
    pub const fn format(self) -> Format {
        match self {
            Self::Rgb => Format::Rgb8,
            Self::Alpha => Format::Gray8,
            Self::Depth => Format::Half(1),
            Self::Normals => Format::Half(3),
            Self::Segments | Self::ClothingSegments => Format::Gray16,
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
