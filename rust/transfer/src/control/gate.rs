//! What every request passes: the rate that the user wants, then the door of its host, so that a
//! host that wants a pause holds up nobody else's files.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;
use url::{Position, Url};

use super::bucket::Bucket;
use super::door::Door;
use crate::backoff::lock;
use crate::error::{Error, Result};

/// A server may ask for hours; past this we would rather end and be run again.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// A pause that never ends, and that can still be added to a time.
const CENTURY: Duration = Duration::from_secs(36_525 * 86_400);

/// What may pass at once within a pace: about what a moment of it would be.
pub(super) const BURST: f64 = 2.0;

/// A shorter pause is waited for; during a longer one there is other work.
const LONG: Duration = Duration::from_millis(500);

/// So many doors are known before those of hosts without trouble are forgotten.
const DOORS: usize = 512;

/// The gate of one run.
#[derive(Debug, Default)]
pub struct Gate {
    doors: Mutex<Doors>,
    /// True once any host has refused anything.
    has_refused: AtomicBool,
    /// True once a file had no answer.
    has_failed: AtomicBool,
    /// The first host that was planned, and whether there was another.
    first: OnceLock<Box<str>>,
    are_many: AtomicBool,
    /// Pauses in a row after which a host that brought nothing is given up.
    pauses: u32,
    asked: Option<Mutex<Bucket>>,
    /// Nanoseconds that requests waited for a limit that the user asked for, and for a taught pace.
    waited_asked: AtomicU64,
    waited_taught: AtomicU64,
}

#[derive(Debug, Default)]
struct Doors {
    known: HashMap<Box<str>, Arc<Door>>,
    /// How many are known before the next look at who is in trouble.
    most: usize,
}

impl Gate {
    /// Open; at most `max_rps` requests a second pass, if given. A host that wants `pauses` in a
    /// row and answers nothing well meanwhile is given up.
    pub fn new(max_rps: Option<f64>, pauses: u32) -> Self {
        Self {
            pauses,
            asked: max_rps.map(|rate| Mutex::new(Bucket::new(rate, BURST))),
            ..Self::default()
        }
    }

    /// The door of a URL's host.
    pub fn door(&self, url: &Url) -> Arc<Door> {
        let origin = &url[..Position::BeforePath];
        let mut doors = lock(&self.doors);
        if let Some(door) = doors.known.get(origin) {
            return door.clone();
        }
        if doors.known.len() >= doors.most {
            let is_needed = |door: &Arc<Door>| door.is_shut() || door.is_closed();
            doors
                .known
                .retain(|_, door| Arc::strong_count(door) > 1 || is_needed(door));
            doors.most = DOORS.max(2 * doors.known.len());
        }
        let door = Arc::<Door>::default();
        doors.known.insert(origin.into(), door.clone());
        door
    }

    /// A refusal (429 or 503) came from the host of `url`. Shuts its door for `pause`, if the host
    /// named one; a longer pause already set is kept. False if it is not worth another pause.
    pub fn refuse(&self, url: &Url, pause: Option<Duration>) -> bool {
        self.has_refused.store(true, Ordering::Release);
        self.door(url).refuse(pause, self.pauses)
    }

    /// True while every host wants a pause.
    pub fn is_shut(&self) -> bool {
        if !self.has_refused.load(Ordering::Acquire) {
            return false;
        }
        let doors = lock(&self.doors);
        !doors.known.is_empty() && doors.known.values().all(|door| door.is_shut())
    }

    /// A file with this URL of its own is planned.
    pub fn planned(&self, url: &str) {
        if !self.has_many() {
            let end = url
                .match_indices('/')
                .nth(2)
                .map_or(url.len(), |(at, _)| at);
            let first = self.first.get_or_init(|| url[..end].into());
            if **first != url[..end] {
                self.are_many.store(true, Ordering::Release);
            }
        }
    }

    /// True if files of more than one host were planned.
    pub fn has_many(&self) -> bool {
        self.are_many.load(Ordering::Acquire)
    }

