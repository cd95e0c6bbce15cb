//! What kept a run from being faster, in one word and the numbers that advice needs.

use super::latency::Latency;
use super::window::Sample;
use crate::gauge::{claimed, threads};

/// A shorter run, in seconds, tells nothing.
const SHORT: f64 = 0.5;

/// The one thing that bound a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cause {
    /// Nothing much: the run was too short to tell.
    #[default]
    Nothing,
    /// Round trips: every permit was busy waiting, and more permits would have brought more.
    Latency,
    /// The server: it asked for pauses or fewer requests.
    Throttling,
    /// The limit that the user set: bytes or requests a second.
    Limit,
    /// Writing and syncing.
    Disk,
    /// The processor, whoever else had it.
    Cpu,
    /// What the server or the link can carry: more permits brought no more.
    Network,
    /// The list of files came more slowly than the files.
    Manifest,
}

impl Cause {
    /// The stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Latency => "latency",
            Self::Throttling => "throttling",
            Self::Limit => "limit",
            Self::Disk => "disk",
            Self::Cpu => "cpu",
            Self::Network => "network",
            Self::Manifest => "manifest",
        }
    }
}

/// What bound a run.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bound {
    /// The one thing.
    pub what: Cause,
    /// Its share of the run, 0 to 1.
    pub share: f64,
    /// Permits in use at the end.
    pub permits: u64,
    /// The median time from a request to its answer's head, in seconds; 0 if there was none.
    pub latency: f64,
    /// A number of permits worth trying, 0 if none is better than what was used.
    pub try_permits: u64,
}

/// What the time of a run went to, added up.
#[derive(Debug)]
pub struct Balance {
    begun: std::time::Instant,
    processor: f64,
    /// Seconds in which something could be told at all.
    seconds: f64,
    /// Seconds without enough in the list for the permits to do.
    starved: f64,
    /// Seconds in which all permits were at work.
    busy: f64,
    /// Seconds in which the host wanted a pause or a slower pace.
    pub throttled: f64,
    /// Seconds that a permit spent waiting for the user's own limit.
    pub limited: f64,
    /// Seconds in calls that write, of all threads together.
    pub written: f64,
    permits: f64,
}

impl Balance {
    /// The run begins now.
    pub fn begin() -> Self {
        Self {
            begun: std::time::Instant::now(),
            processor: processor_seconds(),
            seconds: 0.0,
            starved: 0.0,
            busy: 0.0,
            throttled: 0.0,
            limited: 0.0,
            written: 0.0,
            permits: 0.0,
        }
    }

    /// Adds a sample.
    pub fn add(&mut self, sample: &Sample, is_starved: bool, permits: usize) {
        self.seconds += sample.seconds;
        self.starved += if is_starved { sample.seconds } else { 0.0 };
        self.busy += sample.busy * sample.seconds;
        self.permits += permits as f64 * sample.seconds;
    }

    /// What bound the run, in the order in which one thing hides the next.
    pub fn judge(&self, latency: &Latency, permits: usize, is_fixed: bool) -> Bound {
        let seconds = self.seconds.max(1e-9);
        let wall = self.begun.elapsed().as_secs_f64().max(1e-9);
        let threads = threads() as f64;
        let processor = (processor_seconds() - self.processor) / wall / threads;
        let (typical, quick) = (latency.quantile(0.5), latency.quantile(0.05));
        let typical = typical.unwrap_or_default().as_secs_f64();
        let quick = quick.unwrap_or_default().as_secs_f64();
        // No queue anywhere: answers came as soon as any did.
        let is_flat = typical < 2.0 * quick.max(1e-4);
        let shares = [
            (Cause::Limit, self.limited / seconds, 0.3),
            (Cause::Throttling, self.throttled / seconds, 0.3),
            (Cause::Manifest, self.starved / seconds, 0.5),
            (Cause::Disk, self.written / wall / threads, 0.5),
            (Cause::Cpu, processor, 0.75),
            (
                Cause::Latency,
                if is_flat { self.busy / seconds } else { 0.0 },
                0.7,
            ),
            (Cause::Network, self.busy / seconds, 0.5),
        ];
        let found = shares.into_iter().find(|(_, share, least)| share >= least);
        let (what, share) = match found {
            // Auto has tried more permits, and they brought nothing.
            Some((Cause::Latency, share, _)) if !is_fixed => (Cause::Network, share),
            Some((what, share, _)) => (what, share),
            None => (Cause::Nothing, 0.0),
        };
        let room = (0.9 / processor.max(0.01)).min(16.0);
        let try_permits = if what == Cause::Latency && room > 1.5 {
            (permits as f64 * room).min(1_024.0) as u64
        } else {
            0
        };
        Bound {
            what: if self.seconds < SHORT {
                Cause::Nothing
            } else {
                what
            },
            share: if self.seconds < SHORT {
                0.0
            } else {
                share.min(1.0)
            },
            permits: permits as u64,
            latency: typical,
            try_permits: if self.seconds < SHORT { 0 } else { try_permits },
        }
    }
}

/// Seconds of processor time that this process has had or waited for.
fn processor_seconds() -> f64 {
    claimed().unwrap_or_default().as_secs_f64()
}
