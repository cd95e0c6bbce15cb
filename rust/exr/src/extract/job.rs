//! One thing that is made row by row: the maker of its pixels, and where they go.

use std::path::PathBuf;

use super::arrays::Array;
use super::scratch::Unfinished;
use super::thumbnail::Thumbnail;
use crate::assets::maker::Maker;
use crate::encode::{Encoder, Pixels};
use crate::error::{Error, Result};
use crate::read::Row;

/// Where pixels go.
pub enum Sink {
    /// Into the file of an image.
    Image(Box<Encoder<Unfinished>>, PathBuf),
    /// Into a small picture, whose file is small as well.
    Thumbnail(Thumbnail, Unfinished),
    /// Into memory.
    Array(Array),
}

/// What came of it.
pub enum Made {
    /// A file under its name, and its bytes.
    File(PathBuf, u64),
    /// An array.
    Array(Array),
}

impl Sink {
    fn row(&mut self, pixels: Pixels<'_>) -> Result<()> {
        match self {
            Self::Image(encoder, path) => encoder.row(pixels).map_err(|error| at(error, path)),
            Self::Thumbnail(small, _) => {
                if let Pixels::Bytes(rgb) = pixels {
                    small.row(rgb);
                }
                Ok(())
            }
            Self::Array(array) => {
                array.row(pixels);
                Ok(())
            }
        }
    }

    fn finish(self) -> Result<Made> {
        let out = match self {
            Self::Array(array) => return Ok(Made::Array(array)),
            Self::Image(encoder, path) => encoder.finish().map_err(|error| at(error, &path))?,
            Self::Thumbnail(small, mut out) => {
                out.put(&small.finish()?)?;
                out
            }
        };
        let bytes = out.bytes();
        Ok(Made::File(out.publish()?, bytes))
    }
}

/// The encoder knows no name.
fn at(error: Error, path: &std::path::Path) -> Error {
    error.at(path.display())
}

/// One maker, and all that wants its pixels.
pub struct Job {
    maker: Maker,
    sinks: Vec<(usize, Sink)>,
}

impl Job {
    /// Each sink has the number of its wish.
    pub const fn new(maker: Maker, sinks: Vec<(usize, Sink)>) -> Self {
        Self { maker, sinks }
    }

    /// Makes the pixels of `row`; gives the wishes that failed, and goes on with the others.
    pub fn row(&mut self, row: &Row<'_>, failed: &mut Vec<(usize, Error)>) {
        match self.maker.row(row) {
            Ok(pixels) => self.sinks.retain_mut(|(wish, sink)| {
                let outcome = sink.row(pixels);
                let goes_on = outcome.is_ok();
                failed.extend(outcome.err().map(|error| (*wish, error)));
                goes_on
            }),
            Err(error) => {
                let sinks = self.sinks.drain(..);
                failed.extend(sinks.map(|(wish, _)| (wish, error.clone())));
            }
        }
    }

    /// Nothing of it is left to make.
    pub fn is_over(&self) -> bool {
        self.sinks.is_empty()
    }

    /// After the last row: what came of each wish, and how many of its covered pixels have an id
    /// that the manifest lacks.
    pub fn finish(self) -> impl Iterator<Item = (usize, Result<(Made, u64)>)> {
        let whole = self.maker.finish();
        let unnamed = self.maker.unnamed();
        self.sinks.into_iter().map(move |(wish, sink)| {
            let made = whole.clone().and_then(|()| sink.finish());
            (wish, made.map(|made| (made, unnamed)))
        })
    }
}
