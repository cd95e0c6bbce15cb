//! How long to wait before trying again: decorrelated jitter.

use std::sync::Mutex;
use std::time::Duration;

const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(15);

/// The waits of one unit of work. Never sleeps itself, so tests need no clock.
#[derive(Debug)]
pub struct Backoff {
    most: u32,
    attempt: u32,
    last: Duration,
}

impl Backoff {
    /// No attempt made yet, of `most`.
    pub fn new(most: u32) -> Self {
        Self {
            most,
            attempt: 0,
            last: SHORTEST,
        }
    }

    /// The wait before the next attempt, or `None` when attempts are used up.
    ///
    /// Decorrelated jitter: a random time between the shortest wait and three times the last one.
    pub fn next(&mut self) -> Option<Duration> {
        self.attempt += 1;
        if self.attempt >= self.most {
            return None;
        }
        let most = (self.last * 3)
            .min(LONGEST)
            .as_millis()
            .max(SHORTEST.as_millis() + 1) as u64;
        self.last = Duration::from_millis(fastrand::u64(SHORTEST.as_millis() as u64..=most));
        Some(self.last)
    }

    /// True when at least half of the attempts are used up.
    pub fn is_half_used(&self) -> bool {
        2 * self.attempt >= self.most
    }

    /// Bytes arrived: the host is well, so the count starts over.
    pub fn reset(&mut self) {
        *self = Self::new(self.most);
    }
}

/// A mutex's value, whatever happened to the thread that held it: we keep no broken invariants.
pub fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_stay_in_bounds_and_end() {
        let mut backoff = Backoff::new(8);
        let waits: Vec<Duration> = std::iter::from_fn(|| backoff.next()).collect();
        assert_eq!(waits.len(), 7);
        assert!(
            waits.iter().all(|wait| (SHORTEST..=LONGEST).contains(wait)),
            "{waits:?}"
        );
    }
}
