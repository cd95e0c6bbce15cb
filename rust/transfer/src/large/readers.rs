//! What came out of order, or before this run, is read back to be hashed: of several files side by side.
//!
//! A file that is read back lends its hash until all is taken in that lies on disk in one piece. A reader is a
//! thread that has some of those files, reads a little of each, and hashes that together. When the processor has
//! no room, files gather and the lanes fill; when it has, nobody waits. On one core there is one reader with
//! all lanes; where there are more cores, more readers share the lanes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock};

use tokio::sync::{oneshot, OwnedMutexGuard};

use super::hash::FAR_BEHIND;
use super::Large;
use crate::backoff::lock;
use crate::disk;
use crate::error::Error;
use crate::fetch::{mismatch, Fault};
use crate::hash::{compress, width, Hash};

/// Read of a file at a time: those of all lanes stay in a second-level cache until they are hashed.
const READ: usize = 64 << 10;

/// With fewer lanes a reader is hardly faster than one stream.
const FEWEST: usize = 2;

/// How far a file is hashed: the hash of its first so many bytes.
pub(super) type Hashed = (Hash, u64);

/// One file that is read back.
pub(super) struct Job {
    large: Arc<Large>,
    pub(super) hashed: OwnedMutexGuard<Hashed>,
    /// Who waits for the end.
    done: Option<oneshot::Sender<Result<(), Fault>>>,
    block: Vec<u8>,
}

/// The readers of a run.
#[derive(Default)]
pub struct Readers(Mutex<Work>);

#[derive(Default)]
struct Work {
    waiting: VecDeque<Job>,
    /// Those that readers have.
    open: usize,
    readers: usize,
}

impl Job {
    pub(super) fn new(
        large: Arc<Large>,
        hashed: OwnedMutexGuard<Hashed>,
        done: Option<oneshot::Sender<Result<(), Fault>>>,
    ) -> Self {
        Self {
            large,
            hashed,
            done,
            block: Vec::new(),
        }
    }

    /// True if it had better wait for others: it is alone, nobody waits for it, and there is little to do.
    fn may_wait(&self) -> bool {
        self.done.is_none() && self.large.ahead(self.hashed.1) < FAR_BEHIND
    }

    /// Reads on; false if that was all, or did not go well, which is told to who waits.
    fn read(&mut self) -> bool {
        let outcome = self.fill();
        if matches!(outcome, Ok(1..)) {
            return true;
        }
        if let Some(done) = self.done.take() {
            let _ = done.send(outcome.map(|_| ()));
        }
        false
    }

    /// Reads what follows what is hashed; 0 if that is not there yet, or if nobody wants it any more.
    fn fill(&mut self) -> Result<usize, Fault> {
        let (large, at) = (&self.large, self.hashed.1);
        let most = large.ahead(at).min(READ as u64) as usize;
        if most == 0 || Arc::strong_count(large) == 1 {
            return Ok(0);
        }
        self.block.resize(READ, 0);
        let read = disk::again(|| disk::read_at(&large.file, &mut self.block[..most], at));
        match read {
            Ok(0) => Err(mismatch(
                &large.entry,
                "its part was cut short by something else",
            )),
            Ok(read) => {
                self.block.truncate(read);
                Ok(read)
            }
            Err(error) => Err(Fault::Final(Error::io("read", &large.part, &error))),
        }
    }
}

impl Readers {
    /// Has files read back, now or as soon as there is a lane for them.
    pub(super) fn add(self: &Arc<Self>, jobs: Vec<Job>) {
        let mut work = lock(&self.0);
        work.waiting.extend(jobs);
        let wanted = (work.open + work.waiting.len()).div_ceil(lanes());
        while work.readers < wanted.min(cores()) {
            work.readers += 1;
            let readers = self.clone();
            tokio::task::spawn_blocking(move || readers.run());
        }
    }

    /// True while anything is read back.
    pub(super) fn are_busy(&self) -> bool {
        lock(&self.0).readers > 0
    }

    /// Reads and hashes as long as there is something to read.
    fn run(&self) {
        let mut jobs = Vec::new();
        while self.take_on(&mut jobs) {
            let before = jobs.len();
            jobs.retain_mut(Job::read);
            lock(&self.0).open -= before - jobs.len();
            let lanes = jobs.iter_mut().map(|job| {
                let (hash, at) = &mut *job.hashed;
                *at += job.block.len() as u64;
                hash.lane(&job.block)
            });
            compress(&mut lanes.collect::<Vec<_>>());
        }
    }

    /// Fills a reader's lanes; false if it has nothing to do any more.
    fn take_on(&self, jobs: &mut Vec<Job>) -> bool {
        let mut work = lock(&self.0);
        let more = work.waiting.len().min(lanes() - jobs.len());
        work.open += more;
        jobs.extend(work.waiting.drain(..more));
        if jobs.len() == 1 && jobs.iter().all(Job::may_wait) {
            jobs.clear();
            work.open -= 1;
        }
        if jobs.is_empty() {
            work.readers -= 1;
        }
        !jobs.is_empty()
    }
}

/// How many files a reader has at most.
fn lanes() -> usize {
    width().div_ceil(cores()).max(FEWEST)
}

/// Looked up once: it reads files.
fn cores() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from))
}
