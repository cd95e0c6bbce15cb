//! Who does what: permits share the files, and help with large ones when there is nothing else to
//! do. Big files begin early, so that none of them is left for the end; files in lasting trouble go
//! to the back.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_channel::{Receiver, TryRecvError};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::backoff::lock;
use crate::entry::Entry;
use crate::gauge::Gauge;
use crate::large::Large;

/// Files over this size begin early.
const BIG: u64 = 4 << 20;

/// Big files are on this share of the permits, one in so many, while there are small ones too.
const BIG_SHARE: usize = 4;

/// Big files that may be waiting: how far the list is looked ahead.
const LOOK_AHEAD: usize = 1_024;

/// Files in trouble that may be waiting, in some 15 MB; further ones wait on their permits.
const MOST_LATER: usize = 50_000;

/// How often a file may go to the back.
const PASSES: u32 = 2;

/// One file to see to.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Its line of the manifest.
    pub entry: Entry,
    /// It is there with the right size: check its hash before anything else.
    pub check: bool,
    /// It may take the place of an existing file.
    pub replace: bool,
    /// That one was written shortly before a power loss: its bytes may be lost.
    pub doubtful: bool,
}

/// What a permit does next.
pub enum Work {
    /// A file of its own, and how often it was put off.
    File(Unit, u32),
    /// A range of somebody else's large file.
    Help(Arc<Large>, Range<u64>),
}

/// The shared board.
pub struct Board {
    queue: Receiver<Unit>,
    names: Mutex<HashSet<Arc<str>>>,
    larges: Mutex<Vec<Arc<Large>>>,
    /// Whether big files may overtake.
    may_reorder: bool,
    permits: AtomicUsize,
    /// Big files that wait, and how many are being fetched.
    big: Mutex<VecDeque<Unit>>,
    big_waiting: AtomicUsize,
    big_open: AtomicUsize,
    /// Files that wait for a moment, by it and by their turn.
    later: Mutex<BTreeMap<(Instant, u64), (Unit, u32)>>,
    /// Turns of files that waited.
    turns: AtomicU64,
    /// Files that were reserved and are not done yet, wherever they are.
    open: AtomicUsize,
    /// Permits with nothing to do.
    idle: AtomicUsize,
    changed: Notify,
    /// Nobody takes work once this is cancelled.
    stopped: CancellationToken,
    gauge: Gauge,
}

impl Board {
    /// A board fed by `queue`, until `stopped`; big files overtake small ones if they may.
    pub fn new(queue: Receiver<Unit>, may_reorder: bool, stopped: CancellationToken) -> Self {
        Self {
            stopped,
            queue,
            names: Mutex::default(),
            larges: Mutex::default(),
            may_reorder,
            permits: AtomicUsize::new(1),
            big: Mutex::default(),
            big_waiting: AtomicUsize::new(0),
            big_open: AtomicUsize::new(0),
            later: Mutex::default(),
            turns: AtomicU64::new(0),
            open: AtomicUsize::new(0),
            idle: AtomicUsize::new(0),
            changed: Notify::new(),
            gauge: Gauge::new(),
        }
    }

    /// Notes a name as being worked on, until [`Board::done`]; false if it is already. Only then may
    /// its file go to the queue: nobody leaves while it is open.
    pub fn reserve(&self, name: &Arc<str>) -> bool {
        let is_new = lock(&self.names).insert(name.clone());
        if is_new {
            self.open.fetch_add(1, Ordering::AcqRel);
        }
        is_new
    }

    /// The next work, or `None` when all is done or the run is stopped.
    pub async fn next(&self) -> Option<Work> {
        loop {
            if self.stopped.is_cancelled() {
                return None;
            }
            let changed = self.changed.notified();
            let closed = match self.pull() {
                Ok(unit) => return Some(self.take(unit, 0)),
                Err(error) => error == TryRecvError::Closed,
            };
            if let Some(help) = self.help() {
                return Some(help);
            }
            let due = match closed.then(|| self.put_off_longest()) {
                Some(Ok((unit, pass))) => return Some(self.take(unit, pass)),
                Some(Err(due)) => due,
                None => None,
            };
            if closed && self.open.load(Ordering::Acquire) == 0 {
                return None;
            }
            self.idle.fetch_add(1, Ordering::Relaxed);
            let unit = tokio::select! {
                unit = self.queue.recv(), if !closed => unit.ok(),
                () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => None,
                () = changed => None,
                () = self.stopped.cancelled() => None,
            };
            self.idle.fetch_sub(1, Ordering::Relaxed);
            if let Some(unit) = unit {
                return Some(self.take(unit, 0));
            }
        }
    }

