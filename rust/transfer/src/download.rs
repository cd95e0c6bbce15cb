//! The whole of a download: folder, manifest, permits, checkpoints, end.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::header::HeaderMap;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::backoff::Gate;
use crate::board::{Board, Unit, Work};
use crate::counters::{add, take, Counters, Failure, Snapshot};
use crate::disk;
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::fetch::Context;
use crate::finished::Finished;
use crate::folder::{digest, part_id, Aside, Folder, Present};
use crate::http::Http;
use crate::ids::Ids;
use crate::journal::Journal;
use crate::key::Key;
use crate::large;
use crate::links::Links;
use crate::list::List;
use crate::manifest::Source;
use crate::plan::{plan, Order, Policy, Scan, Seen};
use crate::tar::Tar;
use crate::{small, untold};

/// How often finished work is brought to the disk itself: the most that a power loss costs.
const CHECKPOINT: Duration = Duration::from_secs(5);

/// Missing render ids that are named; further ones are only counted.
const MOST_MISSING: usize = 1_000;

/// What to download and how.
#[derive(Debug)]
pub struct Options {
    /// The files.
    pub list: List,
    /// Headers of every request; the secret ones stay at the list's origin.
    pub headers: HeaderMap,
    /// The output folder; made if it does not exist.
    pub directory: PathBuf,
    /// Requests at one time.
    pub concurrency: usize,
    /// Fetch files again that differ from the server's.
    pub update: bool,
    /// Look at the hash of files that are there.
    pub verify: bool,
    /// Files that are only wanted for what is made from them; they go to `.synthesis/aside`.
    pub aside: Option<Aside>,
    /// Inclusive ranges of render ids; `None` for all.
    pub render_ids: Option<Vec<(u64, u64)>>,
    /// Which of them come first.
    pub order: Order,
    /// Part `i` (from 0) of `n` disjoint parts that are the whole together: by render id, or by
    /// a hash of the name for files without one.
    pub shard: Option<(u64, u64)>,
    /// Only count: nothing is fetched, written or locked.
    pub dry_run: bool,
    /// Begin even if the disk seems too small.
    pub force: bool,
    /// A file that gets a line of JSON for each file as it ends.
    pub report: Option<PathBuf>,
    /// Shards in place of single files.
    pub tar: Option<Tar>,
    /// Gets what is finished as it is; a full channel holds up further files.
    pub finished: Option<async_channel::Sender<Finished>>,
}

impl Options {
    /// `list` to `directory`, and nothing out of the ordinary.
    pub fn new(list: List, directory: PathBuf, concurrency: usize) -> Self {
        Self {
            list,
            headers: HeaderMap::new(),
            directory,
            concurrency,
            update: false,
            verify: false,
            aside: None,
            render_ids: None,
            order: Order::Manifest,
            shard: None,
            dry_run: false,
            force: false,
            report: None,
            tar: None,
            finished: None,
        }
    }
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// The last counters.
    pub counters: Snapshot,
    /// The first failures, by name.
    pub failures: Vec<Failure>,
    /// How many files failed for each kind of reason.
    pub failed_by_kind: BTreeMap<String, u64>,
    /// How many asked render ids have no file.
    pub missing: u64,
    /// The first of them.
    pub missing_render_ids: Vec<u64>,
    /// False if the job still makes files.
    pub complete: bool,
}

/// Brings the files of a manifest to a folder.
///
/// Files that fail are in the outcome. An error means that the whole stopped: cancelled, disk full,
/// the manifest not to be had, nobody answering. What was done is kept, and a later call goes on.
pub async fn download(
    http: Arc<Http>,
    options: Options,
    counters: Arc<Counters>,
    cancel: CancellationToken,
) -> Result<Outcome> {
    let mut tasks = JoinSet::new();
    let outcome = tokio::select! {
        outcome = run(http, options, counters.clone(), &mut tasks) => outcome,
        () = cancel.cancelled() => Err(Error::new("cancelled", "the download was cancelled; what is done is kept")),
    };
    // Tasks end at their next wait; no byte is written after this.
    tasks.shutdown().await;
    outcome.map_err(|error| with_need(error, &counters.snapshot()))
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
    let opened = tokio::task::spawn_blocking(move || open(&directory, options.aside)).await;
    let (folder, journal, found) =
        opened.map_err(|_| Error::new("internal", "the folder's scan broke off"))??;
    let links = Links::new();
    let gate = Gate::default();
    let context = Arc::new(Context {
        http,
        gate,
        source,
        links,
        folder,
        journal,
        counters,
    });
    let (sender, receiver) = async_channel::bounded(permits.clamp(64, 1024));
    let board = Arc::new(Board::new(receiver));
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
        tasks.spawn(permit(
            context.clone(),
            board.clone(),
            outages.clone(),
            2 * permits.max(8),
        ));
    }
    let seen = tokio::select! {
        seen = finish(tasks) => seen?,
        error = checkpoints(context.clone()) => return Err(error),
    };
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

