//! How much at once: the number of permits, the pauses that hosts ask for, the limits that the
//! user asks for, and what bound the run.
//!
//! ```text
//! permits ──tell──▶ pulse ──▶ driver (40 times a second) ──▶ steer ──▶ lanes ──▶ permits
//! requests ──pass──▶ gate (pauses, pace)      bodies ──take──▶ throttle      retries ──▶ budget
//! ```
//!
//! `steer`, `window` and `pace` are arithmetic without a clock; `settles` proves in a
//! `simulation` what they come to.

mod bound;
mod bucket;
mod budget;
mod ceiling;
mod climb;
mod door;
mod driver;
mod gate;
mod lanes;
mod latency;
mod memory;
mod pace;
mod pulse;
mod refusals;
#[cfg(test)]
mod settles;
#[cfg(test)]
mod simulation;
mod steer;
mod tail;
mod throttle;
mod window;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Mutex;

pub use bound::{Bound, Cause};
pub use door::Door;
pub use driver::Driver;
pub use gate::{retry_after, Gate, LONGEST_PAUSE};
pub use memory::Memory;
pub use throttle::Throttle;

use crate::backoff::lock;
use crate::error::Error;

/// What permits share beside the gate and the throttle.
#[derive(Debug)]
pub struct Control {
    /// What permits tell.
    pub pulse: pulse::Pulse,
    /// Which of them may work.
    pub lanes: lanes::Lanes,
    /// How many retries there may be.
    pub budget: budget::Budget,
    /// What is done about late answers at the end.
    pub tail: tail::Tail,
    /// Files that the host refuses.
    pub refusals: refusals::Refusals,
    crowded: AtomicU64,
    stop: Mutex<Option<Error>>,
}

impl Control {
    /// For a run that begins with `permits`.
    pub fn new(permits: usize) -> Self {
        Self {
            pulse: pulse::Pulse::default(),
            lanes: lanes::Lanes::new(permits),
            budget: budget::Budget::default(),
            tail: tail::Tail::default(),
            refusals: refusals::Refusals::default(),
            crowded: AtomicU64::new(0),
            stop: Mutex::default(),
        }
    }

    /// The process has no more descriptors: there should be fewer permits.
    pub fn crowd(&self) {
        self.crowded.fetch_add(1, Ordering::Relaxed);
    }

    /// How often that was so.
    pub fn crowding(&self) -> u64 {
        self.crowded.load(Ordering::Relaxed)
    }

    /// Ends the run with `error`, as soon as a permit looks.
    pub fn stop(&self, error: Error) {
        lock(&self.stop).get_or_insert(error);
    }

    /// The error that the run is to end with, if any.
    pub fn stopped(&self) -> Option<Error> {
        lock(&self.stop).clone()
    }
}
