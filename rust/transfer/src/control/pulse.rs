//! What permits tell of their requests, in counters that cost next to nothing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::latency::Latency;

/// Sums since the start.
#[derive(Debug, Default)]
pub struct Pulse {
    answers: AtomicU64,
    /// From request to head, in microseconds.
    waited: AtomicU64,
    /// Small files, and microseconds from request to end.
    files: AtomicU64,
    lasted: AtomicU64,
    throttles: AtomicU64,
    faults: AtomicU64,
    /// Nanoseconds in calls that write to the disk.
    written: AtomicU64,
    /// From request to head.
    pub latency: Latency,
}

/// The sums at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub struct Beat {
    /// Good answers.
    pub answers: u64,
    /// From request to head, in seconds, added up.
    pub waited: f64,
    /// Small files.
    pub files: u64,
    /// From request to end, in seconds, added up.
    pub lasted: f64,
    /// Answers 429 and 503.
    pub throttles: u64,
    /// Connections that broke or went silent.
    pub faults: u64,
    /// Seconds in calls that write to the disk.
    pub written: f64,
}

impl Pulse {
    /// The head of a good answer came `time` after its request.
    pub fn answer(&self, time: Duration) {
        self.answers.fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.waited.fetch_add(micros, Ordering::Relaxed);
        self.latency.add(time);
    }

    /// A small file was whole `time` after its request.
    pub fn file(&self, time: Duration) {
        self.files.fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.lasted.fetch_add(micros, Ordering::Relaxed);
    }

    /// A 429 or 503 came.
    pub fn throttle(&self) {
        self.throttles.fetch_add(1, Ordering::Relaxed);
    }

    /// A connection broke or went silent.
    pub fn fault(&self) {
        self.faults.fetch_add(1, Ordering::Relaxed);
    }

    /// A call that writes took `time`.
    pub fn wrote(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.written.fetch_add(nanos, Ordering::Relaxed);
    }

    /// Good answers so far.
    pub fn answers(&self) -> u64 {
        self.answers.load(Ordering::Relaxed)
    }

    /// The sums now.
    pub fn beat(&self) -> Beat {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Beat {
            answers: read(&self.answers),
            waited: read(&self.waited) as f64 / 1e6,
            files: read(&self.files),
            lasted: read(&self.lasted) as f64 / 1e6,
            throttles: read(&self.throttles),
            faults: read(&self.faults),
            written: read(&self.written) as f64 / 1e9,
        }
    }
}
