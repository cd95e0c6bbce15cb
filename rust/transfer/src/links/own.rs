//! Files that have URLs of their own: pre-signed ones that end, and how the list gives new ones.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::Arc;

use tokio::time::Instant;
use url::Url;

use super::{absolute, expired, Link, Links, DOUBT, RENEW_AGAIN};
use crate::backoff::lock;
use crate::control::Gate;
use crate::entry::Entry;
use crate::error::Result;
use crate::expiry;
use crate::http::Http;
use crate::list::{List, Reader};
use crate::manifest::{Line, Manifest, Source};

/// Own URLs that one renewal brings: the next files need theirs soon.
const BATCH: usize = 256;

/// Own URLs before and after a line of a list that one reading of it brings: more than the queue holds.
const AROUND: u64 = 8_192;

/// What a link must still live for, beside the time that the file takes at `SLOW`.
const MARGIN: i64 = 60;

/// Bytes per second at which a connection is slow.
const SLOW: u64 = 1 << 20;

/// A file's own URL, and the number of the renewal it is from.
pub type Own = (Arc<str>, u64);

impl Links {
    /// A file's own URL. One that has ended or soon will is renewed, if the list can give new ones;
    /// one that has surely ended and cannot be renewed costs no request.
    pub(super) async fn own_link(
        &self,
        http: &Http,
        gate: &Gate,
        source: &Source,
        entry: &Entry,
        own: &Arc<str>,
    ) -> Result<Link> {
        let mut link = self.known(entry, own)?;
        let Some(mut left) = self.left(&link.url) else {
            return Ok(link);
        };
        let needed = MARGIN + (entry.bytes.unwrap_or(0) / SLOW).min(86_400) as i64;
        if left < needed && source.list.url().is_some() {
            if left <= 0 {
                self.renew(http, gate, source, entry, link.serial).await?;
            } else {
                self.renew_own_early(http, gate, source, entry).await;
            }
            link = self.known(entry, own)?;
            left = self.left(&link.url).unwrap_or(left);
        }
        if left < -DOUBT {
            return Err(expired(entry));
        }
        Ok(link)
    }

    fn known(&self, entry: &Entry, own: &Arc<str>) -> Result<Link> {
        let fresh = lock(&self.own).get(&entry.name).cloned();
        let (text, serial) = fresh.unwrap_or((own.clone(), 0));
        let url = absolute(&text, &entry.name)?;
        let is_signed = expiry::ends(&url).is_some();
        Ok(Link {
            url,
            serial,
            is_signed,
        })
    }

    /// Seconds until `url` ends by its server's clock; none if either is not known.
    fn left(&self, url: &Url) -> Option<i64> {
        let end = expiry::ends(url)?;
        Some(end.saturating_sub(self.clock.now(Some(url))?))
    }

    /// Renews own URLs ahead of their end, once in a while, while the others use the old ones.
    async fn renew_own_early(&self, http: &Http, gate: &Gate, source: &Source, entry: &Entry) {
        let Ok(mut turn) = self.turn.try_lock() else {
            return;
        };
        // Links that are born with little life would be renewed for each file.
        if turn.last.is_some_and(|last| last.elapsed() < RENEW_AGAIN) {
            return;
        }
        turn.count += 1;
        let _ = self.renew_own(http, gate, source, entry, turn.count).await;
        turn.last = Some(Instant::now());
    }

    /// Reads the list again around `entry`: its own URL and those that others hold or want soon.
    pub(super) async fn renew_own(
        &self,
        http: &Http,
        gate: &Gate,
        source: &Source,
        entry: &Entry,
        serial: u64,
    ) -> Result<()> {
        let mut fresh = HashMap::new();
        if self.is_manifest.load(Ordering::Relaxed) {
            let mark = lock(&self.marks).front().cloned();
            for after in [mark, entry.previous.clone()] {
                let mut listing = Manifest::new(http, gate, source, after);
                let mut last = usize::MAX;
                while let Some(line) = listing.next().await? {
                    note(&mut fresh, line, serial);
                    if fresh.len() >= last || fresh.len() >= 2 * AROUND as usize {
                        break;
                    }
                    if last == usize::MAX && fresh.contains_key(&entry.name) {
                        last = fresh.len() + BATCH;
                    }
                }
                if fresh.contains_key(&entry.name) {
                    break;
                }
            }
        } else if let List::Lines { input, .. } = &source.list {
            let mut listing = Reader::new(http, gate, &self.clock, source, input);
            while let Some(line) = listing.next().await? {
                let at = listing.line();
                if at + AROUND >= entry.line {
                    note(&mut fresh, line, serial);
                }
                if at >= entry.line + AROUND {
                    break;
                }
            }
        }
        if !fresh.contains_key(&entry.name) {
            return Err(expired(entry));
        }
        *lock(&self.own) = fresh;
        self.renewed.fetch_add(1, Ordering::Release);
        Ok(())
    }
}

fn note(fresh: &mut HashMap<Arc<str>, Own>, line: Line, serial: u64) {
    if let Line::File(Entry {
        name,
        url: Some(url),
        ..
    }) = line
    {
        fresh.insert(name, (url, serial));
    }
}
