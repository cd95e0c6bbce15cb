//! How busy this process keeps its cores, or would if nobody else had them. When it is they that
//! bound a run, more connections to one file only cost.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::backoff::lock;

/// How long a reading takes, and is believed.
const SPAN: Duration = Duration::from_millis(50);

/// More than this share of the cores is all that there is to have.
const FULL: f64 = 0.9;

/// A gauge of processor time.
#[derive(Debug)]
pub struct Gauge(Mutex<Reading>);

#[derive(Debug)]
struct Reading {
    at: Instant,
    claimed: Duration,
    is_full: bool,
}

impl Gauge {
    /// Begins the first reading; until it is done the cores count as full.
    pub fn new() -> Self {
        Self(Mutex::new(Reading {
            at: Instant::now(),
            claimed: claimed().unwrap_or_default(),
            is_full: true,
        }))
    }

    /// True if this process can hardly do more than it does.
    pub fn is_full(&self) -> bool {
        let mut reading = lock(&self.0);
        let elapsed = reading.at.elapsed();
        if elapsed >= SPAN {
            let Some(claimed) = claimed() else {
                return false;
            };
            let share = claimed.saturating_sub(reading.claimed).as_secs_f64()
                / (elapsed.as_secs_f64() * threads() as f64);
            *reading = Reading {
                at: Instant::now(),
                claimed,
                is_full: share > FULL,
            };
        }
        reading.is_full
    }
}

/// The threads that do the work, and so the cores that they can use.
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get().min(4))
}

/// Processor time of this process so far and, where the system tells it, the time that its threads
/// were ready and waited for a core that somebody else had.
pub fn claimed() -> Option<Duration> {
    #[cfg(unix)]
    {
        use rustix::time::{clock_gettime, ClockId};
        let time = clock_gettime(ClockId::ProcessCPUTime);
        let seconds = u64::try_from(time.tv_sec).ok()?;
        let used = Duration::new(seconds, u32::try_from(time.tv_nsec).ok()?);
        Some(used + waited())
    }
    #[cfg(not(unix))]
    None
}

/// How long the threads that there are waited for a core: of the numbers of `/proc/PID/task/TID/schedstat`
/// the second, in nanoseconds.
#[cfg(unix)]
fn waited() -> Duration {
    let waited = |task: std::fs::DirEntry| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_ascii_whitespace().nth(1)?.parse::<u64>().ok()
    };
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten();
    Duration::from_nanos(tasks.flatten().filter_map(waited).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn who_waits_for_a_core_claims_it_too() {
        let Ok(cores) = rustix::thread::sched_getaffinity(None) else {
            return;
        };
        let Some(core) = (0..rustix::thread::CpuSet::MAX_CPU).find(|core| cores.is_set(*core))
        else {
            return;
        };
        if std::fs::read_to_string("/proc/self/schedstat").is_err() {
            return; // this kernel does not tell
        }
        let mut one = rustix::thread::CpuSet::new();
        one.set(core);
        let before = claimed().unwrap_or_default();
        let begun = Instant::now();
        let busy = move || {
            assert!(rustix::thread::sched_setaffinity(None, &one).is_ok());
            while begun.elapsed() < 4 * SPAN {}
            claimed().unwrap_or_default()
        };
        // Four on one core have a quarter each, and want the whole.
        let all: Vec<_> = (0..4).map(|_| std::thread::spawn(busy)).collect();
        let after = all.into_iter().filter_map(|one| one.join().ok()).max();
        assert!(after.unwrap_or_default() - before > 8 * SPAN);
    }

    #[test]
    fn a_process_that_sleeps_has_room() {
        let gauge = Gauge::new();
        assert!(gauge.is_full());
        std::thread::sleep(4 * SPAN);
        // Other tests run beside this one: only the reading itself is sure.
        gauge.is_full();
        assert!(lock(&gauge.0).at.elapsed() < 4 * SPAN);
    }
}
