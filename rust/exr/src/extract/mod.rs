//! Many EXRs to files: one worker per core, one EXR at a time each.
//!
//! `file` makes all that is wanted of one EXR in one pass over its rows; `job` is one thing that
//! is made, `wish` what can be wanted, `names` what it is called, `thumbnail` the small picture.
//! `scratch` keeps unfinished files out of sight. `arrays` is the same into `memory`, and
//! `channels` without making anything of what is read.

pub mod arrays;
pub mod channels;
mod file;
mod job;
pub mod memory;
mod names;
pub mod scratch;
mod thumbnail;
mod wish;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use self::scratch::Scratch;
pub use self::wish::Container;
use crate::assets::numbers::Known;
use crate::assets::{Asset, Rules};
use crate::encode::Mode;
use crate::error::{Error, Kind, Result};
use crate::read::Reading;

/// What to make of each file.
#[derive(Clone, Debug)]
pub struct Plan {
    /// These, in this order.
    pub assets: Vec<Asset>,
    /// Channels as they are, by their full names.
    pub channels: Vec<String>,
    /// The kind of file of those channels.
    pub container: Container,
    /// A small JPEG as well.
    pub thumbnail: bool,
    /// Whose bytes.
    pub mode: Mode,
    /// Choices of conversion.
    pub rules: Rules,
    /// How strict to be with damaged files.
    pub reading: Reading,
    /// Threads; at least one.
    pub workers: usize,
}

/// Counters that another thread may look at, and its wish to stop.
#[derive(Debug, Default)]
pub struct Progress {
    /// EXRs dealt with.
    pub files_done: AtomicU64,
    /// EXRs with at least one failure.
    pub files_failed: AtomicU64,
    /// Images written.
    pub images_done: AtomicU64,
    /// Bytes of EXRs dealt with.
    pub bytes_read: AtomicU64,
    /// Bytes of images written.
    pub bytes_written: AtomicU64,
    /// Stops the work between two rows.
    pub stop: AtomicBool,
}

/// A file that was not made.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Name of the image, or of the EXR when none could be made.
    pub name: String,
    /// Why.
    pub error: Error,
}

/// Rows from `first` to `last`, both among them, counted from the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The upper one.
    pub first: usize,
    /// The lower one.
    pub last: usize,
}

/// What became of one EXR.
#[derive(Clone, Debug, Default)]
pub struct Extracted {
    /// The EXR.
    pub source: PathBuf,
    /// Images written, in the order of the plan.
    pub outputs: Vec<PathBuf>,
    /// What was not written.
    pub failures: Vec<Failure>,
    /// Rows that are not or not wholly in the file, and 0 in the images; only of partial reading.
    pub missing: Vec<Range>,
    /// Names of images of ids that were written, with how many of their covered pixels have an id
    /// that the manifest lacks; only where there are some.
    pub unnamed: Vec<(String, u64)>,
}

/// Makes what `plan` says of all `files` in `directory`. A bad file is reported in its own
/// result; an error of the whole is a usage error, trouble with the folder, or the wish to stop.
pub fn extract(
    files: &[PathBuf],
    directory: &Path,
    plan: &Plan,
    progress: &Progress,
) -> Result<Vec<Extracted>> {
    let stems = names::stems(files)?;
    wish::check(plan)?;
    let scratch = Scratch::new(directory)?;
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<Extracted>>> = files.iter().map(|_| Mutex::new(None)).collect();
    let work = || {
        let mut known = Known::default();
        while !progress.stop.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(source) = files.get(index) else {
                return;
            };
            let done = file::extract(source, &stems[index], &scratch, plan, progress, &mut known);
            progress.files_done.fetch_add(1, Ordering::Relaxed);
            if !done.failures.is_empty() {
                progress.files_failed.fetch_add(1, Ordering::Relaxed);
            }
            *results[index]
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = Some(done);
        }
    };
    thread::scope(|scope| {
        // This thread works too; when no other can start, it does it all.
        for _ in 1..plan.workers.min(files.len()) {
            let builder = thread::Builder::new().name("synthesis-exr".to_owned());
            if builder.spawn_scoped(scope, work).is_err() {
                break;
            }
        }
        work();
    });
    if progress.stop.load(Ordering::Relaxed) {
        return Err(Error::cancelled());
    }
    results
        .into_iter()
        .map(|result| result.into_inner().unwrap_or_else(PoisonError::into_inner))
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| Error::new(Kind::Internal, "a file was left out"))
}
