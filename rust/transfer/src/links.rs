//! From a file of the manifest to a URL that works now.
//!
//! Signatures end. They are renewed shortly before, or when the server says so, by asking for the
//! manifest again: once, whoever notices first; the others wait for that answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use percent_encoding::{utf8_percent_encode, AsciiSet, NON_ALPHANUMERIC};
use tokio::time::Instant;
use url::Url;

use crate::backoff::{lock, Gate};
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::http::Http;
use crate::key::host;
use crate::manifest::{Head, Line, Manifest, Source};

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

/// Own URLs that one renewal brings: the next files need theirs soon.
const BATCH: usize = 256;

/// A URL and the number of the renewal it is from.
#[derive(Debug, Clone)]
pub struct Link {
    /// Where the file is now.
    pub url: Url,
    /// Hand this back to [`Links::renew`] when the URL has expired.
    pub serial: u64,
}

/// The job's links.
pub struct Links {
    template: Mutex<Option<Arc<Template>>>,
    own: Mutex<HashMap<Arc<str>, Own>>,
    turn: tokio::sync::Mutex<u64>,
}

/// A file's own URL, and the number of the renewal it is from.
type Own = (Arc<str>, u64);

#[derive(Clone)]
struct Template {
    before: String,
    after: String,
    serial: u64,
    renew_at: Option<Instant>,
}

impl Links {
    /// No link is known yet.
    pub fn new() -> Self {
        Self {
            template: Mutex::default(),
            own: Mutex::default(),
            turn: tokio::sync::Mutex::new(0),
        }
    }

    /// Takes the template of a manifest's first line.
    pub fn learn(&self, head: &Head, source: &Source) -> Result<()> {
        let serial = lock(&self.template).as_ref().map_or(0, |old| old.serial);
        self.set(head, source, serial)
    }

    fn set(&self, head: &Head, source: &Source, serial: u64) -> Result<()> {
        let Some(reference) = &head.url else {
            return Ok(());
        };
        let bad = |why: &str| {
            Error::new(
                "bad-answer",
                format!("the manifest from {} {why}", host(&source.url)),
            )
        };
        if !reference.contains("{name}") {
            return Err(bad("gives a file address without {name}"));
        }
        let whole = source
            .url
            .join(&reference.replacen("{name}", MARK, 1))
            .map_err(|_| bad("gives no proper file address"))?;
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
            renew_at: head.expires.map(|end| renew_at(end - head.now)),
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
            let (text, serial) = lock(&self.own)
                .get(&entry.name)
                .cloned()
                .unwrap_or((own.clone(), 0));
            return Ok(Link {
                url: absolute(&text, &entry.name)?,
                serial,
            });
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
        Ok(Link {
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
        *turn += 1;
        if self
            .renew_template(http, gate, source, entry, *turn)
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
        let mut turn = self.turn.lock().await;
        if entry.url.is_some() {
            if lock(&self.own)
                .get(&entry.name)
                .is_some_and(|(_, fresh)| *fresh > serial)
            {
                return Ok(());
            }
            *turn += 1;
            return self.renew_own(http, gate, source, entry, *turn).await;
        }
        if self.template()?.serial > serial {
            return Ok(());
        }
        *turn += 1;
        self.renew_template(http, gate, source, entry, *turn).await
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
                format!(
                    "the manifest from {} lacks its first line",
                    host(&source.url)
                ),
            )),
        }
    }

    async fn renew_own(
        &self,
        http: &Http,
        gate: &Gate,
        source: &Source,
        entry: &Entry,
        serial: u64,
    ) -> Result<()> {
        let mut manifest = Manifest::new(http, gate, source, entry.previous.clone());
        let mut fresh = HashMap::new();
        while let Some(line) = manifest.next().await? {
            if let Line::File(Entry {
                name,
                url: Some(url),
                ..
            }) = line
            {
                fresh.insert(name, (url, serial));
            }
            if fresh.len() >= BATCH {
                break;
            }
        }
        *lock(&self.own) = fresh;
        Ok(())
    }

    fn template(&self) -> Result<Arc<Template>> {
        let known = lock(&self.template).clone();
        known.ok_or_else(|| Error::new("bad-answer", "the manifest tells no address for its files"))
    }
}

/// The line of `entry` as the server has it now, or `None` if it is gone.
pub async fn reread(
    http: &Http,
    gate: &Gate,
    source: &Source,
    entry: &Entry,
) -> Result<Option<Entry>> {
    let mut manifest = Manifest::new(http, gate, source, entry.previous.clone());
    while let Some(line) = manifest.next().await? {
        if let Line::File(found) = line {
            return Ok((found.name == entry.name).then_some(found));
        }
    }
    Ok(None)
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
