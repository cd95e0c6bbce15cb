//! Shards in the form that WebDataset reads, in place of single files.

use std::path::PathBuf;

/// Where shards go, and how much is in one.
#[derive(Debug, Clone)]
pub struct Tar {
    /// The folder of `shard-000000.tar` and so on; made if it does not exist.
    pub directory: PathBuf,
    /// Renders in a shard, at least 1.
    pub renders: u64,
}
