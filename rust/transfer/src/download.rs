//! The whole of a download: folder, manifest, permits, checkpoints, end.

use std::path::Path;
use std::sync::atomic::AtomicUsize;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::board::Board;
use crate::checkpoint::{checkpoint, checkpoints, close, grace, leave};
use crate::control::{Control, Driver, Gate, Memory, Throttle};
use crate::counters::{Counters, Snapshot};
use crate::dry_run::dry_run;
use crate::error::{Error, Result};
use crate::fates::Fates;
use crate::fetch::Context;
use crate::folder::{Aside, Folder, Present};
use crate::http::Http;
use crate::ids::Ids;
use crate::journal::Journal;
use crate::judge::{Policy, Scan, Shards};
use crate::links::Links;
use crate::list::List;
use crate::manifest::Source;
use crate::options::{Options, Outcome};
use crate::permit::{permit, Crew};
use crate::plan::{plan, Order, Seen, Wishes};
use crate::room::size;
use crate::selection::Selection;
use crate::tar::{Packer, Shelf};

/// Longer than the bodies' grace, shorter than a caller's patience.
const WINDING_DOWN: Duration = Duration::from_millis(2_700);

/// Files that are planned ahead of their permits.
const QUEUED: usize = 1_024;

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
    if options.tar.is_some() && options.aside.is_some() {
        let text = "files cannot be made from others and put into shards in one run";
        return Err(Error::new("usage", text));
    }
    if options.dry_run {
        return dry_run(&http, options, counters).await;
    }
    let selection = (options.list).selection(options.render_ids.as_deref(), options.shard);
    let source = Source::new(options.list, options.headers);
    let (aside, tar) = (options.aside, options.tar);
    let (is_staged, renders) = (tar.is_some(), tar.as_ref().map_or(1, |tar| tar.renders));
    let directory = tar.map_or(options.directory, |tar| tar.directory);
    let is_deep = !matches!(source.list, List::Manifest { .. });
    let has_aside = aside.is_some();
    let opened =
        tokio::task::spawn_blocking(move || open(&directory, &selection, aside, is_staged)).await;
    let (folder, journal, shelf) =
        opened.map_err(|_| Error::new("internal", "opening the folder broke off"))??;
    let (shelf, packed) = shelf.unzip();
    let packer = shelf.map(|shelf| Packer::new(renders, shelf)).transpose()?;
    let links = Links::new();
    let known = options.memory.filter(|_| source.list.url().is_some());
    let memory = Memory::of(known, source.place());
    let mut driver = Driver::new(options.concurrency, memory);
    let context = Arc::new(Context {
        gate: Gate::new(options.max_rps, http.limits().attempts),
        http,
        control: Control::new(driver.permits()),
        throttle: Throttle::new(options.limit_rate),
        source,
        links,
        folder,
        journal,
        readers: Arc::default(),
        fates: Arc::new(Fates::open(packer, options.report, options.finished)?),
        counters,
    });
    let scan = tokio::task::spawn_blocking({
        let context = context.clone();
        move || scan(&context, packed, has_aside, is_deep)
    });
    let (sender, receiver) = async_channel::bounded(QUEUED);
    let may_reorder = options.order == Order::Manifest && !is_staged;
    let board = Arc::new(Board::new(receiver, may_reorder, cancel.clone()));
    let asked = options.render_ids.as_deref().map(Ids::new);
    let wishes = Wishes {
        policy: Policy {
            update: options.update,
            verify: options.verify,
        },
        selection: Selection {
            asked: asked.clone(),
            shard: options.shard,
        },
        force: options.force,
    };
    tasks.spawn({
        let (context, board) = (context.clone(), board.clone());
        async move {
            Ok(Done::Planned(
                plan(&context, &board, sender, scan, wishes).await?,
            ))
        }
    });
    let crew = Crew {
        context: context.clone(),
        board,
        outages: Arc::new(AtomicUsize::new(0)),
    };
    let seen = tokio::select! {
        seen = work(tasks, &crew, &mut driver) => seen,
        error = checkpoints(context.clone()) => Err(error),
        error = context.fates.failed() => Err(error),
        () = grace(cancel, &context.counters) => Ok(Seen::default()),
    };
    let ended = end(&context, seen, tasks, cancel).await;
    context.fates.stop().await;
    let reported = context.fates.close(ended.as_ref().err());
    if ended.is_err() {
        tasks.shutdown().await;
        leave(&context).await;
    }
    let seen = ended?;
    reported?;
    if seen.repeated > 0 {
        let text = match seen.repeated {
            1 => "1 line repeats an earlier one; its file was fetched once".to_owned(),
            lines => format!("{lines} lines repeat earlier ones; each file was fetched once"),
        };
        context.counters.warn(text);
    }
    let bound = driver.finish(&context);
    Ok(Outcome {
        complete: seen.complete,
        listed: seen.listed.iter().map(|asset| asset.to_string()).collect(),
        bound,
        ..Outcome::of(&context.counters, asked.as_ref(), &seen.ids)
    })
}

