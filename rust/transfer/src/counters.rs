//! What the caller sees of a download: counters that workers bump and anyone may read.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Mutex;
use std::time::Instant;

use crate::backoff::lock;
use crate::error::Error;

/// Failures kept with their words; further ones are only counted.
const MOST_FAILURES: usize = 1_000;

/// Adds to a counter. Relaxed: counters order nothing.
pub fn add(counter: &AtomicU64, amount: u64) {
    counter.fetch_add(amount, Ordering::Relaxed);
}

/// Takes from a counter, which stays at 0 when a server's counts do not add up.
pub fn take(counter: &AtomicU64, amount: u64) {
    let less = |old: u64| Some(old.saturating_sub(amount));
    let _ = counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// One file that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// File name, made safe to print.
    pub name: String,
    /// Error kind.
    pub kind: String,
    /// One line.
    pub message: String,
    /// HTTP status, if one led here.
    pub status: Option<u16>,
}

/// The live counters of one download.
#[derive(Debug)]
pub struct Counters {
    /// Files and bytes selected, as far as known.
    pub files_total: AtomicU64,
    /// Bytes of the selection.
    pub bytes_total: AtomicU64,
    /// Files that were there already.
    pub files_present: AtomicU64,
    /// Their bytes.
    pub bytes_present: AtomicU64,
    /// Files finished by this run.
    pub files_new: AtomicU64,
    /// Their bytes.
    pub bytes_new: AtomicU64,
    /// Bytes on disk of files not finished yet.
    pub bytes_partial: AtomicU64,
    /// Bytes received, wasted ones included.
    pub bytes_received: AtomicU64,
    /// Tries beyond the first.
    pub retries: AtomicU64,
    /// Units of work being done now.
    pub in_flight: AtomicU64,
    /// How many there may be now.
    pub permits: AtomicU64,
    /// The most there have been allowed.
    pub most_permits: AtomicU64,
    /// Milliseconds in which the host wanted a pause or a slower pace.
    pub throttled_millis: AtomicU64,
    /// Connections that are open now.
    pub connections: AtomicU64,
    /// Files that a check found there and did not read, for the list has no sha256 of them.
    pub unread: AtomicU64,
    /// True once `files_total` is the last word: the list was read to its end, or has told its count.
    pub is_whole: AtomicBool,
    /// True once a file without a size was planned: then `bytes_total` is what is known of it.
    pub has_unsized: AtomicBool,
    /// Bytes of the list that were read, and its length, if that is known.
    list: Mutex<Option<(u64, u64)>>,
    failed: AtomicU64,
    failures: Mutex<Vec<Failure>>,
    kinds: Mutex<BTreeMap<String, u64>>,
    warnings: Mutex<Vec<String>>,
    started: Instant,
}

/// The counters at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// Files under their final names and right, old and new.
    pub files_done: u64,
    /// Files selected, as far as the list was read.
    pub files_total: u64,
    /// True if that is all of them.
    pub is_whole: bool,
    /// True if each of them has a size, in the list or told since, so that `bytes_total` counts them all.
    pub sizes_known: bool,
    /// The part of the list that was read, 0 to 1, if its length is known.
    pub list_share: Option<f64>,
    /// Bytes on disk, unfinished files included.
    pub bytes_done: u64,
    /// Bytes selected.
    pub bytes_total: u64,
    /// Files that were there already.
    pub files_present: u64,
    /// Files finished by this run.
    pub files_new: u64,
    /// Their bytes.
    pub bytes_new: u64,
    /// Bytes received, wasted ones included.
    pub bytes_received: u64,
    /// Tries beyond the first.
    pub retries: u64,
    /// Files that failed.
    pub failed: u64,
    /// Units of work being done now.
    pub in_flight: u64,
    /// How many there may be now.
    pub permits: u64,
    /// The most there have been allowed.
    pub most_permits: u64,
    /// How long the host wanted a pause or a slower pace.
    pub throttled_seconds: f64,
    /// Connections that are open now.
    pub connections: u64,
    /// Time since the start.
    pub seconds: f64,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            files_total: AtomicU64::new(0),
            bytes_total: AtomicU64::new(0),
            files_present: AtomicU64::new(0),
            bytes_present: AtomicU64::new(0),
            files_new: AtomicU64::new(0),
            bytes_new: AtomicU64::new(0),
            bytes_partial: AtomicU64::new(0),
            bytes_received: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            in_flight: AtomicU64::new(0),
            permits: AtomicU64::new(0),
            most_permits: AtomicU64::new(0),
            unread: AtomicU64::new(0),
            throttled_millis: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            is_whole: AtomicBool::new(false),
            has_unsized: AtomicBool::new(false),
            list: Mutex::default(),
            failed: AtomicU64::new(0),
            failures: Mutex::default(),
            kinds: Mutex::default(),
            warnings: Mutex::default(),
            started: Instant::now(),
        }
    }
}

