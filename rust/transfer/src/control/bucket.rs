//! A rate kept by arithmetic: how long to wait before the next amount may pass. Reads no clock and
//! never sleeps.

use std::time::Duration;

use tokio::time::Instant;

/// Lets `rate` a second pass, and up to `burst` at once after a rest.
#[derive(Debug)]
pub struct Bucket {
    rate: f64,
    burst: f64,
    /// When all that has passed so far is paid for.
    paid: Option<Instant>,
}

impl Bucket {
    /// A bucket that is full.
    pub fn new(rate: f64, burst: f64) -> Self {
        Self {
            rate: rate.max(1e-3),
            burst,
            paid: None,
        }
    }

    /// Changes the rate from now on.
    pub fn set_rate(&mut self, rate: f64) {
        self.rate = rate.max(1e-3);
    }

    /// Takes `amount` and returns how long its taker has to wait.
    pub fn take(&mut self, now: Instant, amount: f64) -> Duration {
        let rest = Duration::from_secs_f64(self.burst / self.rate);
        let from = self.paid.map_or(now, |paid| paid.max(now));
        let paid = from + Duration::from_secs_f64(amount / self.rate);
        self.paid = Some(paid);
        paid.saturating_duration_since(now).saturating_sub(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_at_once_and_the_rest_at_the_rate() {
        let mut bucket = Bucket::new(10.0, 5.0);
        let start = Instant::now();
        let waits: Vec<f64> = (0..10)
            .map(|_| bucket.take(start, 1.0).as_secs_f64())
            .collect();
        assert!(waits[..5].iter().all(|wait| *wait == 0.0), "{waits:?}");
        assert!((waits[9] - 0.5).abs() < 1e-6, "{waits:?}");
    }

    #[test]
    fn a_rest_fills_it_again_but_never_over_the_burst() {
        let mut bucket = Bucket::new(10.0, 5.0);
        let start = Instant::now();
        bucket.take(start, 50.0);
        let later = start + Duration::from_secs(100);
        let passed = (0..20)
            .filter(|_| bucket.take(later, 1.0).is_zero())
            .count();
        assert_eq!(passed, 5);
    }
}
