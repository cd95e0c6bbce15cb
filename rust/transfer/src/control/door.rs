//! The door of one host: shut while the host wants a pause, then at the pace that its refusals have
//! taught; for good, once the host has shown that there is nothing to be had from it.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use tokio::time::Instant;

use super::bucket::Bucket;
use super::gate::{wait_for, BURST, LONGEST_PAUSE};
use super::pace::Pace;
use crate::backoff::lock;
use crate::error::{Error, Result};

/// After a pause so many requests start at once: if they are refused too, that is one pause and not
/// as many. The rest follow one by one, and none later than half a second.
const FIRST_IN: u32 = 16;
const STEP: Duration = Duration::from_millis(2);
const REOPENING: Duration = Duration::from_millis(400);

/// So long may pauses take, one after the other, in which a host answers nothing well.
const PATIENCE: Duration = LONGEST_PAUSE;

/// The door of one host.
#[derive(Debug)]
pub struct Door {
    begun: Instant,
    state: Mutex<State>,
    /// Looked at before the lock is taken: most requests need none of it.
    is_shut: AtomicBool,
    is_paced: AtomicBool,
    /// Files in a row that had no answer.
    in_vain: AtomicUsize,
    closed: OnceLock<Error>,
}

#[derive(Debug, Default)]
struct State {
    until: Option<Instant>,
    /// When the last pause began, and how long those before it were.
    since: Option<Instant>,
    paused: Duration,
    /// Pauses since the last good answer, and how long they were but for the last.
    in_vain: (u32, Duration),
    /// Requests that wait for the end of this pause.
    waiting: u32,
    pace: Pace,
    bucket: Option<Bucket>,
}

impl Default for Door {
    fn default() -> Self {
        Self {
            begun: Instant::now(),
            state: Mutex::default(),
            is_shut: AtomicBool::new(false),
            is_paced: AtomicBool::new(false),
            in_vain: AtomicUsize::new(0),
            closed: OnceLock::new(),
        }
    }
}

impl Door {
    /// A refusal (429 or 503) came, with the pause that the host named. False, and no pause, if it
    /// is not worth one: it is the `most`th without a good answer between, or there were minutes of them.
    pub fn refuse(&self, pause: Option<Duration>, most: u32) -> bool {
        let now = Instant::now();
        let mut state = lock(&self.state);
        let is_open = state.until.is_none_or(|until| until <= now);
        if is_open {
            let seconds = self.seconds(&state, now);
            state.pace.refusal(seconds);
        }
        if let Some(pause) = pause.filter(|pause| !pause.is_zero()) {
            let until = now + pause.min(LONGEST_PAUSE);
            if is_open {
                let last = state.last_pause();
                let (pauses, before) = state.in_vain;
                state.in_vain = match pauses {
                    0 => (1, Duration::ZERO),
                    _ => (pauses + 1, before + last),
                };
                if state.in_vain.0 >= most || state.in_vain.1 >= PATIENCE {
                    return false;
                }
                state.paused += last;
                state.since = Some(now);
                state.waiting = 0;
            }
            if state.until.is_none_or(|old| old < until) {
                state.until = Some(until);
            }
            self.is_shut.store(true, Ordering::Release);
        }
        self.is_paced.store(true, Ordering::Release);
        true
    }

    /// A good answer came.
    pub fn answer(&self) {
        let now = Instant::now();
        let mut state = lock(&self.state);
        let seconds = self.seconds(&state, now);
        state.pace.answer(seconds);
        state.in_vain.0 = 0;
    }

    /// True while the host wants a pause.
    pub fn is_shut(&self) -> bool {
        self.is_shut.load(Ordering::Acquire)
    }

    /// When it opens, if it is shut.
    pub fn opens(&self) -> Option<Instant> {
        if self.is_closed() {
            return None;
        }
        let until = self.is_shut().then(|| lock(&self.state).until)?;
        until.filter(|until| *until > Instant::now())
    }

    /// Nothing more is asked of this host; `error` says why.
    pub fn close(&self, error: Error) {
        let _ = self.closed.set(error);
    }

    /// True once it is closed for good.
    pub fn is_closed(&self) -> bool {
        self.closed.get().is_some()
    }

    /// A file of this host had its answer, or once more none; returns how many in a row had none.
    pub fn count(&self, is_in_vain: bool) -> usize {
        if is_in_vain {
            return self.in_vain.fetch_add(1, Ordering::Relaxed) + 1;
        }
        self.in_vain.store(0, Ordering::Relaxed);
        0
    }

    /// Returns when a request may be sent; adds what it waited for the pace.
    pub async fn pass(&self, waited: &AtomicU64) -> Result<()> {
        if self.is_paced.load(Ordering::Acquire) {
            wait_for(self.pace(), waited).await;
        }
        while let Some(due) = self.due() {
            tokio::time::sleep_until(due).await;
        }
        self.closed.get().map_or(Ok(()), |error| Err(error.clone()))
    }

