//! The tail of a run: fewer units left than permits. There one late answer holds up the end, so it
//! is asked for a second time, and a body that stalls is given up well before the idle limit.

use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{sleep_until, Instant};

use super::latency::Latency;
use super::pulse::Pulse;

/// An answer is late after the time that 99 of 100 did not exceed, and never before this.
const LATE: Duration = Duration::from_millis(300);

/// A body stalls after ten times that, within these bounds.
const STALLED: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(60));

/// At most one request in so many is asked for again.
const SHARE: u64 = 20;

/// Fewer answers than this tell nothing of what is usual.
const TELLING: u64 = 20;

/// Whether the run is at its tail, and what was done about it.
#[derive(Debug, Default)]
pub struct Tail {
    is_here: AtomicBool,
    begun: Notify,
    hedged: AtomicU64,
    stalled: AtomicU64,
}

impl Tail {
    /// Says whether the tail has begun.
    pub fn set(&self, is_here: bool) {
        if !self.is_here.swap(is_here, Ordering::AcqRel) && is_here {
            self.begun.notify_waiters();
        }
    }

    /// Returns when a request sent at `sent` is late; never if it may not be asked for again.
    pub async fn late(&self, pulse: &Pulse, sent: Instant) {
        self.wait().await;
        let answers = pulse.answers();
        let Some(usual) = usual(&pulse.latency).filter(|_| answers >= TELLING) else {
            return pending().await;
        };
        sleep_until(sent + usual.max(LATE)).await;
        if self.hedged.fetch_add(1, Ordering::Relaxed) > answers / SHARE {
            pending().await
        }
    }

    /// Returns when a body that has been waited for since now has stalled. Twice as patient after
    /// each time: a slow link is no stall.
    pub async fn stall(&self, pulse: &Pulse) {
        let since = Instant::now();
        self.wait().await;
        let Some(usual) = usual(&pulse.latency).filter(|_| pulse.answers() >= TELLING) else {
            return pending().await;
        };
        let times = self.stalled.load(Ordering::Relaxed).min(5) as u32;
        let limit = (10 * usual).max(STALLED.0) * 2_u32.pow(times);
        sleep_until(since + limit.min(STALLED.1)).await;
        self.stalled.fetch_add(1, Ordering::Relaxed);
    }

    async fn wait(&self) {
        loop {
            let begun = self.begun.notified();
            if self.is_here.load(Ordering::Acquire) {
                return;
            }
            begun.await;
        }
    }
}

fn usual(latency: &Latency) -> Option<Duration> {
    latency.quantile(0.99)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usual_answers(count: u64) -> Pulse {
        let pulse = Pulse::default();
        (0..count).for_each(|_| pulse.answer(Duration::from_millis(40)));
        pulse
    }

    #[tokio::test(start_paused = true)]
    async fn only_at_the_tail_is_an_answer_late() {
        let (tail, pulse, sent) = (Tail::default(), usual_answers(1_000), Instant::now());
        let hour = Duration::from_secs(3_600);
        let early = tokio::time::timeout(hour, tail.late(&pulse, sent)).await;
        assert!(early.is_err());
        tail.set(true);
        let sent = Instant::now();
        tail.late(&pulse, sent).await;
        assert!(
            (LATE..2 * LATE).contains(&sent.elapsed()),
            "{:?}",
            sent.elapsed()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn one_request_in_twenty_is_asked_for_again() {
        let (tail, pulse) = (Tail::default(), usual_answers(100));
        tail.set(true);
        let mut hedged = 0;
        for _ in 0..20 {
            let late = tail.late(&pulse, Instant::now());
            hedged += u32::from(tokio::time::timeout(2 * LATE, late).await.is_ok());
        }
        assert!((4..=6).contains(&hedged), "{hedged}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_stall_is_met_with_ever_more_patience() {
        let (tail, pulse) = (Tail::default(), usual_answers(100));
        tail.set(true);
        let mut waits = Vec::new();
        for _ in 0..4 {
            let since = Instant::now();
            tail.stall(&pulse).await;
            waits.push(since.elapsed().as_secs());
        }
        assert_eq!(waits, [3, 6, 12, 24]);
    }
}
