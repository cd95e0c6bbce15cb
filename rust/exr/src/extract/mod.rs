//! Many EXRs to files: one worker per core, one EXR at a time each.

pub mod scratch;

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use self::scratch::Scratch;
use crate::assets::{make, source, Asset, Image, Rules};
use crate::encode::{encode, Mode};
use crate::error::{Error, Kind, Result};
use crate::guard;
use crate::read::header::Header;
use crate::read::input::Input;

/// What to make.
#[derive(Clone, Debug)]
pub struct Plan {
    /// These, in this order.
    pub assets: Vec<Asset>,
    /// Whose bytes.
    pub mode: Mode,
    /// Choices of conversion.
    pub rules: Rules,
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
    /// Stops the work between two blocks or images.
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

/// What became of one EXR.
#[derive(Clone, Debug)]
pub struct Extracted {
    /// The EXR.
    pub source: PathBuf,
    /// Images written, in the order of the plan.
    pub outputs: Vec<PathBuf>,
    /// What was not written.
    pub failures: Vec<Failure>,
}

/// Makes the assets of all `files` in `directory`. A bad file is reported in its own result; an
/// error of the whole is a usage error, trouble with the folder, or the wish to stop.
pub fn extract(
    files: &[PathBuf],
    directory: &Path,
    plan: &Plan,
    progress: &Progress,
) -> Result<Vec<Extracted>> {
    let stems = stems(files)?;
    let scratch = Scratch::new(directory)?;
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<Extracted>>> = files.iter().map(|_| Mutex::new(None)).collect();
    let work = || loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let Some(source) = files.get(index) else {
            return;
        };
        if progress.stop.load(Ordering::Relaxed) {
            return;
        }
        let done = one(source, &stems[index], &scratch, plan, progress);
        progress.files_done.fetch_add(1, Ordering::Relaxed);
        if !done.failures.is_empty() {
            progress.files_failed.fetch_add(1, Ordering::Relaxed);
        }
        *results[index]
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(done);
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

/// `X` of every `X.exr`; two files of one folder's output may not share it.
fn stems(files: &[PathBuf]) -> Result<Vec<String>> {
    let mut seen: HashMap<String, &PathBuf> = HashMap::new();
    let mut stems = Vec::with_capacity(files.len());
    for file in files {
        let name = file
            .file_name()
            .unwrap_or(file.as_os_str())
            .to_string_lossy();
        let is_exr = |(_, suffix): &(&str, &str)| suffix.eq_ignore_ascii_case("exr");
        let stem = name
            .rsplit_once('.')
            .filter(is_exr)
            .map_or(name.as_ref(), |(stem, _)| stem)
            .to_owned();
        if let Some(other) = seen.insert(stem.clone(), file) {
            return Err(Error::new(
                Kind::Usage,
                format!(
                    "{} and {} would give files of one name",
                    other.display(),
                    file.display()
                ),
            )
            .hint("extract them into different folders"));
        }
        stems.push(stem);
    }
    Ok(stems)
}

/// All assets of one EXR; never panics.
fn one(
    source: &Path,
    stem: &str,
    scratch: &Scratch,
    plan: &Plan,
    progress: &Progress,
) -> Extracted {
    let mut done = Extracted {
        source: source.to_owned(),
        outputs: Vec::new(),
        failures: Vec::new(),
    };
    let outcome = guard::quietly(|| images(source, plan, progress));
    let images = outcome.unwrap_or_else(|| {
        Err(Error::new(Kind::Internal, "a fault in the reader").hint("please report this file"))
    });
    let images = match images {
        Ok(images) => images,
        Err(error) => {
            let name = source
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            done.failures.push(Failure {
                name,
                error: place(error, source),
            });
            return done;
        }
    };
    for (asset, image) in images {
        let name = format!("{stem}.{}", asset.suffix());
        let written = image
            .map_err(|error| place(error, source))
            .and_then(|image| {
                if progress.stop.load(Ordering::Relaxed) {
                    return Err(Error::cancelled());
                }
                let bytes = guard::quietly(|| encode(&image, plan.mode, &progress.stop))
                    .unwrap_or_else(|| Err(Error::new(Kind::Internal, "a fault in the encoder")))?;
                progress
                    .bytes_written
                    .fetch_add(bytes.len() as u64, Ordering::Relaxed);
                scratch.put(&name, &bytes)
            });
        match written {
            Ok(path) => {
                progress.images_done.fetch_add(1, Ordering::Relaxed);
                done.outputs.push(path);
            }
            Err(error) => done.failures.push(Failure { name, error }),
        }
    }
    done
}

/// The file in front of the words, unless they name it.
fn place(error: Error, source: &Path) -> Error {
    let name = source.display().to_string();
    if error.message.contains(&name) || error.kind == Kind::Cancelled {
        error
    } else {
        error.at(name)
    }
}

type Made = Vec<(Asset, Result<Image>)>;

fn images(path: &Path, plan: &Plan, progress: &Progress) -> Result<Made> {
    let file = File::open(path).map_err(|error| Error::io(&error, "open", path))?;
    let mut input = Input::new(file)?;
    let header = Header::read(&mut input)?;
    let length = input.length();
    let mut made: Made = Vec::with_capacity(plan.assets.len());
    let (mut sources, mut places) = (Vec::new(), Vec::new());
    for &asset in &plan.assets {
        match source(&header, asset) {
            Ok(found) => {
                places.push(made.len());
                sources.push(found);
                // Replaced below.
                made.push((asset, Err(Error::new(Kind::Internal, "not made"))));
            }
            Err(error) => made.push((asset, Err(error))),
        }
    }
    if !sources.is_empty() {
        let images = make(input, &header, &sources, plan.rules, &progress.stop)?;
        for (place, image) in places.into_iter().zip(images) {
            made[place].1 = image;
        }
    }
    progress.bytes_read.fetch_add(length, Ordering::Relaxed);
    Ok(made)
}
