//! From a file of the manifest to a URL that works now.
//!
//! Signatures end. They are renewed shortly before, or when the server says so, by asking for the
//! manifest again: once, whoever notices first; the others wait for that answer.

mod own;

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use percent_encoding::{utf8_percent_encode, AsciiSet, NON_ALPHANUMERIC};
use tokio::time::Instant;
use url::Url;

use crate::backoff::lock;
use crate::control::Gate;
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::expiry::Clock;
use crate::http::Http;
use crate::manifest::{Head, Line, Manifest, Source};
use own::Own;

/// What a file name keeps in a URL: the unreserved characters of RFC 3986.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Stands for `{name}` while the template is resolved, which would escape the braces.
const MARK: &str = "synthesis-name-goes-here";

/// After an early renewal in vain.
const RENEW_AGAIN: Duration = Duration::from_secs(30);

/// Marks kept, of every 256th line.
const MARKS: usize = 24;

/// A server's clock is known to a second, and the way to it takes time.
const DOUBT: i64 = 2;

/// A URL and the number of the renewal it is from.
#[derive(Debug, Clone)]
pub struct Link {
    /// Where the file is now.
    pub url: Url,
    /// Hand this back to [`Links::renew`] when the URL has expired.
    pub serial: u64,
    /// True if the URL tells its own end, so that the server's clock matters.
    pub is_signed: bool,
}

/// The list's links.
#[derive(Default)]
pub struct Links {
    /// The clocks of the servers that were heard of.
    pub clock: Clock,
    template: Mutex<Option<Arc<Template>>>,
    own: Mutex<HashMap<Arc<str>, Own>>,
    /// Names of the manifest, one of 256, the last few: where a renewal begins.
    marks: Mutex<VecDeque<Arc<str>>>,
    turn: tokio::sync::Mutex<Turn>,
    renewed: AtomicU64,
    is_manifest: AtomicBool,
}

/// The number of renewals, and when the last one ended.
#[derive(Default)]
struct Turn {
    count: u64,
    last: Option<Instant>,
}

#[derive(Clone)]
struct Template {
    before: String,
    after: String,
    serial: u64,
    ends: Option<i64>,
    renew_at: Option<Instant>,
}

impl Links {
    /// No link is known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the template of a manifest's first line.
    pub fn learn(&self, head: &Head, source: &Source) -> Result<()> {
        let serial = lock(&self.template).as_ref().map_or(0, |old| old.serial);
        self.set(head, source, serial)
    }

    /// Notes a line that was planned, and whether it is of a manifest.
    pub fn planned(&self, name: &Arc<str>, is_manifest: bool) {
        self.is_manifest.store(is_manifest, Ordering::Relaxed);
        let mut marks = lock(&self.marks);
        if marks.len() >= MARKS {
            marks.pop_front();
        }
        marks.push_back(name.clone());
    }

    /// How often own URLs were renewed; the list is then read on from a fresh body.
    pub fn renewals(&self) -> u64 {
        self.renewed.load(Ordering::Acquire)
    }

    fn set(&self, head: &Head, source: &Source, serial: u64) -> Result<()> {
        let Some(reference) = &head.url else {
            return Ok(());
        };
        let bad = |why: &str| {
            Error::new(
                "bad-answer",
                format!("the manifest from {} {why}", source.place()),
            )
        };
        if !reference.contains("{name}") {
            return Err(bad("gives a file address without {name}"));
        }
        let marked = reference.replacen("{name}", MARK, 1);
        let whole = match source.list.base() {
            Some(base) => base.join(&marked),
            None => Url::parse(&marked),
        };
        let whole = whole.map_err(|error| match error {
            url::ParseError::RelativeUrlWithoutBase => {
                let text =
                    "the manifest's file addresses are relative, and a file does not say to what";
                Error::new("usage", text).hint("--base URL does: the address it was saved from")
            }
            _ => bad("gives no proper file address"),
        })?;
        if !matches!(whole.scheme(), "http" | "https") {
            return Err(bad("gives a file address that is no web address"));
        }
        let (before, after) = whole
            .as_str()
            .split_once(MARK)
            .ok_or_else(|| bad("gives no proper file address"))?;
        let template = Template {
            before: before.to_owned(),
            after: after.to_owned(),
            serial,
            ends: head.expires,
            renew_at: head
                .expires
                .zip(head.now)
                .filter(|_| source.list.url().is_some())
                .map(|(end, now)| renew_at(end.saturating_sub(now))),
        };
        *lock(&self.template) = Some(Arc::new(template));
        Ok(())
    }

