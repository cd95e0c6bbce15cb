//! One EXR, in one pass over its rows.

use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::job::{Job, Made, Sink};
use super::scratch::Scratch;
use super::thumbnail::Thumbnail;
use super::wish::{wishes, Container, Wish};
use super::{Extracted, Failure, Plan, Progress, Range};
use crate::assets::maker::Maker;
use crate::assets::numbers::Known;
use crate::assets::source::Source;
use crate::assets::Rules;
use crate::encode::{Encoder, Shape};
use crate::error::{Error, Kind, Result};
use crate::guard;
use crate::read::header::Header;
use crate::read::{Input, Place, Reading, Rows};

/// Everything wanted of one EXR; never panics.
pub fn extract(
    source: &Path,
    stem: &str,
    scratch: &Scratch,
    plan: &Plan,
    progress: &Progress,
    known: &mut Known,
) -> Extracted {
    let mut done = Extracted {
        source: source.to_owned(),
        ..Extracted::default()
    };
    let wishes = wishes(plan);
    let names: Vec<String> = wishes
        .iter()
        .map(|wish| format!("{stem}.{}", wish.suffix()))
        .collect();
    let sink = |wish: usize, shape: Shape| {
        let out = scratch.create(&names[wish])?;
        Ok(match wishes[wish] {
            Wish::Thumbnail => Sink::Thumbnail(Thumbnail::new(shape.width, shape.height), out),
            Wish::Channel(_, Container::Npy) => {
                let path = out.path().to_owned();
                Sink::Image(Box::new(Encoder::npy(out, shape)?), path)
            }
            Wish::Asset(_) | Wish::Channel(..) => {
                let path = out.path().to_owned();
                Sink::Image(Box::new(Encoder::new(out, shape, plan.mode)?), path)
            }
        })
    };
    let how = How {
        rules: plan.rules,
        reading: plan.reading,
        stop: &progress.stop,
    };
    match make(source, &wishes, &how, known, &sink) {
        Ok(all) => {
            progress.bytes_read.fetch_add(all.length, Ordering::Relaxed);
            done.missing = all.missing;
            let named = all.unnamed.iter().zip(&names);
            done.unnamed = named
                .filter(|(&pixels, _)| pixels > 0)
                .map(|(&pixels, name)| (name.clone(), pixels))
                .collect();
            for (fate, name) in all.fates.into_iter().zip(names) {
                match fate.map_err(|error| place(error, source)) {
                    Ok(Made::File(path, bytes)) => {
                        progress.images_done.fetch_add(1, Ordering::Relaxed);
                        progress.bytes_written.fetch_add(bytes, Ordering::Relaxed);
                        done.outputs.push(path);
                    }
                    Ok(Made::Array(_)) => {}
                    Err(error) => done.failures.push(Failure { name, error }),
                }
            }
        }
        Err(error) => {
            let name = source.file_name().unwrap_or_default();
            done.failures.push(Failure {
                name: name.to_string_lossy().into_owned(),
                error: place(error, source),
            });
        }
    }
    done
}

/// The file in front of the words, unless they name a file.
fn place(error: Error, source: &Path) -> Error {
    let is_disk = matches!(error.kind, Kind::Disk | Kind::DiskFull | Kind::Permission);
    let name = source.display().to_string();
    if is_disk || error.kind == Kind::Cancelled || error.message.contains(&name) {
        error
    } else {
        error.at(name)
    }
}

/// How a file is read, and when that ends.
pub struct How<'a> {
    pub rules: Rules,
    pub reading: Reading,
    pub stop: &'a AtomicBool,
}

/// What came of all wishes, in their order.
pub struct All {
    pub fates: Vec<Result<Made>>,
    /// For each, covered pixels whose id the manifest lacks.
    pub unnamed: Vec<u64>,
    pub missing: Vec<Range>,
    /// Bytes of the EXR.
    pub length: u64,
}

