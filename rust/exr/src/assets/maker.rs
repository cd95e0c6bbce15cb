//! One row of samples in, one row of pixels out, in buffers that are kept from row to row.

use super::color::to_bytes;
use super::depth::depth;
use super::normals::Normals;
use super::numbers::Known;
use super::ranks::MAX_RANKS;
use super::segments::Segments;
use super::source::{Source, What};
use super::{Asset, Rules};
use crate::encode::Pixels;
use crate::error::{Error, Kind, Result};
use crate::read::compression::Compression;
use crate::read::header::Header;
use crate::read::{Place, Row, Samples};

/// Makes the pixels of one asset of one file.
#[derive(Debug)]
pub struct Maker {
    how: How,
    /// Which of the channels that are read.
    channels: Vec<usize>,
    rooms: [Vec<u16>; 3],
    bytes: Vec<u8>,
    words: Vec<u16>,
}

#[derive(Debug)]
enum How {
    Color { curve: bool },
    Depth,
    Normals(Normals),
    Ids(Box<Segments>),
    AsItIs,
}

impl Maker {
    /// For `source`, from rows of the channels at `wanted`.
    pub fn new(
        header: &Header,
        source: &Source,
        wanted: &[Place],
        rules: Rules,
        known: &mut Known,
    ) -> Result<Self> {
        let internal = || Error::new(Kind::Internal, "a channel of an asset is not read");
        let channels = source
            .places
            .iter()
            .map(|place| wanted.iter().position(|known| known == place))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(internal)?;
        let part = &header.parts[source.places.first().ok_or_else(internal)?.part];
        let how = match (&source.what, &source.cryptomatte) {
            (_, Some(cryptomatte)) => {
                let rounded = part.compression == Compression::PXR24;
                let numbers = cryptomatte.numbers(rounded, known)?;
                let competes = rules.background_competes;
                How::Ids(Box::new(Segments::new(numbers, competes, header.length)))
            }
            (What::Asset(Asset::Rgb), _) => How::Color {
                curve: !rules.rgb_is_srgb,
            },
            (What::Asset(Asset::Alpha), _) => How::Color { curve: false },
            (What::Asset(Asset::Depth), _) => How::Depth,
            (What::Asset(Asset::Normals), _) => How::Normals(Normals {
                shown: header.parts[0].display_window,
                stored: part.data_window,
            }),
            (What::Asset(Asset::Segments | Asset::ClothingSegments), None) => {
                return Err(internal())
            }
            (What::Channel(_), _) => How::AsItIs,
        };
        Ok(Self {
            how,
            channels,
            rooms: Default::default(),
            bytes: Vec::new(),
            words: Vec::new(),
        })
    }

    /// The pixels of `row`.
    pub fn row<'a>(&'a mut self, row: &Row<'a>) -> Result<Pixels<'a>> {
        let count = self.channels.len();
        let mut all = [Samples::Half(&[]); 2 * MAX_RANKS];
        for (samples, &channel) in all.iter_mut().zip(&self.channels) {
            *samples = row.channel(channel);
        }
        match &mut self.how {
            How::Color { curve } => to_bytes(&all[..count], *curve, &mut self.bytes),
            How::Depth => depth(all[0], &mut self.rooms[0], &mut self.words),
            How::Normals(normals) => normals.row(
                [all[0], all[1], all[2]],
                (row.y, row.is_whole),
                &mut self.rooms,
                &mut self.words,
            ),
            How::Ids(segments) => segments.row(&all[..count], &mut self.words)?,
            How::AsItIs => {
                return Ok(match all[0] {
                    Samples::Half(all) => Pixels::Words(all),
                    Samples::Float(all) | Samples::Uint(all) => Pixels::Longs(all),
                })
            }
        }
        Ok(match self.how {
            How::Color { .. } => Pixels::Bytes(&self.bytes),
            _ => Pixels::Words(&self.words),
        })
    }

    /// Covered pixels of an image of ids whose id the manifest lacks.
    pub fn unnamed(&self) -> u64 {
        match &self.how {
            How::Ids(segments) => segments.unnamed(),
            _ => 0,
        }
    }

    /// After the last row: whether the whole is what it should be.
    pub fn finish(&self) -> Result<()> {
        match &self.how {
            How::Ids(segments) => segments.finish(),
            _ => Ok(()),
        }
    }
}