    /// Where `entry` is. Renews links that are about to end.
    pub async fn link(
        &self,
        http: &Http,
        gate: &Gate,
        source: &Source,
        entry: &Entry,
    ) -> Result<Link> {
        if let Some(own) = &entry.url {
            return self.own_link(http, gate, source, entry, own).await;
        }
        let mut template = self.template()?;
        if template
            .renew_at
            .is_some_and(|instant| instant <= Instant::now())
        {
            self.renew_early(http, gate, source, entry).await;
            template = self.template()?;
        }
        let name = utf8_percent_encode(&entry.name, KEPT);
        let url = absolute(
            &format!("{}{name}{}", template.before, template.after),
            &entry.name,
        )?;
        let is_over = |end| {
            self.clock
                .now(Some(&url))
                .is_some_and(|now| now > end + DOUBT)
        };
        if source.list.url().is_none() && template.ends.is_some_and(is_over) {
            return Err(expired(entry));
        }
        Ok(Link {
            is_signed: template.ends.is_some() && source.list.url().is_none(),
            url,
            serial: template.serial,
        })
    }

    /// Renews the template ahead of its end, while the others go on with the old one.
    ///
    /// If that fails the old one may still do; if not, the server will say so.
    async fn renew_early(&self, http: &Http, gate: &Gate, source: &Source, entry: &Entry) {
        let Ok(mut turn) = self.turn.try_lock() else {
            return;
        };
        turn.count += 1;
        if self
            .renew_template(http, gate, source, entry, turn.count)
            .await
            .is_ok()
        {
            return;
        }
        let mut template = lock(&self.template);
        if let Some(old) = template.take() {
            let renew_at = Some(Instant::now() + RENEW_AGAIN);
            *template = Some(Arc::new(Template {
                renew_at,
                ..(*old).clone()
            }));
        }
    }

    /// Fetches new links, unless that was done since `serial`.
    pub async fn renew(
        &self,
        http: &Http,
        gate: &Gate,
        source: &Source,
        entry: &Entry,
        serial: u64,
    ) -> Result<()> {
        if source.list.url().is_none() {
            return Err(expired(entry));
        }
        let mut turn = self.turn.lock().await;
        if entry.url.is_some() {
            let own = lock(&self.own).get(&entry.name).map(|(_, fresh)| *fresh);
            if own.is_some_and(|fresh| fresh > serial) {
                return Ok(());
            }
            turn.count += 1;
            let outcome = self.renew_own(http, gate, source, entry, turn.count).await;
            turn.last = Some(Instant::now());
            return outcome;
        }
        if self.template()?.serial > serial {
            return Ok(());
        }
        turn.count += 1;
        self.renew_template(http, gate, source, entry, turn.count)
            .await
    }

    async fn renew_template(
        &self,
        http: &Http,
        gate: &Gate,
        source: &Source,
        entry: &Entry,
        serial: u64,
    ) -> Result<()> {
        // Asked from here on, so that the body that we do not read is short.
        let mut manifest = Manifest::new(http, gate, source, entry.previous.clone());
        match manifest.next().await? {
            Some(Line::Head(head)) => self.set(&head, source, serial),
            _ => Err(Error::new(
                "bad-answer",
                format!("the manifest from {} lacks its first line", source.place()),
            )),
        }
    }

    /// The line of `entry` as the server has it now, or `None` if it is gone. Lists that are no
    /// manifests are not asked again for one line: it stays as it was.
    pub async fn reread(
        &self,
        http: &Http,
        gate: &Gate,
        source: &Source,
        entry: &Entry,
    ) -> Result<Option<Entry>> {
        if source.list.url().is_none() || !self.is_manifest.load(Ordering::Relaxed) {
            return Ok(Some(entry.clone()));
        }
        let mut manifest = Manifest::new(http, gate, source, entry.previous.clone());
        while let Some(line) = manifest.next().await? {
            if let Line::File(found) = line {
                return Ok((found.name == entry.name).then_some(found));
            }
        }
        Ok(None)
    }

    fn template(&self) -> Result<Arc<Template>> {
        let known = lock(&self.template).clone();
        known.ok_or_else(|| Error::new("bad-answer", "the manifest tells no address for its files"))
    }
}

fn expired(entry: &Entry) -> Error {
    let text = format!("{}: its link has expired", entry.name);
    Error::new("url-expired", text)
        .hint("get a list with fresh links and run the same command again: what is done is kept")
}

/// A minute before the end, or at three quarters of a short life.
fn renew_at(seconds: i64) -> Instant {
    let life = Duration::from_secs(
        u64::try_from(seconds)
            .unwrap_or_default()
            .min(10 * 365 * 86_400),
    );
    let margin = (life / 4).min(Duration::from_secs(60));
    Instant::now() + (life - margin).max(Duration::from_secs(1))
}

fn absolute(text: &str, name: &str) -> Result<Url> {
    let url = Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| {
        let name = crate::names::shown(name);
        Error::new(
            "bad-answer",
            format!("{name}: the manifest gives no proper web address for it"),
        )
    })
}
