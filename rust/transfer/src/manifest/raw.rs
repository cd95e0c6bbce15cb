//! One line of a manifest as it comes, and the file that it is about.

use std::sync::Arc;

use serde::Deserialize;

use super::Line;
use crate::borrowed::Borrowed;
use crate::entry::Entry;
use crate::hex::sha256;

/// A line, every field optional.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Raw<'a> {
    #[serde(borrow)]
    pub n: Option<Borrowed<'a>>,
    #[serde(borrow)]
    a: Option<Borrowed<'a>>,
    r: Option<u64>,
    b: Option<i64>,
    #[serde(borrow)]
    h: Option<Borrowed<'a>>,
    #[serde(borrow)]
    u: Option<Borrowed<'a>>,
    pub end: Option<bool>,
    #[serde(borrow)]
    pub next: Option<Borrowed<'a>>,
    #[serde(borrow)]
    pub url: Option<Borrowed<'a>>,
    #[serde(borrow)]
    pub job: Option<Borrowed<'a>>,
}

impl Raw<'_> {
    /// The file that the line is about.
    pub fn file(self, name: Arc<str>, previous: Option<Arc<str>>) -> Line {
        let bad = |what: &str| {
            let text = format!("the manifest gives no proper {what} for it");
            Line::Bad(name.to_string(), text)
        };
        let Some(bytes) = self.b.and_then(|bytes| u64::try_from(bytes).ok()) else {
            return bad("size");
        };
        let Some(sha256) = self.h.and_then(|digest| sha256(&digest.0)) else {
            return bad("sha256");
        };
        Line::File(Entry {
            name,
            previous,
            line: 0,
            render: self.r,
            asset: self.a.map(|asset| asset.0.into()),
            bytes: Some(bytes),
            sha256: Some(sha256),
            url: self.u.map(|url| url.0.into()),
        })
    }
}

/// What a line says of a file, by itself.
#[cfg(any(test, feature = "fuzzing"))]
pub fn file_of(text: &[u8]) -> Option<Line> {
    let mut raw: Raw = serde_json::from_slice(text).ok()?;
    let name: Arc<str> = raw.n.take()?.0.into();
    Some(raw.file(name, None))
}

/// The name of a line of which nothing else can be read.
#[derive(Deserialize)]
pub struct Named {
    pub n: String,
}
