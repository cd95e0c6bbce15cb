//! How busy this process keeps its cores. When it is they that bound a run, more connections to
//! one file only cost.

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
    used: Duration,
    is_full: bool,
}

impl Gauge {
    /// Begins the first reading; until it is done the cores count as full.
    pub fn new() -> Self {
        Self(Mutex::new(Reading {
            at: Instant::now(),
            used: used().unwrap_or_default(),
            is_full: true,
        }))
    }

    /// True if this process can hardly do more than it does.
    pub fn is_full(&self) -> bool {
        let mut reading = lock(&self.0);
        let elapsed = reading.at.elapsed();
        if elapsed >= SPAN {
            let Some(used) = used() else {
                return false;
            };
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            let share = used.saturating_sub(reading.used).as_secs_f64()
                / (elapsed.as_secs_f64() * cores as f64);
            *reading = Reading {
                at: Instant::now(),
                used,
                is_full: share > FULL,
            };
        }
        reading.is_full
    }
}

/// Processor time of this process so far, if the system tells.
fn used() -> Option<Duration> {
    #[cfg(unix)]
    {
        use rustix::time::{clock_gettime, ClockId};
        let time = clock_gettime(ClockId::ProcessCPUTime);
        let seconds = u64::try_from(time.tv_sec).ok()?;
        Some(Duration::new(seconds, u32::try_from(time.tv_nsec).ok()?))
    }
    #[cfg(not(unix))]
    None
}

#[cfg(test)]
mod tests {
    use super::*;

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
