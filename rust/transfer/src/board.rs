//! Who does what: a fixed number of permits share the files, and help with large ones when there
//! is nothing else to do.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_channel::{Receiver, TryRecvError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::backoff::lock;
use crate::entry::Entry;
use crate::gauge::Gauge;
use crate::large::Large;

/// One file to see to.
#[derive(Debug)]
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
    /// A file of its own.
    File(Unit),
    /// A range of somebody else's large file.
    Help(Arc<Large>, Range<u64>),
}

/// The shared board.
pub struct Board {
    queue: Receiver<Unit>,
    names: Mutex<HashSet<Arc<str>>>,
    larges: Mutex<Vec<Arc<Large>>>,
    /// Files taken from the queue and not done yet.
    open: AtomicUsize,
    /// Permits with nothing to do.
    idle: AtomicUsize,
    changed: Notify,
    /// Nobody takes work once this is cancelled.
    stopped: CancellationToken,
    gauge: Gauge,
}

impl Board {
    /// A board fed by `queue`, until `stopped`.
    pub fn new(queue: Receiver<Unit>, stopped: CancellationToken) -> Self {
        Self {
            stopped,
            queue,
            names: Mutex::default(),
            larges: Mutex::default(),
            open: AtomicUsize::new(0),
            idle: AtomicUsize::new(0),
            changed: Notify::new(),
            gauge: Gauge::new(),
        }
    }

    /// Notes a name as being worked on; false if it is already.
    pub fn reserve(&self, name: &Arc<str>) -> bool {
        lock(&self.names).insert(name.clone())
    }

    /// True if a name is being worked on.
    pub fn has(&self, name: &Arc<str>) -> bool {
        lock(&self.names).contains(name)
    }

    /// The next work, or `None` when all is done or the run is stopped.
    pub async fn next(&self) -> Option<Work> {
        loop {
            if self.stopped.is_cancelled() {
                return None;
            }
            let changed = self.changed.notified();
            let closed = match self.queue.try_recv() {
                Ok(unit) => return Some(self.take(unit)),
                Err(error) => error == TryRecvError::Closed,
            };
            if let Some(help) = self.help() {
                return Some(help);
            }
            if closed && self.open.load(Ordering::Acquire) == 0 {
                return None;
            }
            self.idle.fetch_add(1, Ordering::Relaxed);
            let unit = tokio::select! {
                unit = self.queue.recv(), if !closed => unit.ok(),
                () = changed => None,
                () = self.stopped.cancelled() => None,
            };
            self.idle.fetch_sub(1, Ordering::Relaxed);
            if let Some(unit) = unit {
                return Some(self.take(unit));
            }
        }
    }

    fn take(&self, unit: Unit) -> Work {
        self.open.fetch_add(1, Ordering::AcqRel);
        Work::File(unit)
    }

    fn help(&self) -> Option<Work> {
        let helpers = self.helpers();
        if helpers == 0 {
            return None;
        }
        let larges = lock(&self.larges);
        larges
            .iter()
            .find_map(|large| Some(Work::Help(large.clone(), large.claim_as_helper(helpers)?)))
    }

    /// A file taken by [`Board::next`] is done, well or not.
    pub fn done(&self, name: &Arc<str>) {
        lock(&self.names).remove(name);
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
        waiting.max(usize::from(self.queue.is_empty()))
    }
}
