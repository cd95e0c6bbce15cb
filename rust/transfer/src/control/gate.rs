//! The door that every request passes: shut while the host wants a pause, then at the pace that its
//! refusals have taught, and never faster than the user wants.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::bucket::Bucket;
use super::pace::Pace;
use crate::backoff::lock;

/// A server may ask for hours; past this we would rather end and be run again.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// A pause that never ends, and that can still be added to a time.
const CENTURY: Duration = Duration::from_secs(36_525 * 86_400);

/// After a pause so many requests start at once: if they are refused too, that is one pause and not
/// as many. The rest follow one by one, and none later than half a second.
const FIRST_IN: u32 = 16;
const STEP: Duration = Duration::from_millis(2);
const REOPENING: Duration = Duration::from_millis(400);

/// What may pass at once within a pace: about what a moment of it would be.
const BURST: f64 = 2.0;

/// The gate of one run.
#[derive(Debug)]
pub struct Gate {
    begun: Instant,
    state: Mutex<State>,
    /// Looked at before the lock is taken: most requests need none of it.
    is_shut: AtomicBool,
    is_paced: AtomicBool,
    asked: Option<Mutex<Bucket>>,
    /// Nanoseconds that requests waited for a limit that the user asked for, and for a taught pace.
    waited_asked: AtomicU64,
    waited_taught: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    until: Option<Instant>,
    /// When the last pause began, and how long those before it were.
    since: Option<Instant>,
    paused: Duration,
    /// Requests that wait for its end.
    waiting: u32,
    pace: Pace,
    bucket: Option<Bucket>,
}

impl Default for Gate {
    fn default() -> Self {
        Self::new(None)
    }
}

impl Gate {
    /// Open; at most `max_rps` requests a second pass, if given.
    pub fn new(max_rps: Option<f64>) -> Self {
        Self {
            begun: Instant::now(),
            state: Mutex::default(),
            is_shut: AtomicBool::new(false),
            is_paced: AtomicBool::new(false),
            asked: max_rps.map(|rate| Mutex::new(Bucket::new(rate, BURST))),
            waited_asked: AtomicU64::new(0),
            waited_taught: AtomicU64::new(0),
        }
    }

    /// A refusal (429 or 503) came. Shuts the gate for `pause`, if the host named one; a longer
    /// pause already set is kept.
    pub fn refuse(&self, pause: Option<Duration>) {
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
    }

    /// A good answer came.
    pub fn answer(&self) {
        let now = Instant::now();
        let mut state = lock(&self.state);
        let seconds = self.seconds(&state, now);
        state.pace.answer(seconds);
    }

    /// True while the host wants a pause.
    pub fn is_shut(&self) -> bool {
        self.is_shut.load(Ordering::Acquire)
    }

    /// Nanoseconds that requests have waited: for the user's limit, and for a taught pace.
    pub fn waited(&self) -> (u64, u64) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (read(&self.waited_asked), read(&self.waited_taught))
    }

    /// Returns when a request may be sent.
    pub async fn pass(&self) {
        if let Some(asked) = &self.asked {
            let wait = lock(asked).take(Instant::now(), 1.0);
            wait_for(wait, &self.waited_asked).await;
        }
        if self.is_paced.load(Ordering::Acquire) {
            let wait = self.pace();
            wait_for(wait, &self.waited_taught).await;
        }
        while self.is_shut() {
            match self.turn() {
                Some(turn) => tokio::time::sleep_until(turn).await,
                None => self.is_shut.store(false, Ordering::Release),
            }
        }
    }

    /// When a request that meets a shut gate may pass.
    fn turn(&self) -> Option<Instant> {
        let mut state = lock(&self.state);
        let until = state.until.filter(|until| *until > Instant::now())?;
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

    /// The time that the gate has been open: a pause says nothing of what the host bears.
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

async fn wait_for(wait: Duration, waited: &AtomicU64) {
    if !wait.is_zero() {
        let nanos = u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX);
        waited.fetch_add(nanos, Ordering::Relaxed);
        tokio::time::sleep(wait).await;
    }
}

/// `Retry-After` as a pause: seconds or an HTTP date (RFC 9110 §10.2.3); a century stands
/// for anything longer.
pub fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are still a number.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)).min(CENTURY));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default().min(CENTURY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_reads_seconds_and_dates() {
        let now = httpdate::parse_http_date("Fri, 20 Nov 2026 10:00:00 GMT")
            .unwrap_or(SystemTime::UNIX_EPOCH);
        let after = |value| retry_after(value, now).map(|pause| pause.as_secs());
        assert_eq!(after("7"), Some(7));
        assert_eq!(after("Fri, 20 Nov 2026 10:00:09 GMT"), Some(9));
        assert_eq!(after("Fri, 20 Nov 2026 09:00:00 GMT"), Some(0));
        assert_eq!(after("99999999999999999999999"), Some(CENTURY.as_secs()));
        assert_eq!(after("soon"), None);
        assert_eq!(after("-1"), None);
        assert_eq!(after(""), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_is_kept_by_all_and_ends_within_half_a_second() {
        let gate = std::sync::Arc::new(Gate::new(None));
        let start = Instant::now();
        gate.refuse(Some(Duration::from_secs(2)));
        gate.refuse(Some(Duration::from_secs(1)));
        let tasks: Vec<_> = (0..200)
            .map(|_| {
                let gate = gate.clone();
                tokio::spawn(async move {
                    gate.pass().await;
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
        assert!(!gate.is_shut());
    }

    #[tokio::test(start_paused = true)]
    async fn requests_a_second_are_kept() {
        let (gate, start) = (Gate::new(Some(50.0)), Instant::now());
        for _ in 0..102 {
            gate.pass().await;
        }
        let seconds = start.elapsed().as_secs_f64();
        assert!((1.95..2.1).contains(&seconds), "{seconds}");
        assert!(gate.waited().0 > 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_teaches_a_pace_whatever_pauses_there_were() {
        let gate = Gate::new(None);
        for index in 0..200 {
            tokio::time::advance(Duration::from_millis(10)).await;
            gate.pass().await;
            gate.answer();
            if index % 60 == 59 {
                lock(&gate.state).pace = Pace::default();
                gate.refuse(Some(Duration::from_secs(30)));
            }
        }
        lock(&gate.state).pace = Pace::default();
        for _ in 0..200 {
            tokio::time::advance(Duration::from_millis(10)).await;
            gate.answer();
        }
        gate.refuse(None);
        let start = Instant::now();
        for _ in 0..92 {
            gate.pass().await;
        }
        let seconds = start.elapsed().as_secs_f64();
        assert!((0.9..1.1).contains(&seconds), "{seconds}");
    }
}