impl Counters {
    /// Notes that a file failed.
    pub fn fail(&self, name: &str, error: &Error) {
        add(&self.failed, 1);
        *lock(&self.kinds).entry(error.kind.to_string()).or_insert(0) += 1;
        // The name has its own field, and without it equal causes read alike.
        let message = error
            .message
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix(": "));
        let message = message.unwrap_or(&error.message).to_owned();
        let mut failures = lock(&self.failures);
        if failures.len() < MOST_FAILURES {
            failures.push(Failure {
                name: crate::names::shown(name),
                kind: error.kind.to_string(),
                message,
                status: error.status,
            });
        }
    }

    /// Notes words of warning about the whole run.
    pub fn warn(&self, text: String) {
        lock(&self.warnings).push(text);
    }

    /// The words of warning so far; each stands once.
    pub fn warnings(&self) -> Vec<String> {
        lock(&self.warnings).clone()
    }

    /// The first failures, by name.
    pub fn failures(&self) -> Vec<Failure> {
        let mut failures = lock(&self.failures).clone();
        failures.sort_by(|one, other| one.name.cmp(&other.name));
        failures
    }

    /// How many files failed for each kind of reason.
    pub fn failed_by_kind(&self) -> BTreeMap<String, u64> {
        lock(&self.kinds).clone()
    }

    /// How far the list was read, if its length is known: bytes, and bytes in all.
    pub fn read_to(&self, position: Option<(u64, u64)>) {
        *lock(&self.list) = position;
    }

    /// The list is known to its end.
    pub fn whole(&self) {
        self.is_whole.store(true, Ordering::Relaxed);
    }

    /// The counters now.
    pub fn snapshot(&self) -> Snapshot {
        let (files_present, files_new) = (read(&self.files_present), read(&self.files_new));
        let bytes_new = read(&self.bytes_new);
        let list = lock(&self.list).filter(|(_, length)| *length > 0);
        Snapshot {
            is_whole: self.is_whole.load(Ordering::Relaxed),
            sizes_known: !self.has_unsized.load(Ordering::Relaxed),
            list_share: list.map(|(read, length)| (read as f64 / length as f64).min(1.0)),
            files_done: files_present + files_new,
            files_total: read(&self.files_total),
            bytes_done: read(&self.bytes_present) + bytes_new + read(&self.bytes_partial),
            bytes_total: read(&self.bytes_total),
            files_present,
            files_new,
            bytes_new,
            bytes_received: read(&self.bytes_received),
            retries: read(&self.retries),
            failed: read(&self.failed),
            in_flight: read(&self.in_flight),
            permits: read(&self.permits),
            most_permits: read(&self.most_permits),
            throttled_seconds: read(&self.throttled_millis) as f64 / 1e3,
            connections: read(&self.connections),
            seconds: self.started.elapsed().as_secs_f64(),
        }
    }
}
