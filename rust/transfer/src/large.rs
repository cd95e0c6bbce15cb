//! A file over 1 MiB: byte ranges that any permit may fetch, resumed after a kill, hashed whole.
//!
//! One `Large` is one attempt at one version of a file. Ranges are joined only under one strong
//! ETag; whatever does not fit (200 for a range, another ETag, another total) ends the attempt,
//! and the next one begins with an empty part. Two versions are never spliced.

use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use reqwest::header::CONTENT_RANGE;
use reqwest::Response;
use sha2::{Digest, Sha256};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::backoff::lock;
use crate::board::Board;
use crate::counters::{add, take};
use crate::disk;
use crate::error::{Error, Result};
use crate::fetch::{get, is_other_version, mismatch, strong_etag, Ask, Context, Fault, Patience};
use crate::folder::part_id;
use crate::http::{header, length};
use crate::manifest::{hex, Entry};
use crate::ranges::{content_range, Ranges};

/// Smaller files are never split: a second request costs more than it brings.
const SPLIT_FROM: u64 = 32 << 20;

/// The ranges of a split file: long enough to hide a round trip, short enough to share well.
const GRAINS: (u64, u64) = (8 << 20, 16 << 20);

/// The range that one permit takes when nobody is idle.
const LONGEST_CLAIM: u64 = 64 << 20;

/// How much is written between two notes in the journal, so the most that a kill wastes a permit.
const NOTED: u64 = 1 << 20;

/// One attempt at a large file.
pub struct Large {
    entry: Entry,
    id: String,
    part: PathBuf,
    file: File,
    validator: OnceLock<String>,
    state: Mutex<State>,
    hash: Mutex<(Sha256, u64)>,
    counted: AtomicU64,
    changed: Notify,
    dead: CancellationToken,
}

struct State {
    todo: Ranges,
    done: Ranges,
    active: usize,
    fault: Option<Fault>,
}

/// Fetches a large file to its final name, resuming what the journal knows of it.
pub async fn fetch(
    context: &Arc<Context>,
    board: &Board,
    mut entry: Entry,
    replace: bool,
) -> Result<()> {
    let mut patience = Patience::new(context.http.limits().attempts);
    loop {
        let large = Arc::new(Large::open(context, entry.clone())?);
        board.offer(&large);
        let mut outcome = large.drive(context, board).await;
        board.withdraw(&large);
        if outcome.is_ok() {
            outcome = large.check().await;
        }
        match outcome {
            Ok(()) => {
                context.folder.publish(&large.part, &entry.name, replace)?;
                context.journal.gone(&large.id)?;
                take(
                    &context.counters.bytes_partial,
                    large.counted.load(Ordering::Relaxed),
                );
                add(&context.counters.bytes_new, entry.bytes);
                add(&context.counters.files_new, 1);
                return Ok(());
            }
            Err(fault @ (Fault::Content(_) | Fault::Restart(_))) => {
                large.discard(context)?;
                patience.after(context, &mut entry, fault).await?;
            }
            Err(Fault::Again(error) | Fault::Expired(error, _) | Fault::Final(error)) => {
                if large.validator.get().is_none() {
                    large.discard(context)?;
                }
                return Err(error);
            }
        }
    }
}

/// Fetches a range of somebody else's file; what goes wrong is told to its owner.
pub async fn help(context: &Arc<Context>, board: &Board, large: &Arc<Large>, range: Range<u64>) {
    large.run(context, board, range).await;
}

