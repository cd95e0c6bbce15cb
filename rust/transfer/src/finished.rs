//! What is ready for use while the run goes on: files under their final names, and whole renders.

use std::path::PathBuf;
use std::sync::Arc;

/// A file under its final name, or a render of which every selected file is.
#[derive(Debug, Clone)]
pub enum Finished {
    /// One file.
    File(FinishedFile),
    /// All selected files of a render, in the list's order. Sent after each of them was sent.
    Render {
        /// The render's id.
        id: u64,
        /// Its files.
        files: Vec<FinishedFile>,
    },
}

/// A file under its final name.
#[derive(Debug, Clone)]
pub struct FinishedFile {
    /// Its name in the list.
    pub name: Arc<str>,
    /// Where it is; in `--tar` runs the shard that holds it.
    pub path: PathBuf,
    /// Size in bytes, if it was known or counted.
    pub bytes: Option<u64>,
    /// The render it belongs to; none for job-wide files.
    pub render: Option<u64>,
    /// True if it was there before this run.
    pub is_old: bool,
}
