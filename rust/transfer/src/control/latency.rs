//! Times of many requests in little memory: counts in steps of a fifth, from 0.1 ms to minutes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const STEPS: usize = 80;
const SHORTEST: f64 = 1e-4;
const STEP: f64 = 1.2;

/// A histogram of times.
#[derive(Debug)]
pub struct Latency([AtomicU64; STEPS]);

impl Default for Latency {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; STEPS])
    }
}

impl Latency {
    /// Counts one time.
    pub fn add(&self, time: Duration) {
        let step = (time.as_secs_f64() / SHORTEST).max(1.0).ln() / STEP.ln();
        self.0[(step as usize).min(STEPS - 1)].fetch_add(1, Ordering::Relaxed);
    }

    /// The time that `share` of the requests did not exceed, to within a fifth; `None` before any.
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let counts: Vec<u64> = self
            .0
            .iter()
            .map(|count| count.load(Ordering::Relaxed))
            .collect();
        let wanted = (counts.iter().sum::<u64>() as f64 * share).ceil() as u64;
        let mut seen = 0;
        let step = counts.iter().position(|count| {
            seen += count;
            wanted > 0 && seen >= wanted
        })?;
        Some(Duration::from_secs_f64(
            SHORTEST * STEP.powi(step as i32 + 1),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_right_to_a_fifth() {
        let latency = Latency::default();
        assert_eq!(latency.quantile(0.5), None);
        for millis in 1..=1_000 {
            latency.add(Duration::from_millis(millis));
        }
        for (share, millis) in [(0.5, 500.0), (0.99, 990.0), (0.1, 100.0)] {
            let found = latency.quantile(share).unwrap_or_default().as_secs_f64() * 1e3;
            assert!(
                (millis * 0.99..millis * 1.21).contains(&found),
                "{share}: {found}"
            );
        }
    }
}