    /// A big file while too few permits are on those, else the next of the list.
    fn pull(&self) -> Result<Unit, TryRecvError> {
        if !self.may_reorder {
            return self.queue.try_recv();
        }
        let share = (self.permits.load(Ordering::Relaxed) / BIG_SHARE).max(1);
        let waiting = self.big_waiting.load(Ordering::Acquire);
        if waiting > 0 && self.big_open.load(Ordering::Relaxed) < share {
            if let Some(unit) = self.pull_big() {
                return Ok(unit);
            }
        }
        loop {
            match self.queue.try_recv() {
                Ok(unit) if is_big(&unit) && self.big_open.load(Ordering::Relaxed) >= share => {
                    let mut big = lock(&self.big);
                    if big.len() >= LOOK_AHEAD {
                        return Ok(unit);
                    }
                    big.push_back(unit);
                    self.big_waiting.store(big.len(), Ordering::Release);
                }
                Err(error) => return self.pull_big().ok_or(error),
                unit => return unit,
            }
        }
    }

    fn pull_big(&self) -> Option<Unit> {
        let mut big = lock(&self.big);
        let unit = big.pop_front();
        self.big_waiting.store(big.len(), Ordering::Release);
        unit
    }

    /// The file that is due first, if it is now; else when it will be.
    fn put_off_longest(&self) -> Result<(Unit, u32), Option<Instant>> {
        let mut later = lock(&self.later);
        let first = later.first_entry().ok_or(None)?;
        let due = first.key().0;
        if due <= Instant::now() {
            Ok(first.remove())
        } else {
            Err(Some(due))
        }
    }

    fn take(&self, unit: Unit, pass: u32) -> Work {
        if is_big(&unit) {
            self.big_open.fetch_add(1, Ordering::Relaxed);
        }
        Work::File(unit, pass)
    }

    /// Puts a file in trouble at the back, to be tried from `due`; false if that was done often
    /// enough. It must still be told [`Board::done`] then.
    pub fn put_off(&self, unit: Unit, pass: u32, due: Instant) -> bool {
        pass < PASSES && self.wait(unit, pass + 1, due)
    }

    /// Puts a file, in no trouble of its own, at the back until `due`; false if too many wait.
    pub fn wait(&self, unit: Unit, pass: u32, due: Instant) -> bool {
        let mut later = lock(&self.later);
        if later.len() >= MOST_LATER {
            return false;
        }
        if is_big(&unit) {
            self.big_open.fetch_sub(1, Ordering::Relaxed);
        }
        let turn = self.turns.fetch_add(1, Ordering::Relaxed);
        later.insert((due, turn), (unit, pass));
        drop(later);
        // Who put it off may be parked next: somebody else must know of it.
        self.changed.notify_waiters();
        true
    }

    /// True if the list has been read to its end.
    pub fn is_listed(&self) -> bool {
        self.queue.is_closed()
    }

    /// Tells how many permits there are now.
    pub fn allow(&self, permits: usize) {
        self.permits.store(permits, Ordering::Relaxed);
    }

    fn help(&self) -> Option<Work> {
        let helpers = self.helpers();
        if helpers == 0 {
            return None;
        }
        let larges = lock(&self.larges);
        let claim = |large: &Arc<Large>, more| {
            let range = large.claim_as_helper(helpers, more)?;
            Some(Work::Help(large.clone(), range))
        };
        let free = larges.iter().find_map(|large| claim(large, false));
        free.or_else(|| claim(larges.iter().max_by_key(|large| large.longest())?, true))
    }

    /// A file taken by [`Board::next`] is done, well or not.
    pub fn done(&self, unit: &Unit) {
        lock(&self.names).remove(&unit.entry.name);
        if is_big(unit) {
            self.big_open.fetch_sub(1, Ordering::Relaxed);
        }
        if self.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.changed.notify_waiters();
        }
    }

    /// Lets others help with a large file.
    pub fn offer(&self, large: &Arc<Large>) {
        lock(&self.larges).push(large.clone());
    }

    /// No more help with it.
    pub fn withdraw(&self, large: &Arc<Large>) {
        lock(&self.larges).retain(|other| !Arc::ptr_eq(other, large));
    }

    /// The large files that are being fetched.
    pub fn larges(&self) -> Vec<Arc<Large>> {
        lock(&self.larges).clone()
    }

    /// Wakes permits without work: a large file may be helped with now.
    pub fn call_helpers(&self) {
        if self.idle.load(Ordering::Relaxed) > 0 {
            self.changed.notify_waiters();
        }
    }

    /// How many permits each large file may count on: none while the processor is what bounds us.
    pub fn helpers(&self) -> usize {
        let idle = self.idle();
        if idle == 0 || self.gauge.is_full() {
            return 0;
        }
        idle.div_ceil(lock(&self.larges).len().max(1))
    }

    /// How many permits would like work: those waiting, or one if the queue has run dry.
    fn idle(&self) -> usize {
        let waiting = self.idle.load(Ordering::Relaxed);
        let is_dry = self.queue.is_empty() && self.big_waiting.load(Ordering::Relaxed) == 0;
        waiting.max(usize::from(is_dry))
    }
}

fn is_big(unit: &Unit) -> bool {
    unit.entry.bytes.is_some_and(|bytes| bytes > BIG)
}
