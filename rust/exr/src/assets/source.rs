//! Which channels an asset is made of.

use std::path::Path;

use super::cryptomatte::{definitions, Cryptomatte};
use super::segments::half_ids;
use super::Asset;
use crate::encode::{Format, Shape};
use crate::error::{Error, Kind, Result};
use crate::read::attribute::SampleType;
use crate::read::channels::size;
use crate::read::header::Header;
use crate::read::{find, Place};

/// What comes from a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// An asset.
    Asset(Asset),
    /// The channel of this name, as it is.
    Channel(String),
}

/// Where an asset or a channel comes from.
#[derive(Debug)]
pub struct Source {
    /// What it gives.
    pub what: What,
    /// Channels in the order in which its maker needs them.
    pub places: Vec<Place>,
    /// Whose ids these are.
    pub cryptomatte: Option<Cryptomatte>,
}

impl Source {
    /// Why it cannot be made here although the channels are there: another sort of samples.
    pub fn check(&self, header: &Header) -> Result<()> {
        for place in &self.places {
            let part = &header.parts[place.part];
            if let Some(reason) = part.unreadable() {
                return Err(Error::unsupported(reason));
            }
            let is_half = part.channels[place.channel].kind == SampleType::Half;
            if self.cryptomatte.is_some() && is_half && self.ids().any(|id| id == place) {
                return Err(half_ids());
            }
        }
        Ok(())
    }

    /// Size and samples of what it gives.
    pub fn shape(&self, header: &Header) -> Shape {
        let (width, height) = size(header);
        let samples = match self.what {
            What::Asset(asset) => asset.format(),
            What::Channel(_) => match self.kind(header) {
                SampleType::Half => Format::Half(1),
                SampleType::Float => Format::Float,
                SampleType::Uint => Format::Uint,
            },
        };
        Shape {
            width,
            height,
            samples,
        }
    }

    /// The type of its first channel.
    fn kind(&self, header: &Header) -> SampleType {
        let place = self.places[0];
        header.parts[place.part].channels[place.channel].kind
    }

    fn ids(&self) -> impl Iterator<Item = &Place> {
        self.places.iter().step_by(2)
    }
}

/// Every asset that can be made of the file.
pub fn makeable(header: &Header, folder: Option<&Path>) -> Vec<Asset> {
    let can = |asset: &Asset| -> Result<()> {
        let source = source(header, *asset, folder)?;
        source.check(header)?;
        if let Some(cryptomatte) = &source.cryptomatte {
            cryptomatte.count()?;
        }
        Ok(())
    };
    let all = Asset::ALL.into_iter();
    all.filter(|asset| can(asset).is_ok()).collect()
}

/// The channels of `asset`, or what is missing; side files of ids are looked for in `folder`.
pub fn source(header: &Header, asset: Asset, folder: Option<&Path>) -> Result<Source> {
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
            what: What::Asset(asset),
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
        Asset::Segments | Asset::ClothingSegments => ids(header, asset, folder),
    }
}

/// The channel called `name`.
pub fn channel(header: &Header, name: &str) -> Result<Source> {
    let places = find(header, &[name]).ok_or_else(|| {
        Error::new(Kind::MissingChannel, format!("no channel {name}"))
            .hint("look at what is there: synthesis exr info FILE")
    })?;
    Ok(Source {
        what: What::Channel(name.to_owned()),
        places,
        cryptomatte: None,
    })
}

fn ids(header: &Header, asset: Asset, folder: Option<&Path>) -> Result<Source> {
    let known = definitions(header, folder);
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
        what: What::Asset(asset),
        places,
        cryptomatte: Some(found.clone()),
    })
}
