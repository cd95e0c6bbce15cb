//! What is to be fetched: a manifest, or any list of URLs.
//!
//! | format | told by its first line | a file is |
//! | --- | --- | --- |
//! | text | a URL | `URL` or `URL<TAB>NAME`; blank lines and `#` comments say nothing |
//! | CSV | a header that names `url` | a record; also `name`, `size` or `bytes`, `sha256`, `render`, `asset` |
//! | NDJSON | `{` | an object with the same keys |
//! | manifest | `{` with a `url` that holds `{name}` | a line as `schema/manifest.py` says |
//!
//! Any of them may be gzip or zstd. Every line is hostile until shown otherwise; a bad one is
//! told with its number and reason, and the rest goes on.

mod address;
mod csv;
mod format;
mod input;
mod json;
pub mod name;
mod reader;
mod row;
pub mod seen;
mod text;

use std::path::PathBuf;

use url::Url;

use crate::control::Gate;
use crate::error::Result;
use crate::http::Http;
use crate::links::Links;
use crate::manifest::{Line, Manifest, Source};
#[cfg(any(test, feature = "fuzzing"))]
pub use address::Addresses;
#[cfg(any(test, feature = "fuzzing"))]
pub use format::{Format, Label};
pub use reader::Reader;
#[cfg(any(test, feature = "fuzzing"))]
pub use row::Parsed;

/// The files of a run.
#[derive(Debug, Clone)]
pub enum List {
    /// A job's manifest, asked for again wherever it is cut.
    Manifest {
        /// Its URL with its query, without `after`.
        url: Url,
    },
    /// Lines of any of the known formats; see [`Input`] for where they come from.
    Lines {
        /// Where the lines are.
        input: Input,
        /// What relative URLs are relative to; for a list from a URL that URL if this is none.
        base: Option<Url>,
    },
}

impl List {
    /// Stands for the files that a run is about: the same for the same list, render ids and part, whatever
    /// the signatures in its URL. Part of the journal, so it holds no secret.
    pub fn selection(
        &self,
        render_ids: Option<&[(u64, u64)]>,
        shard: Option<(u64, u64)>,
    ) -> String {
        let place = match self {
            Self::Manifest { url } => url.as_str().to_owned(),
            Self::Lines { input, .. } => match input {
                Input::Url(url) => url.path().to_owned(),
                Input::File(path) => path.display().to_string(),
                Input::Stdin => "the standard input".to_owned(),
            },
        };
        crate::folder::part_id(&format!("{place} {render_ids:?} {shard:?}"))
    }
}

/// Where the lines of a list come from.
#[derive(Debug, Clone)]
pub enum Input {
    /// A web address.
    Url(Url),
    /// A file.
    File(PathBuf),
    /// The process's standard input.
    Stdin,
}

impl List {
    /// Where the list is asked for, if on the web.
    pub fn url(&self) -> Option<&Url> {
        match self {
            Self::Manifest { url }
            | Self::Lines {
                input: Input::Url(url),
                ..
            } => Some(url),
            Self::Lines { .. } => None,
        }
    }

    /// What relative URLs in it are relative to.
    pub fn base(&self) -> Option<&Url> {
        match self {
            Self::Lines {
                base: Some(base), ..
            } => Some(base),
            other => other.url(),
        }
    }
}

/// A list being read, whatever it is.
pub enum Listing<'a> {
    /// A manifest, which goes on where it was cut.
    Manifest(Manifest<'a>),
    /// Any other list, or one whose first line is still to come.
    Lines(Reader<'a>),
}

impl<'a> Listing<'a> {
    /// The list of `source` from its beginning. Nothing is opened yet.
    pub fn new(http: &'a Http, gate: &'a Gate, source: &'a Source, links: &'a Links) -> Self {
        match &source.list {
            List::Manifest { .. } => Self::Manifest(Manifest::new(http, gate, source, None)),
            List::Lines { input, .. } => {
                Self::Lines(Reader::new(http, gate, &links.clock, source, input))
            }
        }
    }

    /// The next line, or `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Line>> {
        let mut line = match self {
            Self::Manifest(manifest) => return manifest.next().await,
            Self::Lines(reader) => reader.next().await?,
        };
        // A manifest on the web can go on where it was cut, and give new links.
        if let (Some(Line::Head(head)), Self::Lines(reader)) = (&mut line, &mut *self) {
            if let Some(manifest) = reader.take_manifest() {
                head.now = manifest.now();
                *self = Self::Manifest(manifest);
            }
        }
        Ok(line)
    }

    /// Reads on from a fresh body, because its links were renewed.
    pub fn restart(&mut self) {
        match self {
            Self::Manifest(manifest) => manifest.restart(),
            Self::Lines(reader) => reader.restart(),
        }
    }

    /// Where the last line ended, and how long the list is, if that can be told: bytes.
    pub fn position(&self) -> Option<(u64, u64)> {
        match self {
            Self::Manifest(_) => None,
            Self::Lines(reader) => reader.position(),
        }
    }

    /// True for manifests, whose names are flat and whose lines can be asked for one by one.
    pub fn is_manifest(&self) -> bool {
        matches!(self, Self::Manifest(_))
    }
}
