//! From what permits tell to how many there may be: a look 40 times a second.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{interval, Instant, Interval, MissedTickBehavior};

use super::bound::Balance;
use super::ceiling;
use super::memory::Memory;
use super::pulse::Beat;
use super::steer::{Steer, FIRST};
use super::window::Sample;
use crate::board::Board;
use crate::fetch::Context;
use crate::options::Concurrency;

/// Between two looks.
const TICK: Duration = Duration::from_millis(25);

/// Permits that are started in one: a burst of connections would be dropped on the way.
const STARTED: usize = 100;

/// Connections beyond those of the permits: for the list, for new links, for what is asked for twice.
const SPARE: usize = 8;

/// What held for less of a run's work than this says little of a host, and is not remembered.
const HELD: f64 = 0.5;

/// Decides how many permits there may be.
pub struct Driver {
    steer: Option<Steer>,
    memory: Memory,
    interval: Interval,
    last: Instant,
    beat: Beat,
    received: u64,
    files: u64,
    waited: (u64, u64),
    crowding: u64,
    permits: usize,
    started: usize,
    /// Seconds of work since the number settled.
    held: f64,
    balance: Balance,
}

impl Driver {
    /// Nothing has happened yet.
    pub fn new(concurrency: Concurrency, memory: Memory) -> Self {
        let (steer, permits) = match concurrency {
            Concurrency::Fixed(asked) => (None, asked.min(ceiling::by_descriptors()).max(1)),
            Concurrency::Auto => {
                let first = memory.recall().unwrap_or(FIRST);
                let steer = Steer::new(first, ceiling::of_this_machine());
                let permits = steer.permits();
                (Some(steer), permits)
            }
        };
        let mut interval = interval(TICK);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            steer,
            memory,
            interval,
            last: Instant::now(),
            beat: Beat::default(),
            received: 0,
            files: 0,
            waited: (0, 0),
            crowding: 0,
            permits,
            started: 0,
            held: 0.0,
            balance: Balance::begin(),
        }
    }

    /// How many permits there may be now.
    pub fn permits(&self) -> usize {
        self.permits
    }

    /// Numbers of permits that are to be started now; none twice.
    pub fn start(&mut self) -> std::ops::Range<usize> {
        let from = self.started;
        self.started = self.permits.min(from + STARTED).max(from);
        from..self.started
    }

    /// Waits for the next look and takes it.
    pub async fn look(&mut self, context: &Context, board: &Board) {
        self.interval.tick().await;
        let now = Instant::now();
        let sample = self.sample(context, now);
        if sample.seconds <= 0.0 {
            return;
        }
        if let Some(steer) = &mut self.steer {
            let crowding = context.control.crowding();
            if std::mem::replace(&mut self.crowding, crowding) < crowding {
                steer.shrink();
            }
            self.permits = steer.sample(&sample);
            match steer.is_settled() {
                true => self.held += sample.seconds * sample.busy,
                false => self.held = 0.0,
            }
        }
        board.allow(self.permits);
        self.tell(context, &sample);
        let is_tail = board.is_listed() && sample.busy < 1.0;
        context.control.tail.set(is_tail);
        let is_starved = sample.busy < 0.5 && !board.is_listed();
        self.balance.add(&sample, is_starved, self.permits);
    }

    fn sample(&mut self, context: &Context, now: Instant) -> Sample {
        let (counters, control) = (&context.counters, &context.control);
        let read = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let seconds = (now - std::mem::replace(&mut self.last, now)).as_secs_f64();
        let beat = control.pulse.beat();
        let old = std::mem::replace(&mut self.beat, beat);
        let (received, files) = (read(&counters.bytes_received), read(&counters.files_new));
        let taught = context.gate.waited();
        let asked = taught.0 + context.throttle.waited();
        let paced = (asked, taught.1);
        let before = std::mem::replace(&mut self.waited, paced);
        let working = read(&counters.in_flight) as f64;
        let limited = (paced.0 - before.0) as f64 / 1e9 / working.max(1.0);
        // Waits are told when they begin, so in one sample there may be more than its length.
        self.balance.limited += limited;
        self.balance.written += beat.written - old.written;
        if paced.1 > before.1 || context.gate.is_shut() {
            self.balance.throttled += seconds;
        }
        Sample {
            seconds,
            files: files.saturating_sub(std::mem::replace(&mut self.files, files)),
            bytes: received.saturating_sub(std::mem::replace(&mut self.received, received)),
            answers: beat.answers - old.answers,
            latency: beat.waited - old.waited,
            small: beat.files - old.files,
            lasted: beat.lasted - old.lasted,
            throttles: beat.throttles - old.throttles,
            faults: beat.faults - old.faults,
            busy: (working / self.permits as f64).min(1.0),
            paused: context.gate.is_shut(),
            paced: paced != before,
        }
    }

    fn tell(&self, context: &Context, sample: &Sample) {
        let (counters, permits) = (&context.counters, self.permits as u64);
        context.control.lanes.allow(self.permits);
        counters.permits.store(permits, Ordering::Relaxed);
        let connections = context.http.keep(self.permits + SPARE) as u64;
        counters.connections.store(connections, Ordering::Relaxed);
        counters.most_permits.fetch_max(permits, Ordering::Relaxed);
        if sample.paused || sample.throttles > 0 {
            let millis = (self.balance.throttled * 1e3) as u64;
            counters.throttled_millis.store(millis, Ordering::Relaxed);
        }
    }

    /// The end: what was learnt is kept, and what bound the run is known.
    pub fn finish(&self, context: &Context) -> super::Bound {
        if let Some(steer) = self.steer.as_ref().filter(|_| self.held >= HELD) {
            self.memory.learn(steer.permits());
        }
        let may_grow = self.steer.is_none();
        self.balance
            .judge(&context.control.pulse.latency, self.permits, may_grow)
    }
}
