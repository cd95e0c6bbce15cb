//! The retry budget: a host in trouble must not get a multiple of its load. In a minute there are
//! at most a fifth as many retries as requests, and a floor so that small jobs recover.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use crate::backoff::lock;

/// Retries for each request.
const SHARE: f64 = 0.2;

/// Retries a second that are always granted.
const FLOOR: f64 = 10.0;

/// What may be saved up: the floor of a minute.
const MOST: f64 = 600.0;

/// The budget of one run.
#[derive(Debug)]
pub struct Budget(Mutex<(f64, Instant)>);

impl Default for Budget {
    fn default() -> Self {
        Self(Mutex::new((MOST, Instant::now())))
    }
}

impl Budget {
    /// A request was sent.
    pub fn request(&self) {
        let mut state = lock(&self.0);
        state.0 = (state.0 + SHARE).min(MOST);
    }

    /// Waits until a retry is granted.
    pub async fn retry(&self) {
        let wait = self.take();
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// Takes one retry, on credit if need be; returns how long to wait for it.
    fn take(&self) -> Duration {
        let now = Instant::now();
        let mut state = lock(&self.0);
        let (saved, since) = *state;
        let saved = (saved + FLOOR * (now - since).as_secs_f64()).min(MOST) - 1.0;
        *state = (saved, now);
        Duration::from_secs_f64((-saved / FLOOR).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn retries_in_an_outage_are_few() {
        let (budget, start) = (Budget::default(), Instant::now());
        for _ in 0..900 {
            budget.retry().await;
        }
        let seconds = start.elapsed().as_secs_f64();
        assert!((29.0..31.0).contains(&seconds), "{seconds}");
    }

    #[tokio::test(start_paused = true)]
    async fn requests_earn_retries() {
        let (budget, start) = (Budget::default(), Instant::now());
        for _ in 0..1_000 {
            (0..5).for_each(|_| budget.request());
            budget.retry().await;
        }
        assert!(start.elapsed() < Duration::from_secs(1));
    }
}