impl Large {
    /// Opens the part, with what the journal vouches for, or empty.
    fn open(context: &Context, entry: Entry) -> Result<Self> {
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
            partial.sha256 == hex(&entry.sha256) && partial.bytes == entry.bytes && reach <= held
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
                todo: done.gaps(entry.bytes),
                done,
                active: 0,
                fault: None,
            }),
            hash: Mutex::new((Sha256::new(), 0)),
            changed: Notify::new(),
            dead: CancellationToken::new(),
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
            if let Some(range) = self.claim(board.idle()) {
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

    fn claim(&self, idle: usize) -> Option<Range<u64>> {
        let mut state = lock(&self.state);
        if state.fault.is_some() {
            return None;
        }
        let most = match idle {
            _ if self.entry.bytes <= SPLIT_FROM => self.entry.bytes,
            0 => LONGEST_CLAIM,
            idle => (state.todo.len() / (idle as u64 + 1)).clamp(GRAINS.0, GRAINS.1),
        };
        let range = state.todo.take(most)?;
        state.active += 1;
        Some(range)
    }

    /// A range for a permit without work; none until one answer has shown a strong ETag.
    pub fn claim_as_helper(&self, idle: usize) -> Option<Range<u64>> {
        let may = self.entry.bytes > SPLIT_FROM && self.validator.get().is_some();
        may.then(|| self.claim(idle))?
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

    /// One request, its bytes written as they come; `at` moves along, even if it ends in a fault.
    async fn stream(
        &self,
        context: &Context,
        board: &Board,
        at: &mut u64,
        end: &mut u64,
    ) -> std::result::Result<(), Fault> {
        let size = self.entry.bytes;
        let range = (*at > 0 || *end < size).then_some(*at..*end);
        let validator = self.validator.get().map(String::as_str);
        let mut response = get(
            context,
            &self.entry,
            &Ask {
                range: range.clone(),
                validator,
            },
        )
        .await?;
        let stop = self.accept(&response, range, at, end)?;
        self.learn(context, board, &response)
            .map_err(Fault::Final)?;
        let mut noted = *at;
        let outcome = self
            .write(context, &mut response, at, stop, &mut noted)
            .await;
        self.note(context, noted..*at).map_err(Fault::Final)?;
        outcome
    }

    /// Where the body of this answer ends in the file, if it is what was asked for.
    fn accept(
        &self,
        response: &Response,
        range: Option<Range<u64>>,
        at: &mut u64,
        end: &mut u64,
    ) -> std::result::Result<u64, Fault> {
        let (entry, size) = (&self.entry, self.entry.bytes);
        let etag = strong_etag(response);
        if etag.is_some_and(|tag| is_other_version(tag, entry)) {
            return Err(mismatch(entry, "it changed on the server"));
        }
        let restart =
            |why: &str| Fault::Restart(Error::new("bad-answer", format!("{}: {why}", entry.name)));
        let Some(range) = range.filter(|_| response.status().as_u16() == 206) else {
            if response.status().as_u16() != 200 {
                return Err(restart("the server sent a part when asked for the whole"));
            }
            if let Some(promised) = length(response).filter(|length| *length != size) {
                return Err(mismatch(
                    entry,
                    &format!("the server promises {promised} bytes, the manifest {size}"),
                ));
            }
            if *at > 0 || !self.take_all() {
                return Err(restart("the server sent the whole when asked for a part"));
            }
            *end = size;
            return Ok(size);
        };
        let given = header(response, CONTENT_RANGE.as_str()).and_then(content_range);
        let Some((given, total)) = given else {
            return Err(restart(
                "the server sent a part without a proper Content-Range",
            ));
        };
        if total != size {
            return Err(mismatch(
                entry,
                &format!("the server says it has {total} bytes, the manifest {size}"),
            ));
        }
        if given.start != range.start || given.end > range.end {
            return Err(restart("the server sent another range than was asked for"));
        }
        if let Some(known) = self.validator.get() {
            if etag != Some(known) {
                return Err(mismatch(
                    entry,
                    "it changed on the server between two ranges",
                ));
            }
        }
        Ok(given.end)
    }

    /// For a server without ranges: the only permit on a fresh file takes it whole.
    fn take_all(&self) -> bool {
        let mut state = lock(&self.state);
        let is_alone = state.active == 1 && state.done.is_empty();
        if is_alone {
            state.todo = Ranges::default();
        }
        is_alone
    }

    /// Keeps the first strong ETag: from then on the file can be split and resumed.
    fn learn(&self, context: &Context, board: &Board, response: &Response) -> Result<()> {
        let Some(etag) = strong_etag(response) else {
            return Ok(());
        };
        if self.validator.set(etag.to_owned()).is_ok() {
            context
                .journal
                .start(&self.id, self.entry.bytes, &self.entry.sha256, etag)?;
            board.call_helpers();
        }
        Ok(())
    }

    async fn write(
        &self,
        context: &Context,
        response: &mut Response,
        at: &mut u64,
        stop: u64,
        noted: &mut u64,
    ) -> std::result::Result<(), Fault> {
        // One more look after the last byte lets the connection be used again.
        while let Some(piece) = context.http.chunk(response).await? {
            let amount = piece.len() as u64;
            add(&context.counters.bytes_received, amount);
            if *at + amount > stop {
                return Err(mismatch(
                    &self.entry,
                    "the server sent more bytes than it promised",
                ));
            }
            disk::write_at(&self.file, &piece, *at)
                .map_err(|error| Fault::Final(Error::io("write", &self.part, &error)))?;
            if let Ok(mut hash) = self.hash.try_lock() {
                if hash.1 == *at {
                    hash.0.update(&piece);
                    hash.1 += amount;
                }
            }
            *at += amount;
            self.counted.fetch_add(amount, Ordering::Relaxed);
            add(&context.counters.bytes_partial, amount);
            if *at - *noted >= NOTED {
                self.note(context, *noted..*at).map_err(Fault::Final)?;
                *noted = *at;
            }
        }
        if *at < stop {
            let text = format!(
                "{}: the body ended after {at} of {stop} bytes",
                self.entry.name
            );
            return Err(Fault::Again(Error::new("network", text)));
        }
        Ok(())
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

    /// How many bytes are on disk in one piece after those hashed.
    fn lag(&self) -> u64 {
        let at = match self.hash.try_lock() {
            Ok(hash) => hash.1,
            Err(_) => return 0,
        };
        lock(&self.state).done.end_of(at).map_or(0, |end| end - at)
    }

    /// Hashes on from the file itself; without `wait` only if nobody else is hashing.
    fn catch_up(&self, wait: bool) -> std::result::Result<(), Fault> {
        let mut hash = match self.hash.try_lock() {
            Ok(hash) => hash,
            Err(_) if wait => lock(&self.hash),
            Err(_) => return Ok(()),
        };
        let mut block = vec![0; 1 << 20];
        loop {
            let end = lock(&self.state).done.end_of(hash.1).unwrap_or(hash.1);
            if hash.1 >= end {
                return Ok(());
            }
            let most = block
                .len()
                .min(usize::try_from(end - hash.1).unwrap_or(usize::MAX));
            match disk::read_at(&self.file, &mut block[..most], hash.1) {
                Ok(0) => {
                    return Err(mismatch(
                        &self.entry,
                        "its part was cut short by something else",
                    ))
                }
                Ok(read) => {
                    hash.0.update(&block[..read]);
                    hash.1 += read as u64;
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Fault::Final(Error::io("read", &self.part, &error))),
            }
        }
    }

    /// The last look before the final name: every byte there, and the hash right.
    async fn check(self: &Arc<Self>) -> std::result::Result<(), Fault> {
        let large = self.clone();
        let outcome = if self.lag() > 0 || self.hash.try_lock().is_err() {
            tokio::task::spawn_blocking(move || large.catch_up(true))
                .await
                .unwrap_or(Ok(()))
        } else {
            Ok(())
        };
        outcome?;
        let (hash, hashed) = lock(&self.hash).clone();
        let held = self.file.metadata().map_or(0, |data| data.len());
        if hashed != self.entry.bytes
            || held != self.entry.bytes
            || hash.finalize()[..] != self.entry.sha256
        {
            return Err(mismatch(
                &self.entry,
                "the sha256 of what arrived is not that of the manifest",
            ));
        }
        Ok(())
    }

    /// Forgets what was fetched. The part's name is free for the next attempt.
    fn discard(&self, context: &Context) -> Result<()> {
        take(
            &context.counters.bytes_partial,
            self.counted.swap(0, Ordering::Relaxed),
        );
        context.journal.gone(&self.id)?;
        match std::fs::remove_file(&self.part) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::io("remove", &self.part, &error))
            }
            _ => Ok(()),
        }
    }
}
