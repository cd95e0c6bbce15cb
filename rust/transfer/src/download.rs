//! The whole of a download: folder, manifest, permits, checkpoints, end.

use std::path::Path;
use std::sync::atomic::AtomicUsize;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::backoff::Gate;
use crate::board::Board;
use crate::checkpoint::{checkpoint, checkpoints, close, grace};
use crate::control::{Bound, Throttle};
use crate::counters::{Counters, Snapshot};
use crate::disk;
use crate::error::{Error, Result};
use crate::fetch::Context;
use crate::folder::{Aside, Folder, Present};
use crate::http::Http;
use crate::ids::Ids;
use crate::journal::Journal;
use crate::key::Key;
use crate::links::Links;
use crate::list::List;
use crate::manifest::Source;
use crate::options::{Concurrency, Options, Outcome};
use crate::permit::permit;
use crate::plan::{plan, Policy, Scan, Seen};

/// Missing render ids that are named; further ones are only counted.
const MOST_MISSING: usize = 1_000;

/// Longer than the bodies' grace, shorter than a caller's patience.
const WINDING_DOWN: Duration = Duration::from_millis(2_700);

/// Brings the files of a manifest to a folder.
///
/// Cancelling stops the giving out of work, lets bodies that still arrive arrive for up to 2 s, and
/// syncs. Files that fail are in the outcome. An error means that the whole stopped: cancelled, disk full,
/// the manifest not to be had, nobody answering. What was done is kept, and a later call goes on.
pub async fn download(
    http: Arc<Http>,
    options: Options,
    counters: Arc<Counters>,
    cancel: CancellationToken,
) -> Result<Outcome> {
    let mut tasks = JoinSet::new();
    let outcome = tokio::select! {
        outcome = run(http, options, counters.clone(), &mut tasks, &cancel) => outcome,
        () = patience(&cancel) => Err(cancelled()),
    };
    // Tasks end at their next wait; no byte is written after this.
    tasks.shutdown().await;
    outcome.map_err(|error| with_need(error, &counters.snapshot()))
}

/// The end of a run that was cancelled.
fn cancelled() -> Error {
    Error::new(
        "cancelled",
        "the download was cancelled; what is done is kept",
    )
}

/// How long a cancelled run may take to wind down by itself, its last sync included.
async fn patience(cancel: &CancellationToken) {
    cancel.cancelled().await;
    tokio::time::sleep(WINDING_DOWN).await;
}

/// A task's result: the planner's or a permit's.
enum Done {
    Planned(Seen),
    Permit,
}

async fn run(
    http: Arc<Http>,
    options: Options,
    counters: Arc<Counters>,
    tasks: &mut JoinSet<Result<Done>>,
    cancel: &CancellationToken,
) -> Result<Outcome> {
    let permits = permits(options.concurrency);
    let url = match &options.list {
        List::Manifest { url } if !is_ahead_of_time(&options) => url.clone(),
        _ => {
            let text = "this way of downloading is not ready yet";
            return Err(Error::new("usage", text));
        }
    };
    let (key, headers) = Key::split(options.headers, &url);
    let source = Source { url, key, headers };
    let directory = options.directory;
    let selection = options.list.selection(options.render_ids.as_deref());
    let opened =
        tokio::task::spawn_blocking(move || open(&directory, &selection, options.aside)).await;
    let (folder, journal, found) =
        opened.map_err(|_| Error::new("internal", "the folder's scan broke off"))??;
    let links = Links::new();
    let gate = Gate::default();
    let context = Arc::new(Context {
        http,
        gate,
        throttle: Throttle::new(options.limit_rate),
        source,
        links,
        folder,
        journal,
        counters,
    });
    let (sender, receiver) = async_channel::bounded(permits.clamp(64, 1024));
    let board = Arc::new(Board::new(receiver, cancel.clone()));
    let policy = Policy {
        update: options.update,
        verify: options.verify,
    };
    let asked = options.render_ids.as_deref().map(Ids::new);
    tasks.spawn({
        let (context, board, asked) = (context.clone(), board.clone(), asked.clone());
        async move {
            Ok(Done::Planned(
                plan(&context, &board, sender, found, policy, asked).await?,
            ))
        }
    });
    let outages = Arc::new(AtomicUsize::new(0));
    for _ in 0..permits {
        let (context, board, outages) = (context.clone(), board.clone(), outages.clone());
        tasks.spawn(async move {
            permit(context, board, outages, 2 * permits.max(8)).await?;
            Ok(Done::Permit)
        });
    }
    let seen = tokio::select! {
        seen = finish(tasks) => seen?,
        error = checkpoints(context.clone()) => return Err(error),
        () = grace(cancel, &context.counters) => Seen::default(),
    };
    if cancel.is_cancelled() {
        tasks.shutdown().await;
        checkpoint(&context).await?;
        return Err(cancelled());
    }
    close(&context).await?;
    let (missing, missing_render_ids) = asked
        .map(|asked| asked.missing_from(&seen.ids, MOST_MISSING))
        .unwrap_or_default();
    let counters = &context.counters;
    Ok(Outcome {
        counters: counters.snapshot(),
        failures: counters.failures(),
        failed_by_kind: counters.failed_by_kind(),
        missing,
        missing_render_ids,
        complete: seen.complete,
        bound: Bound::default(),
    })
}

/// True if an option asks for something that is still to be made.
fn is_ahead_of_time(options: &Options) -> bool {
    options.shard.is_some()
        || options.dry_run
        || options.report.is_some()
        || options.tar.is_some()
        || options.finished.is_some()
}

fn open(
    directory: &Path,
    selection: &str,
    aside: Option<Aside>,
) -> Result<(Folder, Journal, Scan)> {
    let has_aside = aside.is_some();
    let folder = Folder::open(directory, aside)?;
    let journal = Journal::open(folder.work(), selection)?;
    folder.sweep(|id| journal.partial(id).is_some());
    let scan = |path: &Path| Present::scan(path, journal.doubt_since, folder.folds);
    let (present, aside) = (
        scan(folder.path())?,
        if has_aside {
            scan(&folder.aside())?
        } else {
            Present::default()
        },
    );
    Ok((
        folder,
        journal,
        Scan {
            folder: present,
            aside,
        },
    ))
}

/// A connection and a file for each permit, and some for the rest of the process.
fn permits(asked: Concurrency) -> usize {
    let asked = match asked {
        Concurrency::Fixed(asked) => asked,
        Concurrency::Auto => 35,
    };
    let most = disk::raise_file_limit().map_or(usize::MAX, |limit| {
        usize::try_from(limit.saturating_sub(64) / 2).unwrap_or(usize::MAX)
    });
    asked.min(most).max(1)
}

async fn finish(tasks: &mut JoinSet<Result<Done>>) -> Result<Seen> {
    let mut seen = Seen::default();
    while let Some(task) = tasks.join_next().await {
        match task {
            Ok(Ok(Done::Planned(found))) => seen = found,
            Ok(Ok(Done::Permit)) => {}
            Ok(Err(error)) => return Err(error),
            Err(_) => {
                return Err(Error::new(
                    "internal",
                    "a part of the download broke off unexpectedly",
                ))
            }
        }
    }
    Ok(seen)
}

/// Adds to "disk full" how much room is still needed.
fn with_need(mut error: Error, counters: &Snapshot) -> Error {
    let left = counters.bytes_total.saturating_sub(counters.bytes_done);
    if error.kind == "disk-full" && left > 0 && !error.message.ends_with("missing") {
        error.message = format!("{}; {left} bytes are still to come", error.message);
    }
    error
}
