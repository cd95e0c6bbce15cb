//! One file to fetch, as a list names it.

use std::sync::Arc;

/// A line of a list. What a list does not say is `None`, and then cannot be checked: without a
/// sha256 the sizes are, without a size that of the server's answer.
#[derive(Debug, Clone)]
pub struct Entry {
    /// File name; not yet checked.
    pub name: Arc<str>,
    /// The name before it, by which this line can be asked for again.
    pub previous: Option<Arc<str>>,
    /// Its line in a list, from 1; 0 in a manifest.
    pub line: u64,
    /// What kind of file it is, if the list says so.
    pub asset: Option<Arc<str>>,
    /// Render id; none for job-wide files.
    pub render: Option<u64>,
    /// Size in bytes.
    pub bytes: Option<u64>,
    /// SHA-256 of the content.
    pub sha256: Option<[u8; 32]>,
    /// Its own absolute URL, if it has one.
    pub url: Option<Arc<str>>,
}
