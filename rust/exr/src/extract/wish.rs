//! What can be wanted of an EXR, and the names of the files.

use super::Plan;
use crate::assets::source::{self, Source};
use crate::assets::Asset;
use crate::error::{Error, Kind, Result};
use crate::read::header::Header;
use std::path::Path;

/// The kind of file of a single channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Container {
    /// TIFF.
    #[default]
    Tif,
    /// numpy's own.
    Npy,
}

impl Container {
    /// The container of a word.
    pub fn parse(word: &str) -> Result<Self> {
        match word {
            "tif" => Ok(Self::Tif),
            "npy" => Ok(Self::Npy),
            _ => Err(
                Error::new(Kind::Usage, format!("not a format of channels: {word:?}"))
                    .hint("known: tif, npy"),
            ),
        }
    }
}

/// One file that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish<'a> {
    Asset(Asset),
    Channel(&'a str, Container),
    Thumbnail,
}

impl Wish<'_> {
    /// What follows the stem in its file name.
    pub fn suffix(self) -> String {
        match self {
            Self::Asset(asset) => asset.suffix().to_owned(),
            Self::Channel(name, Container::Tif) => format!("{name}.tif"),
            Self::Channel(name, Container::Npy) => format!("{name}.npy"),
            Self::Thumbnail => "thumbnail.jpg".to_owned(),
        }
    }

    /// Where it comes from; side files are looked for in `folder`.
    pub fn source(self, header: &Header, folder: Option<&Path>) -> Result<Source> {
        match self {
            Self::Asset(asset) => source::source(header, asset, folder),
            Self::Thumbnail => source::source(header, Asset::Rgb, folder),
            Self::Channel(name, _) => source::channel(header, name),
        }
    }
}

/// Everything that `plan` wants, in order.
pub fn wishes(plan: &Plan) -> Vec<Wish<'_>> {
    let assets = plan.assets.iter().map(|&asset| Wish::Asset(asset));
    let channels = plan
        .channels
        .iter()
        .map(|name| Wish::Channel(name, plan.container));
    let small = plan.thumbnail.then_some(Wish::Thumbnail);
    assets.chain(channels).chain(small).collect()
}

/// Every wish must be able to be a file, and no two the same.
pub fn check(plan: &Plan) -> Result<()> {
    let usage = |words: String| Error::new(Kind::Usage, words);
    for name in &plan.channels {
        // Names of files on every system, and nothing that leads elsewhere.
        let is_plain = !name.is_empty()
            && name.len() <= 200
            && !name
                .chars()
                .any(|letter| letter.is_control() || "/\\:*?\"<>|".contains(letter));
        if !is_plain {
            return Err(
                usage(format!("no file can be called after channel {name:?}"))
                    .hint("read it into an array: synthesis.exr.open"),
            );
        }
    }
    let mut suffixes: Vec<String> = wishes(plan)
        .iter()
        .map(|wish| wish.suffix().to_lowercase())
        .collect();
    suffixes.sort_unstable();
    match suffixes.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(usage(format!("two files would be called X.{}", pair[0]))
            .hint("choose the other --format, or extract twice")),
        None => Ok(()),
    }
}
