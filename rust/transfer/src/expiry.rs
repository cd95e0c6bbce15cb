//! When a signed URL ends, as its own query tells; and the clock that this is judged by.
//!
//! Sources of formats: AWS Signature Version 4 and 2, Google Cloud Storage V4 and V2, Azure shared
//! access signatures, CloudFront canned and custom policies, and our own platform's `exp`.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::UNIX_EPOCH;

use tokio::time::Instant;
use url::Url;

use crate::backoff::lock;
use crate::http::Response;

/// Hosts whose clocks are remembered.
const MOST_HOSTS: usize = 256;

/// When the signature in `url` ends, in seconds since 1970 by its server's clock; none if it has
/// no signature that we know.
pub fn ends(url: &Url) -> Option<i64> {
    let query = url.query()?;
    let mut found = Fields::default();
    for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let key = key.to_ascii_lowercase();
        let seconds = || value.parse::<i64>().ok().filter(|seconds| *seconds >= 0);
        match key.as_str() {
            "x-amz-date" | "x-goog-date" => found.start = moment(&value),
            "x-amz-expires" | "x-goog-expires" => found.life = seconds(),
            "expires" | "exp" => found.epoch = seconds(),
            "se" => found.azure = moment(&value),
            "policy" => found.policy = policy(&value),
            "signature" | "sig" => found.is_signed = true,
            _ => {}
        }
    }
    let given = found.start.zip(found.life);
    let counted = given.and_then(|(start, life)| start.checked_add(life));
    // Those words alone may mean anything; beside a signature they mean its end.
    let plain = [found.epoch, found.azure, found.policy];
    let plain = plain.into_iter().flatten().filter(|_| found.is_signed);
    plain.chain(counted).min()
}

#[derive(Default)]
struct Fields {
    start: Option<i64>,
    life: Option<i64>,
    epoch: Option<i64>,
    azure: Option<i64>,
    policy: Option<i64>,
    is_signed: bool,
}

/// `20261120T123456Z`, `2026-11-20T12:34:56Z`, `2026-11-20T12:34Z` or `2026-11-20` in UTC.
fn moment(text: &str) -> Option<i64> {
    let (date, time) = text.split_once('T').unwrap_or((text, ""));
    let time = time.strip_suffix('Z').unwrap_or(time);
    let time = time.split('.').next().unwrap_or_default();
    let date: String = date.chars().filter(|letter| *letter != '-').collect();
    let time: String = time.chars().filter(|letter| *letter != ':').collect();
    let number = |text: Option<&str>| -> Option<i64> {
        let text = text?;
        text.bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| text.parse().ok())?
    };
    if date.len() != 8 || !matches!(time.len(), 0 | 4 | 6) {
        return None;
    }
    let (year, month, day) = (
        number(date.get(..4))?,
        number(date.get(4..6))?,
        number(date.get(6..8))?,
    );
    let part = |range: std::ops::Range<usize>| match time.get(range) {
        Some(text) => number(Some(text)),
        None => Some(0),
    };
    let (hour, minute, second) = (part(0..2)?, part(2..4)?, part(4..6)?);
    let fits = (1..=12).contains(&month) && (1..=31).contains(&day);
    if !fits || hour > 24 || minute > 59 || second > 60 {
        return None;
    }
    Some(days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// Days from 1970-01-01 in the Gregorian calendar; the year is taken to begin in March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year
        - 719_468
}

/// The `DateLessThan` of a CloudFront custom policy: base64 with `-_~` for `+=/` around JSON.
fn policy(text: &str) -> Option<i64> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut held) = (0_u32, 0);
    for letter in text.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' | b'-' | b' ' => 62,
            b'/' | b'~' => 63,
            b'=' | b'_' => break,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    let policy: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
    let statement = policy.get("Statement")?.get(0)?;
    statement
        .pointer("/Condition/DateLessThan/AWS:EpochTime")?
        .as_i64()
}

/// The servers' clocks, by their `Date` headers. This machine's own may be wrong by years.
#[derive(Debug, Default)]
pub struct Clock(Mutex<HashMap<String, (i64, Instant)>>);

impl Clock {
    /// Takes the time from an answer, if it tells one.
    pub fn learn(&self, response: &Response) {
        let date = response
            .header("date")
            .and_then(|value| httpdate::parse_http_date(value).ok());
        let Some(date) = date.and_then(|date| date.duration_since(UNIX_EPOCH).ok()) else {
            return;
        };
        // A cache tells the origin's time, and how long ago that was.
        let age = response
            .header("age")
            .and_then(|value| value.trim().parse::<i64>().ok());
        let now =
            (date.as_secs() as i64).saturating_add(age.unwrap_or(0).clamp(0, 10 * 366 * 86_400));
        self.set(response.url(), now);
    }