fn open(directory: &Path, aside: Option<Aside>) -> Result<(Folder, Journal, Scan)> {
    let has_aside = aside.is_some();
    let folder = Folder::open(directory, aside)?;
    let journal = Journal::open(folder.work())?;
    folder.sweep(|id| journal.partial(id).is_some());
    let scan = |path: &Path| Present::scan(path, journal.doubt_since);
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
fn permits(asked: usize) -> usize {
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

/// One permit: takes work until there is none.
async fn permit(
    context: Arc<Context>,
    board: Arc<Board>,
    outages: Arc<AtomicUsize>,
    most_outages: usize,
) -> Result<Done> {
    while let Some(work) = board.next().await {
        add(&context.counters.in_flight, 1);
        match work {
            Work::Help(large, range) => large::help(&context, &board, &large, range).await,
            Work::File(unit) => {
                let name = unit.entry.name.clone();
                let outcome = see_to(&context, &board, unit).await;
                board.done(&name);
                match outcome {
                    Ok(()) => outages.store(0, Ordering::Relaxed),
                    Err(error) if error.is_fatal() => return Err(error),
                    Err(error) => {
                        context.counters.fail(&name, &error);
                        // Every permit in vain, twice over, and nothing else: nobody is there.
                        if error.is_outage()
                            && outages.fetch_add(1, Ordering::Relaxed) + 1 >= most_outages
                        {
                            return Err(error);
                        }
                    }
                }
            }
        }
        take(&context.counters.in_flight, 1);
    }
    Ok(Done::Permit)
}

async fn see_to(context: &Arc<Context>, board: &Board, unit: Unit) -> Result<()> {
    let Unit {
        entry,
        check,
        replace,
    } = unit;
    if check && is_right(context, &entry).await? {
        add(&context.counters.files_present, 1);
        add(&context.counters.bytes_present, entry.bytes.unwrap_or(0));
        return Ok(());
    }
    if check && !replace {
        let text = format!("{}: its bytes are not those of the manifest", entry.name);
        return Err(Error::new("mismatch", text).hint("--update fetches it again"));
    }
    match entry.bytes {
        Some(bytes) if bytes <= small::LARGEST => {
            // Its former, larger self may be half done.
            if !context.journal.is_empty() {
                context.journal.gone(&part_id(&entry.name))?;
            }
            small::fetch(context, entry, replace).await
        }
        Some(_) => large::fetch(context, board, entry, replace).await,
        None => untold::fetch(context, board, entry, replace).await,
    }
}

/// Hashes a file that is there, off the permits' threads.
async fn is_right(context: &Arc<Context>, entry: &Entry) -> Result<bool> {
    let path = context.folder.target(&entry.name);
    match tokio::task::spawn_blocking(move || digest(&path)).await {
        Ok(Ok(found)) => Ok(entry.sha256.is_none_or(|known| found == known)),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Ok(Err(error)) => {
            let text = format!("{}: it cannot be read: {error}", entry.name);
            Err(Error::new("mismatch", text))
        }
        Err(_) => Err(Error::new("internal", "hashing broke off")),
    }
}

/// Every few seconds: sync, and only then say so in the journal. Returns only with an error.
async fn checkpoints(context: Arc<Context>) -> Error {
    let mut last = 0;
    loop {
        tokio::time::sleep(CHECKPOINT).await;
        let received = context.counters.bytes_received.load(Ordering::Relaxed);
        if std::mem::replace(&mut last, received) == received {
            continue;
        }
        let context = context.clone();
        let moment = SystemTime::now();
        let work = move || {
            context
                .folder
                .sync()
                .and_then(|()| context.journal.synced(moment))
        };
        if let Ok(Err(error)) = tokio::task::spawn_blocking(work).await {
            return error;
        }
    }
}

/// The last sync, and away with the work folder unless something is half done.
async fn close(context: &Arc<Context>) -> Result<()> {
    let context = context.clone();
    let is_new = read(&context.counters.files_new) > 0;
    let work = move || {
        if is_new {
            context.folder.sync()?;
        }
        if context.journal.is_empty() {
            context.folder.finish();
        }
        Ok(())
    };
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(Error::new("internal", "the last sync broke off")))
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// Adds to "disk full" how much room is still needed.
fn with_need(mut error: Error, counters: &Snapshot) -> Error {
    let left = counters.bytes_total.saturating_sub(counters.bytes_done);
    if error.kind == "disk-full" && left > 0 && !error.message.ends_with("missing") {
        error.message = format!("{}; {left} bytes are still to come", error.message);
    }
    error
}