/// The last sync, whichever way the run ends but by an error.
async fn end(
    context: &Arc<Context>,
    seen: Result<Seen>,
    tasks: &mut JoinSet<Result<Done>>,
    cancel: &CancellationToken,
) -> Result<Seen> {
    let seen = seen?;
    if cancel.is_cancelled() {
        tasks.shutdown().await;
        checkpoint(context).await?;
        return Err(cancelled());
    }
    context.fates.pack_rest().await?;
    close(context).await?;
    Ok(seen)
}

/// The folder, what is half done in it, and its shards if there are to be any.
type Opened = (Folder, Journal, Option<(Shelf, Present)>);

fn open(
    directory: &Path,
    selection: &str,
    aside: Option<Aside>,
    is_staged: bool,
) -> Result<Opened> {
    let folder = Folder::open(directory, aside, is_staged)?;
    let journal = Journal::open(folder.work(), selection)?;
    folder.sweep(|id| journal.partial(id).is_some());
    let shelf = folder
        .stage()
        .map(|stage| Shelf::open(folder.path(), stage));
    let shelf = shelf.transpose()?;
    Ok((folder, journal, shelf))
}

/// Looks at what is there; names of lists may be paths, so `is_deep` looks into sub-folders.
fn scan(
    context: &Context,
    packed: Option<Present>,
    has_aside: bool,
    is_deep: bool,
) -> Result<Scan> {
    let (doubt, folder) = (context.journal.doubt_since, &context.folder);
    let scan = |path: &Path| Present::scan(path, doubt, folder.folds, is_deep);
    let beside = packed.is_some().then(|| scan(folder.path())).transpose()?;
    Ok(Scan {
        folder: scan(folder.stage().unwrap_or(folder.path()))?,
        aside: match has_aside {
            true => scan(&folder.aside())?,
            false => Present::default(),
        },
        shards: packed
            .zip(beside)
            .map(|(packed, beside)| Shards { packed, beside }),
    })
}

/// Starts permits as they are allowed, until all have ended.
async fn work(tasks: &mut JoinSet<Result<Done>>, crew: &Crew, driver: &mut Driver) -> Result<Seen> {
    let mut seen = Seen::default();
    loop {
        for index in driver.start() {
            let crew = crew.clone();
            tasks.spawn(async move { permit(crew, index).await.map(|()| Done::Permit) });
        }
        let ended = tokio::select! {
            ended = tasks.join_next() => ended,
            () = driver.look(&crew.context, &crew.board) => continue,
        };
        match ended {
            Some(Ok(Ok(Done::Planned(found)))) => seen = found,
            Some(Ok(Ok(Done::Permit))) => {}
            Some(Ok(Err(error))) => return Err(error),
            Some(Err(_)) => {
                let text = "a part of the download broke off unexpectedly";
                return Err(Error::new("internal", text));
            }
            None => return Ok(seen),
        }
    }
}

/// Adds to "disk full" how much room is still needed.
fn with_need(mut error: Error, counters: &Snapshot) -> Error {
    let left = counters.bytes_total.saturating_sub(counters.bytes_done);
    if error.kind == "disk-full" && left > 0 && !error.message.ends_with("missing") {
        error.message = format!("{}; {} are still to come", error.message, size(left));
    }
    error
}
