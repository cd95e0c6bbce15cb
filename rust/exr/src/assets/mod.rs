//! The images that an EXR gives: which channels, and what becomes of them.

mod color;
pub mod cryptomatte;

use std::collections::BTreeMap;
use std::io::{Read, Seek};
use std::sync::atomic::AtomicBool;

use self::color::to_bytes;
use self::cryptomatte::{definitions, Cryptomatte};
use crate::error::{Error, Kind, Result};
use crate::read::attribute::{SampleType, Window, MAX_AREA, MAX_SIDE};
use crate::read::channels::{self, find, Place, Plane};
use crate::read::header::Header;
use crate::read::input::{reserve, Input};

pub use self::cryptomatte::object_id;

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

/// Choices where files or versions differ.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules {
    /// The colour channels are sRGB already.
    pub rgb_is_srgb: bool,
    /// Segments follow the rule before version 1.5.
    pub background_competes: bool,
}

/// Where an asset comes from.
pub struct Source {
    asset: Asset,
    places: Vec<Place>,
    cryptomatte: Option<Cryptomatte>,
}

impl Source {
    /// All its parts can be read here, and its ids are whole.
    pub fn readable(&self, header: &Header) -> bool {
        let whole = |place: &Place| {
            let part = &header.parts[place.part];
            part.unreadable().is_none()
                && (self.cryptomatte.is_none()
                    || part.channels[place.channel].kind != SampleType::Half)
        };
        let named = self
            .cryptomatte
            .as_ref()
            .is_none_or(|known| known.objects().is_ok());
        named && self.places.iter().all(whole)
    }
}

/// The channels of `asset`, or what is missing.
pub fn source(header: &Header, asset: Asset) -> Result<Source> {
    let plain = |sets: &[&[&str]]| {
        let places = sets
            .iter()
            .find_map(|names| find(header, names))
            .ok_or_else(|| {
                let names: Vec<String> = sets.iter().map(|names| names.join(", ")).collect();
                Error::new(
                    Kind::MissingChannel,
                    format!("no channels {}", names.join(" or ")),
                )
            })?;
        Ok(Source {
            asset,
            places,
            cryptomatte: None,
        })
    };
    match asset {
        Asset::Rgb => plain(&[
            &["effectsResult.R", "effectsResult.G", "effectsResult.B"],
            &["R", "G", "B"],
        ]),
        Asset::Alpha => plain(&[&["A"]]),
        Asset::Depth => plain(&[&["Z"]]),
        Asset::Normals => plain(&[
            &["normals.X", "normals.Y", "normals.Z"],
            &["CameraNormals.R", "CameraNormals.G", "CameraNormals.B"],
        ]),
        Asset::Segments | Asset::ClothingSegments => ids(header, asset),
    }
}

fn ids(header: &Header, asset: Asset) -> Result<Source> {
    let known = definitions(header);
    let named = |name: &str| known.iter().find(|known| known.name == name);
    let (found, name) = if asset == Asset::ClothingSegments {
        (named("clothing"), "cryptomatte clothing")
    } else {
        let any = || known.iter().find(|known| known.name != "clothing");
        (
            named("segmentation")
                .or_else(|| named("cryptomatte"))
                .or_else(any),
            "cryptomatte",
        )
    };
    let found = found.ok_or_else(|| Error::new(Kind::MissingChannel, format!("no {name}")))?;
    let places = found.layers(header).concat();
    if places.is_empty() {
        return Err(Error::new(
            Kind::MissingChannel,
            format!("no channels {}00.R ...", found.name),
        ));
    }
    Ok(Source {
        asset,
        places,
        cryptomatte: Some(found.clone()),
    })
}

/// Makes all of `sources`, reading each channel once; one image or failure for each.
pub fn make<R: Read + Seek>(
    input: Input<R>,
    header: &Header,
    sources: &[Source],
    rules: Rules,
    stop: &AtomicBool,
) -> Result<Vec<Result<Image>>> {
    let mut places: Vec<Place> = Vec::new();
    for place in sources.iter().flat_map(|source| &source.places) {
        if !places.contains(place) {
            places.push(*place);
        }
    }
    let planes = channels::read(input, header, &places, stop)?;
    let planes: BTreeMap<(usize, usize), Plane> = places
        .iter()
        .map(|place| (place.part, place.channel))
        .zip(planes)
        .collect();
    let (width, height) = channels::size(header);
    Ok(sources
        .iter()
        .map(|source| {
            let planes: Vec<&Plane> = source
                .places
                .iter()
                .map(|place| &planes[&(place.part, place.channel)])
                .collect();
            let pixels = convert(header, source, &planes, rules)?;
            Ok(Image {
                width,
                height,
                pixels,
            })
        })
        .collect())
}

fn convert(header: &Header, source: &Source, planes: &[&Plane], rules: Rules) -> Result<Pixels> {
    Ok(match source.asset {
        Asset::Rgb => bytes(planes, !rules.rgb_is_srgb)?,
        Asset::Alpha => bytes(planes, false)?,
        Asset::Depth => Pixels::Halves(1, planes[0].halves().into_iter().map(depth).collect()),
        Asset::Normals => {
            let part = &header.parts[source.places[0].part];
            normals(planes, header.parts[0].display_window, part.data_window)?
        }
        Asset::Segments | Asset::ClothingSegments => {
            let Some(cryptomatte) = &source.cryptomatte else {
                return Err(Error::new(Kind::Internal, "no cryptomatte"));
            };
            let ranks: Vec<(&Plane, &Plane)> = planes
                .chunks_exact(2)
                .map(|pair| (pair[0], pair[1]))
                .collect();
            let compression = header.parts[source.places[0].part].compression;
            let objects = cryptomatte.objects()?;
            Pixels::Shorts(cryptomatte::segments(
                &objects,
                &ranks,
                compression,
                rules.background_competes,
            )?)
        }
    })
}

fn bytes(planes: &[&Plane], curve: bool) -> Result<Pixels> {
    let count = planes.len() * planes[0].len();
    let mut out = reserve(count)?;
    out.resize(count, 0);
    for (index, plane) in planes.iter().enumerate() {
        to_bytes(plane, curve, &mut out, index, planes.len());
    }
    Ok(Pixels::Bytes(planes.len(), out))
}

/// Nothing was hit where the distance is no finite number; that is 0, and 0 has no sign.
const fn depth(bits: u16) -> u16 {
    const INFINITE: u16 = 0x7c00;
    const SIGN: u16 = 0x8000;
    if bits & INFINITE == INFINITE || bits == SIGN {
        0
    } else {
        bits
    }
}

/// V-Ray's x points to the left. Pixels that are shown but not stored face the camera, as the
/// background does.
fn normals(planes: &[&Plane], shown: Window, stored: Window) -> Result<Pixels> {
    const SIGN: u16 = 0x8000;
    const ONE: u16 = 0x3c00;
    let mut out = reserve(3 * planes[0].len())?;
    let [x, y, z] = [0, 1, 2].map(|axis: usize| planes[axis].halves());
    for ((x, y), z) in x.into_iter().zip(y).zip(z) {
        out.extend_from_slice(&[x ^ SIGN, y, z]);
    }
    if !stored.covers(shown) {
        for (index, pixel) in out.chunks_exact_mut(3).enumerate() {
            let x = shown.corners[0] + (index % shown.width()) as i32;
            let y = shown.corners[1] + (index / shown.width()) as i32;
            if !stored.covers(Window {
                corners: [x, y, x, y],
            }) {
                pixel.copy_from_slice(&[0, 0, ONE]);
            }
        }
    }
    Ok(Pixels::Halves(3, out))
}