    /// When to look again, if it is shut. Opens it when its time has come.
    fn due(&self) -> Option<Instant> {
        if !self.is_shut() {
            return None;
        }
        // Under the lock, so that a refusal just now is not forgotten.
        let mut state = lock(&self.state);
        let Some(until) = state.until.filter(|until| *until > Instant::now()) else {
            self.is_shut.store(false, Ordering::Release);
            return None;
        };
        let late = STEP * state.waiting.saturating_sub(FIRST_IN);
        state.waiting += 1;
        Some(until + late.min(REOPENING))
    }

    fn pace(&self) -> Duration {
        let now = Instant::now();
        let mut state = lock(&self.state);
        let Some(rate) = state.pace.rate(self.seconds(&state, now)) else {
            state.bucket = None;
            self.is_paced.store(false, Ordering::Release);
            return Duration::ZERO;
        };
        let bucket = state.bucket.get_or_insert_with(|| Bucket::new(rate, BURST));
        bucket.set_rate(rate);
        bucket.take(now, 1.0)
    }

    /// The time that the door has been open: a pause says nothing of what the host bears.
    fn seconds(&self, state: &State, now: Instant) -> f64 {
        let shut = match (state.since, state.until) {
            (Some(since), Some(until)) => until.min(now).saturating_duration_since(since),
            _ => Duration::ZERO,
        };
        let open = now.saturating_duration_since(self.begun);
        open.saturating_sub(state.paused + shut).as_secs_f64()
    }
}

impl State {
    fn last_pause(&self) -> Duration {
        match (self.since, self.until) {
            (Some(since), Some(until)) => until.saturating_duration_since(since),
            _ => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_pause_is_kept_by_all_and_ends_within_half_a_second() {
        let door = std::sync::Arc::new(Door::default());
        let start = Instant::now();
        assert!(door.refuse(Some(Duration::from_secs(2)), 8));
        assert!(door.refuse(Some(Duration::from_secs(1)), 8));
        let tasks: Vec<_> = (0..200)
            .map(|_| {
                let door = door.clone();
                tokio::spawn(async move {
                    assert!(door.pass(&AtomicU64::new(0)).await.is_ok());
                    start.elapsed().as_secs_f64()
                })
            })
            .collect();
        let mut times = Vec::new();
        for task in tasks {
            times.push(task.await.unwrap_or_default());
        }
        assert!(
            times.iter().all(|time| (2.0..2.5).contains(time)),
            "{times:?}"
        );
        times.sort_by(f64::total_cmp);
        assert!(times[199] - times[0] > 0.2, "all at once: {times:?}");
        assert!(!door.is_shut());
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_teaches_a_pace_whatever_pauses_there_were() {
        let door = Door::default();
        for index in 0..200 {
            tokio::time::advance(Duration::from_millis(10)).await;
            assert!(door.pass(&AtomicU64::new(0)).await.is_ok());
            door.answer();
            if index % 60 == 59 {
                lock(&door.state).pace = Pace::default();
                door.refuse(Some(Duration::from_secs(30)), 8);
            }
        }
        lock(&door.state).pace = Pace::default();
        for _ in 0..200 {
            tokio::time::advance(Duration::from_millis(10)).await;
            door.answer();
        }
        door.refuse(None, 8);
        let start = Instant::now();
        for _ in 0..92 {
            assert!(door.pass(&AtomicU64::new(0)).await.is_ok());
        }
        let seconds = start.elapsed().as_secs_f64();
        assert!((0.9..1.1).contains(&seconds), "{seconds}");
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_that_bring_nothing_come_to_an_end() {
        for (seconds, worth) in [(1, 7), (60, 5), (200, 2), (300, 1)] {
            let (door, pause) = (Door::default(), Some(Duration::from_secs(seconds)));
            door.refuse(pause, 8);
            tokio::time::advance(Duration::from_secs(seconds)).await;
            door.answer();
            let mut pauses = 0;
            while door.refuse(pause, 8) {
                // Those that were under way say nothing new.
                assert!(door.refuse(pause, 8));
                pauses += 1;
                assert!(door.pass(&AtomicU64::new(0)).await.is_ok());
            }
            assert_eq!(pauses, worth, "{seconds} s");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_closed_door_says_why() {
        let (door, waited) = (Door::default(), AtomicU64::new(0));
        assert_eq!((door.count(true), door.count(true)), (1, 2));
        assert_eq!(door.count(false), 0);
        assert!(door.pass(&waited).await.is_ok());
        door.close(Error::new("network", "nobody is there"));
        let error = door.pass(&waited).await;
        assert!(error.is_err_and(|error| error.kind == "network"));
    }
}