    fn set(&self, url: &Url, now: i64) {
        let mut known = lock(&self.0);
        if known.len() >= MOST_HOSTS {
            known.clear();
        }
        let host = url.host_str().unwrap_or_default();
        known.insert(host.to_owned(), (now, Instant::now()));
    }

    /// The time at the host of `url`, or else at any host heard of; none before the first answer.
    pub fn now(&self, url: Option<&Url>) -> Option<i64> {
        let known = lock(&self.0);
        let own = url.and_then(Url::host_str).and_then(|host| known.get(host));
        let (then, at) = own.or_else(|| known.values().max_by_key(|(_, at)| *at))?;
        Some(then.saturating_add(at.elapsed().as_secs() as i64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(query: &str) -> Option<i64> {
        Url::parse(&format!("https://h/f?{query}"))
            .ok()
            .as_ref()
            .and_then(ends)
    }

    #[test]
    fn every_kind_of_signature_tells_its_end() {
        // 2026-11-20T12:00:00Z
        let noon = 1_795_176_000;
        for (query, expected) in [
            (
                "X-Amz-Date=20261120T115500Z&X-Amz-Expires=300&X-Amz-Signature=x",
                Some(noon),
            ),
            (
                "x-goog-date=20261120T110000Z&x-goog-expires=3600",
                Some(noon),
            ),
            (
                "Expires=1795176000&Signature=x&AWSAccessKeyId=y",
                Some(noon),
            ),
            ("sv=2020&se=2026-11-20T12%3A00%3A00Z&sig=abc", Some(noon)),
            ("se=2026-11-20T12:00Z&sig=abc", Some(noon)),
            ("se=2026-11-20&sig=abc", Some(noon - 43_200)),
            ("exp=1795176000&sig=x", Some(noon)),
            ("expires=1795176000", None),
            ("se=en&q=1", None),
            ("se=sv&sig=1", None),
            ("X-Amz-Expires=300", None),
            ("X-Amz-Date=20261399T999999Z&X-Amz-Expires=1", None),
            ("X-Amz-Date=20261120T115500Z&X-Amz-Expires=-300", None),
            (
                "X-Amz-Date=20261120T115500Z&X-Amz-Expires=99999999999999999999",
                None,
            ),
            (
                "X-Amz-Date=20261120T115500Z&X-Amz-Expires=9223372036854775807",
                None,
            ),
            ("", None),
        ] {
            assert_eq!(end(query), expected, "{query}");
        }
        // {"Statement":[{"Condition":{"DateLessThan":{"AWS:EpochTime":1795176000}}}]}
        let policy = "eyJTdGF0ZW1lbnQiOlt7IkNvbmRpdGlvbiI6eyJEYXRlTGVzc1RoYW4iOnsiQVdTOkVwb2NoVGltZSI6MTc5NTE3NjAwMH19fV19";
        let query = format!("Policy={policy}&Signature=s&Key-Pair-Id=k");
        assert_eq!(end(&query), Some(noon));
        for cut in 0..policy.len() {
            let _ = end(&format!("Policy={}&Signature=s", &policy[..cut]));
        }
    }

    #[test]
    fn dates_count_from_1970() {
        for (text, expected) in [
            ("19700101T000000Z", Some(0)),
            ("20000229T000000Z", Some(951_782_400)),
            ("2100-03-01T00:00:00Z", Some(4_107_542_400)),
            ("2026-11-20T12:00:00.123Z", Some(1_795_176_000)),
            ("2026", None),
            ("+0261120T000000Z", None),
        ] {
            assert_eq!(moment(text), expected, "{text}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn each_host_has_its_own_clock() {
        let clock = Clock::default();
        let (one, two) = (Url::parse("http://one/"), Url::parse("http://two/"));
        let (Ok(one), Ok(two)) = (one, two) else {
            panic!()
        };
        assert_eq!(clock.now(Some(&one)), None);
        clock.set(&one, 1_000);
        tokio::time::advance(std::time::Duration::from_secs(5)).await;
        assert_eq!(clock.now(Some(&one)), Some(1_005));
        assert_eq!(clock.now(Some(&two)), Some(1_005));
        clock.set(&two, 9_000);
        assert_eq!(
            (clock.now(Some(&one)), clock.now(Some(&two))),
            (Some(1_005), Some(9_000))
        );
    }
}
