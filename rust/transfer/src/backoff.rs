//! How long to wait before trying again: decorrelated jitter, and the gate that a host's
//! `Retry-After` closes for all permits at once.

use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(15);

/// A server may ask for hours; past this we would rather fail and be run again.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

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

    /// Bytes arrived: the host is well, so the count starts over.
    pub fn reset(&mut self) {
        *self = Self::new(self.most);
    }
}

/// Closed while a host has asked for a pause; every permit waits at it before each request.
#[derive(Debug, Default)]
pub struct Gate(Mutex<Option<Instant>>);

impl Gate {
    /// Closes the gate for `pause` (capped); a longer pause already set is kept.
    pub fn close(&self, pause: Duration) {
        let until = Instant::now() + pause.min(LONGEST_PAUSE);
        let mut shut = lock(&self.0);
        if shut.is_none_or(|old| old < until) {
            *shut = Some(until);
        }
    }

    /// Returns when the gate is open.
    pub async fn pass(&self) {
        loop {
            let until = *lock(&self.0);
            match until {
                Some(instant) if instant > Instant::now() => {
                    tokio::time::sleep_until(instant).await
                }
                _ => return,
            }
        }
    }
}

/// A mutex's value, whatever happened to the thread that held it: we keep no broken invariants.
pub fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// `Retry-After` as a pause: seconds or an HTTP date (RFC 9110 §10.2.3).
pub fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds).min(LONGEST_PAUSE));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(
        date.duration_since(now)
            .unwrap_or_default()
            .min(LONGEST_PAUSE),
    )
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

    #[test]
    fn retry_after_reads_seconds_and_dates() {
        let now = httpdate::parse_http_date("Fri, 20 Nov 2026 10:00:00 GMT")
            .unwrap_or(SystemTime::UNIX_EPOCH);
        assert_eq!(retry_after("7", now), Some(Duration::from_secs(7)));
        assert_eq!(
            retry_after("Fri, 20 Nov 2026 10:00:09 GMT", now),
            Some(Duration::from_secs(9))
        );
        assert_eq!(
            retry_after("Fri, 20 Nov 2026 09:00:00 GMT", now),
            Some(Duration::ZERO)
        );
        assert_eq!(retry_after("999999", now), Some(LONGEST_PAUSE));
        assert_eq!(retry_after("soon", now), None);
        assert_eq!(retry_after("-1", now), None);
    }
}
