//! `--limit-rate`: every piece of a body that is read passes here.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Mutex;

use tokio::time::Instant;

use super::bucket::Bucket;
use crate::backoff::lock;

/// What may come at once: small, so that the rate also holds over a tenth of a second.
const GRAIN: f64 = 65_536.0;

/// The limit of bytes a second, for all permits together.
#[derive(Debug)]
pub struct Throttle {
    bucket: Option<Mutex<Bucket>>,
    waited: AtomicU64,
}

impl Throttle {
    /// At most `rate` bytes a second; no limit for `None`.
    pub fn new(rate: Option<u64>) -> Self {
        Self {
            bucket: rate.map(|rate| Mutex::new(Bucket::new(rate.max(1) as f64, GRAIN))),
            waited: AtomicU64::new(0),
        }
    }

    /// Accounts for `bytes` that were read, and waits for as long as they are too early. Free when
    /// there is no limit.
    pub async fn take(&self, bytes: usize) {
        let Some(bucket) = &self.bucket else {
            return;
        };
        let wait = lock(bucket).take(Instant::now(), bytes as f64);
        if !wait.is_zero() {
            let nanos = u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX);
            self.waited.fetch_add(nanos, Ordering::Relaxed);
            tokio::time::sleep(wait).await;
        }
    }

    /// Nanoseconds that permits have waited here, added up.
    pub fn waited(&self) -> u64 {
        self.waited.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn bytes_pass_at_the_rate_whoever_takes_them() {
        let throttle = std::sync::Arc::new(Throttle::new(Some(1_000_000)));
        let start = Instant::now();
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let throttle = throttle.clone();
                tokio::spawn(async move {
                    for _ in 0..100 {
                        throttle.take(16_384).await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap_or_default();
        }
        let seconds = start.elapsed().as_secs_f64();
        let rate = 400.0 * 16_384.0 / seconds;
        assert!((0.97e6..1.02e6).contains(&rate), "{rate}");
    }

    #[tokio::test(start_paused = true)]
    async fn no_limit_is_no_wait() {
        let (throttle, start) = (Throttle::new(None), Instant::now());
        throttle.take(usize::MAX).await;
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}
