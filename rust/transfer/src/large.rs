//! A file over 1 MiB: byte ranges that any permit may fetch, resumed after a kill, hashed whole.
//!
//! One `Large` is one attempt at one version of a file. Ranges are joined only under one strong
//! ETag; whatever does not fit (200 for a range, another ETag, another total) ends the attempt,
//! and the next one begins with an empty part. Two versions are never spliced.

mod claims;
mod hash;
mod range;
mod readers;

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use self::claims::{Claims, TURNS, TURNS_HASHED};
use self::readers::Hashed;
use crate::backoff::lock;
use crate::board::Board;
use crate::counters::{add, take};
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::fetch::{Context, Fault};
use crate::folder::part_id;
use crate::http::Response;
use crate::manifest::hex;
use crate::patience::Patience;
use crate::ranges::Ranges;
use crate::untold;

pub use self::readers::Readers;

/// Smaller files are never split: a second request costs more than it brings.
const SPLIT_FROM: u64 = 8 << 20;

/// How often permits without work are called to help.
const CALL: Duration = Duration::from_millis(100);

/// How much is written between two notes in the journal, so the most that a kill wastes a permit.
const NOTED: u64 = 1 << 20;

/// Who brings this much before the connection breaks makes progress, however often it breaks.
const PROGRESS: u64 = 8 << 10;

/// One attempt at a large file.
pub struct Large {
    entry: Entry,
    size: u64,
    first: Mutex<Option<Response>>,
    id: String,
    part: PathBuf,
    file: File,
    validator: OnceLock<String>,
    claims: Mutex<Claims>,
    hash: Arc<tokio::sync::Mutex<Hashed>>,
    counted: AtomicU64,
    changed: Notify,
    called: Mutex<Instant>,
    dead: CancellationToken,
}

/// Fetches a file that is large, or may be, to its final name, however many tries it takes. What the
/// journal knows of it is resumed.
pub async fn fetch(
    context: &Arc<Context>,
    board: &Board,
    mut entry: Entry,
    replace: bool,
) -> Result<()> {
    let mut patience = Patience::new(context.http.limits().attempts);
    let (mut split, mut told, size) = (true, 0, entry.bytes);
    loop {
        let outcome = match size {
            Some(_) => attempt(context, board, &entry, replace, split, None).await,
            None => untold::attempt(context, board, &entry, replace, split, &mut told).await,
        };
        let Err(fault) = outcome else {
            return Ok(());
        };
        // Where ranges brought something else than the file, the whole is asked for from then on.
        split &= matches!(fault, Fault::Again(_) | Fault::Expired(..));
        patience.after(context, &mut entry, fault).await?;
        entry.bytes = entry.bytes.or(size);
    }
}

/// One attempt; `first` is the answer to a request for the whole, if there is one already.
pub async fn attempt(
    context: &Arc<Context>,
    board: &Board,
    entry: &Entry,
    replace: bool,
    split: bool,
    first: Option<Response>,
) -> std::result::Result<(), Fault> {
    let large = Arc::new(Large::open(context, entry.clone(), split, first)?);
    board.offer(&large);
    let mut outcome = large.drive(context, board).await;
    board.withdraw(&large);
    if outcome.is_ok() {
        outcome = large.check(&context.readers).await;
    }
    if let Err(fault) = outcome {
        // The next attempt counts what it finds.
        let counted = large.counted.swap(0, Ordering::Relaxed);
        take(&context.counters.bytes_partial, counted);
        let anew = matches!(fault, Fault::Content(_) | Fault::Restart(_));
        if anew || large.validator.get().is_none() {
            large.discard(context)?;
        }
        return Err(fault);
    }
    context
        .folder
        .publish(&large.part, &entry.name, replace)
        .and_then(|()| context.journal.gone(&large.id))
        .map_err(Fault::Final)?;
    take(
        &context.counters.bytes_partial,
        large.counted.load(Ordering::Relaxed),
    );
    add(&context.counters.bytes_new, large.size);
    add(&context.counters.files_new, 1);
    Ok(())
}

/// Fetches a range of somebody else's file; what goes wrong is told to its owner.
pub async fn help(context: &Arc<Context>, board: &Board, large: &Arc<Large>, range: Range<u64>) {
    large.run(context, board, range).await;
}

