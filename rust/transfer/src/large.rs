//! A file over 1 MiB: byte ranges that any permit may fetch, resumed after a kill, hashed whole.
//!
//! One `Large` is one attempt at one version of a file. Ranges are joined only under one strong
//! ETag; whatever does not fit (200 for a range, another ETag, another total) ends the attempt,
//! and the next one begins with an empty part. Two versions are never spliced.

mod hash;
mod range;

use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

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

/// Smaller files are never split: a second request costs more than it brings.
const SPLIT_FROM: u64 = 32 << 20;

/// The ranges of a split file: long enough to hide a round trip, short enough to share well.
const GRAINS: (u64, u64) = (8 << 20, 64 << 20);

/// How often permits without work are called to help.
const CALL: Duration = Duration::from_millis(100);

/// How much is written between two notes in the journal, so the most that a kill wastes a permit.
const NOTED: u64 = 1 << 20;

/// One attempt at a large file.
pub struct Large {
    entry: Entry,
    size: u64,
    first: Mutex<Option<Response>>,
    id: String,
    part: PathBuf,
    file: File,
    validator: OnceLock<String>,
    state: Mutex<State>,
    hash: Mutex<(Sha256, u64)>,
    counted: AtomicU64,
    changed: Notify,
    called: Mutex<Instant>,
    dead: CancellationToken,
    split: bool,
}

struct State {
    todo: Ranges,
    done: Ranges,
    active: usize,
    fault: Option<Fault>,
}

/// Fetches a large file of known size to its final name, resuming what the journal knows of it.
pub async fn fetch(
    context: &Arc<Context>,
    board: &Board,
    mut entry: Entry,
    replace: bool,
) -> Result<()> {
    let mut patience = Patience::new(context.http.limits().attempts);
    let (mut split, size) = (true, entry.bytes);
    while let Err(fault) = attempt(context, board, &entry, replace, split, None).await {
        // A server that cannot do ranges properly is asked for the whole from then on.
        split &= !matches!(fault, Fault::Restart(_));
        patience.after(context, &mut entry, fault).await?;
        entry.bytes = entry.bytes.or(size);
    }
    Ok(())
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
        outcome = large.check().await;
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
            state: Mutex::new(State {
                todo: done.gaps(size),
                done,
                active: 0,
                fault: None,
            }),
            hash: Mutex::new((Sha256::new(), 0)),
            changed: Notify::new(),
            called: Mutex::new(Instant::now()),
            dead: CancellationToken::new(),
            split: split && size > SPLIT_FROM,
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
        let mut state = lock(&self.state);
        (state.active == 0).then(|| state.fault.take().map_or(Ok(()), Err))
    }

    fn claim(&self, helpers: usize) -> Option<Range<u64>> {
        let mut state = lock(&self.state);
        if state.fault.is_some() {
            return None;
        }
        // Long ranges first and shorter ones towards the end, so that all end together.
        let workers = (state.active + helpers + 1) as u64;
        let most = match self.split {
            true => (state.todo.len() / (2 * workers)).clamp(GRAINS.0, GRAINS.1),
            false => self.size,
        };
        let range = state.todo.take(most)?;
        state.active += 1;
        Some(range)
    }

    /// A range for a permit without work; none until one answer has shown a strong ETag.
    pub fn claim_as_helper(&self, helpers: usize) -> Option<Range<u64>> {
        let may = self.split && self.validator.get().is_some();
        may.then(|| self.claim(helpers))?
    }

    async fn run(self: &Arc<Self>, context: &Arc<Context>, board: &Board, range: Range<u64>) {
        let outcome = tokio::select! {
            outcome = self.fetch_range(context, board, range) => outcome,
            () = self.dead.cancelled() => Ok(()),
        };
        let mut state = lock(&self.state);
        state.active -= 1;
        if let Err(fault) = outcome {
            state.fault.get_or_insert(fault);
            self.dead.cancel();
        }
        drop(state);
        self.changed.notify_waiters();
    }

    async fn fetch_range(
        self: &Arc<Self>,
        context: &Arc<Context>,
        board: &Board,
        range: Range<u64>,
    ) -> std::result::Result<(), Fault> {
        let (mut at, mut end) = (range.start, range.end);
        let mut patience = Patience::new(context.http.limits().attempts);
        let mut entry = self.entry.clone();
        while at < end {
            let start = at;
            match self.stream(context, board, &mut at, &mut end).await {
                Ok(()) => {}
                Err(Fault::Again(error)) if at > 0 && self.validator.get().is_none() => {
                    return Err(Fault::Restart(error))
                }
                Err(fault @ (Fault::Again(_) | Fault::Expired(..))) => {
                    if at - start >= NOTED {
                        patience.progress();
                    }
                    patience
                        .after(context, &mut entry, fault)
                        .await
                        .map_err(Fault::Final)?;
                }
                Err(fault) => return Err(fault),
            }
        }
        // Hash what has become contiguous while others still fetch; a later call catches up.
        if self.lag() > NOTED {
            let large = self.clone();
            let _ = tokio::task::spawn_blocking(move || large.catch_up(false)).await;
        }
        Ok(())
    }

    /// Lets idle permits look again, now and then: the processor may have room by now.
    fn call_helpers(&self, board: &Board) {
        let mut called = lock(&self.called);
        if self.split && called.elapsed() >= CALL {
            *called = Instant::now();
            board.call_helpers();
        }
    }

    fn note(&self, context: &Context, range: Range<u64>) -> Result<()> {
        if range.is_empty() {
            return Ok(());
        }
        lock(&self.state).done.add(range.clone());
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