    /// True if nothing more is asked of the host of a list's line.
    pub fn is_closed(&self, url: Option<&str>) -> bool {
        let has_trouble = |mark: &AtomicBool| mark.load(Ordering::Acquire);
        if !has_trouble(&self.has_refused) && !has_trouble(&self.has_failed) {
            return false;
        }
        let url = url.and_then(|url| Url::parse(url).ok());
        url.is_some_and(|url| self.door(&url).is_closed())
    }

    /// When the host of a list's line opens, if it does not soon and there are others meanwhile.
    pub fn opens(&self, url: Option<&str>) -> Option<Instant> {
        if !self.has_refused.load(Ordering::Acquire) || !self.has_many() {
            return None;
        }
        let opens = self.door(&Url::parse(url?).ok()?).opens()?;
        (opens > Instant::now() + LONG).then_some(opens)
    }

    /// A file with a URL of its own had its answer, or once more none: after `most` in a row without
    /// one, nothing more is asked of its host.
    pub fn count(&self, url: Option<&str>, error: Option<&Error>, most: usize) {
        if error.is_none() && !self.has_failed.load(Ordering::Acquire) {
            return;
        }
        let Some(url) = url.and_then(|url| Url::parse(url).ok()) else {
            return;
        };
        self.has_failed.store(true, Ordering::Release);
        let door = self.door(&url);
        if let Some(error) = error.filter(|_| door.count(true) >= most) {
            door.close(error.clone());
        } else if error.is_none() {
            door.count(false);
        }
    }

    /// Nanoseconds that requests have waited: for the user's limit, and for a taught pace.
    pub fn waited(&self) -> (u64, u64) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (read(&self.waited_asked), read(&self.waited_taught))
    }

    /// Returns when a request for `url` may be sent, with the door it went through; an error if
    /// nothing more is to be asked of its host.
    pub async fn pass(&self, url: &Url) -> Result<Arc<Door>> {
        if let Some(asked) = &self.asked {
            let wait = lock(asked).take(Instant::now(), 1.0);
            wait_for(wait, &self.waited_asked).await;
        }
        let door = self.door(url);
        door.pass(&self.waited_taught).await?;
        Ok(door)
    }
}

pub(super) async fn wait_for(wait: Duration, waited: &AtomicU64) {
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

    fn at(host: &str) -> Url {
        let url = Url::parse(&format!("http://{host}/a"));
        url.unwrap_or_else(|_| panic!("{host}"))
    }

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
    async fn requests_a_second_are_kept() {
        let (gate, start) = (Gate::new(Some(50.0), 8), Instant::now());
        for _ in 0..102 {
            assert!(gate.pass(&at("a")).await.is_ok());
        }
        let seconds = start.elapsed().as_secs_f64();
        assert!((1.95..2.1).contains(&seconds), "{seconds}");
        assert!(gate.waited().0 > 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_is_the_hosts_own() {
        let (gate, start) = (Gate::new(None, 8), Instant::now());
        for url in ["http://a/1", "http://a/2"] {
            gate.planned(url);
        }
        assert!(!gate.has_many());
        gate.planned("http://b/1");
        assert!(gate.has_many());
        assert!(gate.pass(&at("a")).await.is_ok() && gate.pass(&at("b")).await.is_ok());
        assert!(gate.refuse(&at("a"), Some(Duration::from_secs(9))));
        assert!(!gate.is_shut());
        assert!(gate.opens(Some("http://a/other")).is_some());
        assert!(gate.opens(Some("http://b/other")).is_none());
        assert!(gate.pass(&at("b")).await.is_ok());
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert!(gate.pass(&at("a")).await.is_ok());
        assert!(start.elapsed() >= Duration::from_secs(9));
    }

    #[tokio::test]
    async fn hosts_without_trouble_are_forgotten() {
        let gate = Gate::new(None, 8);
        for url in ["http://a/1", "http://b/1"] {
            gate.planned(url);
        }
        assert!(gate.refuse(&at("a"), Some(Duration::from_secs(9))));
        for index in 0..10 * DOORS {
            assert!(gate.pass(&at(&format!("host{index}"))).await.is_ok());
        }
        assert!(lock(&gate.doors).known.len() <= DOORS);
        assert!(gate.opens(Some("http://a/")).is_some());
    }
}