impl Large {
    /// Opens the part, with what the journal vouches for, or empty.
    fn open(context: &Context, entry: Entry, split: bool, first: Option<Response>) -> Result<Self> {
        let size = entry.bytes.unwrap_or(0);
        let sha256 = entry.sha256.map(|known| hex(&known)).unwrap_or_default();
        let id = part_id(&entry.name);
        let part = context.folder.part(&entry.name);
        let fail = |error: std::io::Error| Error::io("write", &part, &error);
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&part)
            .map_err(fail)?;
        let held = file.metadata().map_err(fail)?.len();
        let partial = context.journal.partial(&id).filter(|partial| {
            let reach = partial.done.iter().last().map_or(0, |range| range.end);
            partial.sha256 == sha256 && partial.bytes == size && reach <= held
        });
        let (validator, mut done) = (OnceLock::new(), Ranges::default());
        match partial {
            Some(partial) => {
                let _ = validator.set(partial.etag);
                done = partial.done;
            }
            None => {
                context.journal.gone(&id)?;
                file.set_len(0).map_err(fail)?;
            }
        }
        add(&context.counters.bytes_partial, done.len());
        Ok(Self {
            id,
            part,
            file,
            validator,
            counted: AtomicU64::new(done.len()),
            claims: Mutex::new(Claims {
                todo: done.gaps(size),
                done,
                under_way: BTreeMap::new(),
                split: split && size > SPLIT_FROM,
                proven: false,
                whole: false,
                fault: None,
                turns: match entry.sha256 {
                    Some(_) => TURNS_HASHED,
                    None => TURNS,
                },
            }),
            hash: Arc::default(),
            changed: Notify::new(),
            called: Mutex::new(Instant::now()),
            dead: CancellationToken::new(),
            first: Mutex::new(first),
            size,
            entry,
        })
    }

    /// Works until every byte is there or the attempt has failed.
    async fn drive(
        self: &Arc<Self>,
        context: &Arc<Context>,
        board: &Board,
    ) -> std::result::Result<(), Fault> {
        loop {
            let changed = self.changed.notified();
            if let Some(range) = self.claim(board.helpers()) {
                self.run(context, board, range).await;
                continue;
            }
            if let Some(outcome) = self.outcome() {
                return outcome;
            }
            changed.await;
        }
    }

    /// How the attempt went, once nobody works on it.
    fn outcome(&self) -> Option<std::result::Result<(), Fault>> {
        let mut claims = lock(&self.claims);
        claims
            .under_way
            .is_empty()
            .then(|| claims.fault.take().map_or(Ok(()), Err))
    }

    async fn run(self: &Arc<Self>, context: &Arc<Context>, board: &Board, range: Range<u64>) {
        let outcome = tokio::select! {
            outcome = self.fetch_range(context, board, range.start) => outcome,
            () = self.dead.cancelled() => Ok(()),
        };
        if self.leave(range.start, outcome) {
            self.dead.cancel();
        }
        self.changed.notify_waiters();
    }

    async fn fetch_range(
        self: &Arc<Self>,
        context: &Arc<Context>,
        board: &Board,
        start: u64,
    ) -> std::result::Result<(), Fault> {
        let mut patience = Patience::new(context.http.limits().attempts);
        let mut entry = self.entry.clone();
        while let Some(range) = self.rest_of(start) {
            let fault = match self.stream(context, board, start, range.clone()).await {
                Ok(()) => continue,
                Err(fault @ (Fault::Again(_) | Fault::Expired(..))) => fault,
                Err(fault) => return Err(fault),
            };
            let at = self.rest_of(start).map_or(range.end, |rest| rest.start);
            match fault {
                Fault::Again(error) if at > 0 && self.validator.get().is_none() => {
                    return Err(Fault::Restart(error))
                }
                // Refused, while another permit is served: fewer connections are wanted.
                Fault::Again(error)
                    if at == start
                        && start > 0
                        && error.status.is_some()
                        && lock(&self.claims).whole =>
                {
                    return Err(Fault::Restart(error))
                }
                fault => {
                    if at - range.start >= PROGRESS {
                        patience.progress();
                    }
                    let outcome = patience.after(context, &mut entry, fault).await;
                    outcome.map_err(Fault::Final)?;
                }
            }
        }
        self.follow(&context.readers, board);
        Ok(())
    }

    /// Lets idle permits look again, now and then: the processor may have room by now.
    fn call_helpers(&self, board: &Board) {
        let mut called = lock(&self.called);
        if called.elapsed() >= CALL {
            *called = Instant::now();
            board.call_helpers();
        }
    }

    fn note(&self, context: &Context, range: Range<u64>) -> Result<()> {
        if range.is_empty() {
            return Ok(());
        }
        lock(&self.claims).done.add(range.clone());
        if self.validator.get().is_some() {
            context.journal.done(&self.id, range)?;
        }
        Ok(())
    }

    /// Forgets what was fetched. The part's name is free for the next attempt.
    fn discard(&self, context: &Context) -> Result<()> {
        context.journal.gone(&self.id)?;
        match std::fs::remove_file(&self.part) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::io("remove", &self.part, &error))
            }
            _ => Ok(()),
        }
    }
}
