//! The first climb: a permit more for each small file that comes as soon as the first ones did, so
//! that the number doubles in two round trips. It is over when files begin to wait somewhere: at
//! the host, on the link, or here.

use super::window::Sample;

/// Files that take so many times as long as the quickest have waited in a queue.
const QUEUED: f64 = 1.5;

/// Fewer say nothing of how long files take.
const TELLING: u64 = 8;

/// So many times the first answers' time without so many small files end the climb as well.
const PATIENCE: f64 = 3.0;

/// Seconds of queue that are left: where answers take a millisecond, each wake-up then does more.
const SPARE: f64 = 0.002;

/// Permits that are added in a second: handshakes begin no faster.
const FASTEST: f64 = 4_000.0;

/// What comes after a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// So many permits.
    Go(usize),
    /// Files wait somewhere: so many permits would do as well.
    Queued(usize),
    /// Small files are too few to climb by: so many permits, and other measures.
    Slow(usize),
}

/// The climb so far.
#[derive(Debug, Default)]
pub struct Climb {
    /// Small files since the last look: how many, and their seconds.
    files: u64,
    seconds: f64,
    /// Files had waited at the last look.
    is_queued: bool,
    /// The mean time of the quickest.
    quickest: Option<f64>,
    /// The first answers: how many, and their seconds; and the time since the last look.
    answers: (u64, f64),
    since: f64,
}

impl Climb {
    /// Takes what came since the last sample, with `permits`.
    pub fn sample(&mut self, sample: &Sample, permits: usize) -> Step {
        self.files += sample.small;
        self.seconds += sample.lasted;
        self.answers.0 += sample.answers;
        self.answers.1 += sample.latency;
        if self.answers.0 > 0 {
            self.since += sample.seconds;
        }
        if self.files < TELLING {
            let usual = self.answers.1 / self.answers.0.max(1) as f64;
            return match self.since > (PATIENCE * usual).max(0.1) {
                true => Step::Slow(permits),
                false => Step::Go(permits),
            };
        }
        let (files, seconds) = (
            std::mem::take(&mut self.files),
            std::mem::take(&mut self.seconds),
        );
        self.since = 0.0;
        let mean = seconds / files as f64;
        let quickest = self.quickest.map_or(mean, |least| least.min(mean));
        self.quickest = Some(quickest);
        let was_queued = std::mem::replace(&mut self.is_queued, mean > QUEUED * quickest);
        match (was_queued, self.is_queued) {
            // The rest of them only stand in the queue.
            (true, true) => {
                let enough = permits as f64 * (quickest + SPARE) / mean;
                return Step::Queued((enough.ceil() as usize).min(permits));
            }
            // It may have been a hiccup.
            (false, true) => return Step::Go(permits),
            _ => {}
        }
        let most = permits.min((FASTEST * sample.seconds) as usize);
        Step::Go(permits + most.min(files as usize))
    }
}
