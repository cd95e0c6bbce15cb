//! When a job is not worth going on with: the host says of too many of the first files that they
//! are not there, or not for us.

use std::sync::Mutex;

use crate::backoff::lock;
use crate::error::Error;

/// The files that are looked at.
const FIRST: u64 = 1_000;

/// More of them than this end the run at once; more than a hundredth of them all do, once they
/// have all been seen to.
const MOST: u64 = 100;
const SHARE: u64 = 100;

/// Counts the first files of a run.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<(u64, u64)>);

impl Refusals {
    /// A file came to its end, well or not; an error if the run should end with it.
    pub fn count(&self, outcome: Result<(), &Error>) -> Result<(), Error> {
        let mut counts = lock(&self.0);
        if counts.0 >= FIRST {
            return Ok(());
        }
        counts.0 += 1;
        let refusal = outcome.err().filter(|error| is_refusal(error));
        counts.1 += u64::from(refusal.is_some());
        let (seen, refused) = *counts;
        let is_last = seen == FIRST && refused > FIRST / SHARE;
        let Some(error) = refusal.filter(|_| refused > MOST || is_last) else {
            // The thousandth may be a good one.
            return if is_last && outcome.is_ok() {
                Err(words(seen, refused, "bad-answer", None, None))
            } else {
                Ok(())
            };
        };
        let (kind, status) = (error.kind.to_string(), error.status);
        Err(words(seen, refused, &kind, status, Some(&error.message)))
    }
}

fn is_refusal(error: &Error) -> bool {
    matches!(error.status, Some(403 | 404 | 410)) && error.kind != "url-expired"
}

fn words(seen: u64, refused: u64, kind: &str, status: Option<u16>, last: Option<&str>) -> Error {
    let last = last
        .map(|text| format!("; the last: {text}"))
        .unwrap_or_default();
    let text =
        format!("{refused} of the first {seen} files are refused, so the rest is left{last}");
    let mut error = Error::new(kind.to_owned(), text)
        .hint("check that the list is not out of date and that you may read its files");
    error.status = status;
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gone() -> Error {
        Error::new("not-found", "a.png: not there").status(404)
    }

    #[test]
    fn a_few_in_a_small_job_are_listed() {
        let refusals = Refusals::default();
        for index in 0..999 {
            let error = gone();
            let outcome = if index % 10 == 0 { Err(&error) } else { Ok(()) };
            assert!(refusals.count(outcome).is_ok());
        }
    }

    #[test]
    fn more_than_a_hundred_end_the_run() {
        let refusals = Refusals::default();
        let ended = (0..500).position(|_| refusals.count(Err(&gone())).is_err());
        assert_eq!(ended, Some(100));
    }

    #[test]
    fn one_in_a_hundred_of_a_thousand_is_too_much_and_later_ones_are_listed() {
        for (refused, ends) in [(10, false), (11, true)] {
            let refusals = Refusals::default();
            let ended = (0..1_000).filter(|index| {
                let error = gone();
                let outcome = if *index < refused {
                    Err(&error)
                } else {
                    Ok(())
                };
                refusals.count(outcome).is_err()
            });
            let ended = ended.count() > 0;
            assert_eq!(ended, ends, "{refused}");
            assert!((0..5_000).all(|_| refusals.count(Err(&gone())).is_ok()));
        }
    }

    #[test]
    fn expired_links_and_outages_are_no_refusals() {
        let refusals = Refusals::default();
        let expired = Error::new("url-expired", "a.png").status(403);
        let outage = Error::new("server-error", "a.png").status(503);
        assert!((0..500).all(|_| refusals.count(Err(&expired)).is_ok()));
        assert!((0..500).all(|_| refusals.count(Err(&outage)).is_ok()));
    }
}