/// Makes `wishes` of the file at `path`, into what `sink` gives for each; a fault of this program
/// is an error like others.
pub fn make(
    path: &Path,
    wishes: &[Wish<'_>],
    how: &How<'_>,
    known: &mut Known,
    sink: &dyn Fn(usize, Shape) -> Result<Sink>,
) -> Result<All> {
    guard::quietly(|| run(path, wishes, how, known, sink)).unwrap_or_else(|| {
        Err(Error::new(Kind::Internal, "a fault in the reader").hint("please report this file"))
    })
}

fn run(
    path: &Path,
    wishes: &[Wish<'_>],
    how: &How<'_>,
    known: &mut Known,
    sink: &dyn Fn(usize, Shape) -> Result<Sink>,
) -> Result<All> {
    let file = File::open(path).map_err(|error| Error::io(&error, "open", path))?;
    let mut input = Input::new(file)?;
    let length = input.length();
    let header = Header::read(&mut input)?;
    let mut fates: Vec<Option<Result<Made>>> = wishes.iter().map(|_| None).collect();
    let sources = sources(&header, path.parent(), wishes, &mut fates)?;
    let wanted = wanted(&sources);
    let mut missing = Vec::new();
    let mut unnamed = vec![0; wishes.len()];
    if !sources.is_empty() {
        let mut rows = Rows::new(input, &header, &wanted, how.reading)?;
        let mut jobs = Vec::with_capacity(sources.len());
        for (source, wishes) in sources {
            match Maker::new(&header, &source, &wanted, how.rules, known) {
                Ok(maker) => {
                    let mut sinks = Vec::with_capacity(wishes.len());
                    for wish in wishes {
                        match sink(wish, source.shape(&header)) {
                            Ok(sink) => sinks.push((wish, sink)),
                            Err(error) => fates[wish] = Some(Err(error)),
                        }
                    }
                    jobs.push(Job::new(maker, sinks));
                }
                Err(error) => {
                    for wish in wishes {
                        fates[wish] = Some(Err(error.clone()));
                    }
                }
            }
        }
        jobs.retain(|job| !job.is_over());
        let mut failed = Vec::new();
        while !jobs.is_empty() {
            let Some(row) = rows.next(how.stop)? else {
                break;
            };
            if !row.is_whole {
                note(&mut missing, row.y);
            }
            for job in &mut jobs {
                job.row(&row, &mut failed);
            }
            if !failed.is_empty() {
                for (wish, error) in failed.drain(..) {
                    fates[wish] = Some(Err(error));
                }
                jobs.retain(|job| !job.is_over());
            }
        }
        for (wish, outcome) in jobs.into_iter().flat_map(Job::finish) {
            if how.stop.load(Ordering::Relaxed) {
                return Err(Error::cancelled());
            }
            fates[wish] = Some(outcome.map(|(made, pixels)| {
                unnamed[wish] = pixels;
                made
            }));
        }
    }
    let forgotten = || Err(Error::new(Kind::Internal, "not made"));
    Ok(All {
        fates: fates
            .into_iter()
            .map(|fate| fate.unwrap_or_else(forgotten))
            .collect(),
        unnamed,
        missing,
        length,
    })
}

/// The sources of all wishes that have one, each once, with the numbers of the wishes. An error
/// when none can be made because of the sort of the file.
fn sources(
    header: &Header,
    folder: Option<&Path>,
    wishes: &[Wish<'_>],
    fates: &mut [Option<Result<Made>>],
) -> Result<Vec<(Source, Vec<usize>)>> {
    let mut all: Vec<(Source, Vec<usize>)> = Vec::new();
    let mut unsupported = None;
    for (index, wish) in wishes.iter().enumerate() {
        let found = wish
            .source(header, folder)
            .and_then(|source| source.check(header).map(|()| source));
        match found {
            Ok(source) => match all.iter_mut().find(|(other, _)| other.what == source.what) {
                Some((_, wishes)) => wishes.push(index),
                None => all.push((source, vec![index])),
            },
            Err(error) => {
                if error.kind == Kind::UnsupportedExr {
                    unsupported = Some(error.clone());
                }
                fates[index] = Some(Err(error));
            }
        }
    }
    match unsupported {
        Some(error) if all.is_empty() => Err(error),
        _ => Ok(all),
    }
}

/// Every channel that some source needs, once.
fn wanted(sources: &[(Source, Vec<usize>)]) -> Vec<Place> {
    let mut wanted = Vec::new();
    for place in sources.iter().flat_map(|(source, _)| &source.places) {
        if !wanted.contains(place) {
            wanted.push(*place);
        }
    }
    wanted
}

/// Row `y`, below all before it, is missing.
pub fn note(missing: &mut Vec<Range>, y: usize) {
    match missing.last_mut() {
        Some(range) if range.last + 1 == y => range.last = y,
        _ => missing.push(Range { first: y, last: y }),
    }
}
