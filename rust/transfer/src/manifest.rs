//! The streamed list of files: NDJSON, zstd when the server can, in constant memory.
//!
//! First line: what the job is and how to reach a file. Then a line per file. Last line
//! `{"end": true, "next": cursor|null}`; a body without it was cut, and is asked for again with
//! `after=` the last name seen. Everything in it is checked as data from a stranger.

mod raw;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{HeaderMap, HeaderValue, ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING};
use serde::Deserialize;

use crate::backoff::Backoff;
use crate::control::Gate;
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::fetch;
pub use crate::hex::{hex, sha256};
use crate::http::{Http, Response};
use crate::key::{host, shown, Key};
use crate::lines::Lines;
use crate::list::List;
#[cfg(any(test, feature = "fuzzing"))]
pub use raw::file_of;
use raw::{Named, Raw};

/// Where a list is asked for, and with what.
#[derive(Debug, Clone)]
pub struct Source {
    /// The list.
    pub list: List,
    /// The secret headers and where they may go.
    pub key: Key,
    /// The other headers.
    pub headers: HeaderMap,
}

impl Source {
    /// A list and the headers of all requests; the secret ones go to its origin only, or to that of what
    /// it is relative to.
    pub fn new(list: List, headers: HeaderMap) -> Self {
        let (key, headers) = Key::split(headers, list.url().or(list.base()));
        Self { list, key, headers }
    }

    /// The list in words: its host, or that it is no address.
    pub fn place(&self) -> String {
        self.list.url().map_or_else(|| "the list".to_owned(), host)
    }
}

/// The first line.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Head {
    /// Files in the selection, if the server knows.
    #[serde(default)]
    pub count: Option<u64>,
    /// Their bytes.
    #[serde(default)]
    pub bytes: Option<u64>,
    /// True once no more files will come.
    #[serde(default)]
    pub complete: Option<bool>,
    /// A URL reference that holds `{name}`.
    #[serde(default)]
    pub url: Option<String>,
    /// When the signature in `url` ends, in seconds since 1970, by the server's clock.
    #[serde(default)]
    pub expires: Option<i64>,
    /// The server's clock when it answered.
    #[serde(skip)]
    pub now: Option<i64>,
}

/// What a manifest says, line by line.
#[derive(Debug)]
pub enum Line {
    /// The first line of each body.
    Head(Head),
    /// A file.
    File(Entry),
    /// A line that names a file but not properly: the name, or `line 7`, and the reason.
    Bad(String, String),
}

/// A manifest being read.
pub struct Manifest<'a> {
    http: &'a Http,
    gate: &'a Gate,
    source: &'a Source,
    body: Option<Body>,
    after: Option<Arc<str>>,
    last: Option<Arc<str>>,
    first: Option<Arc<str>>,
    backoff: Backoff,
    ended: bool,
}

struct Body {
    response: Response,
    lines: Lines,
    now: i64,
    has_head: bool,
    has_file: bool,
}

impl<'a> Manifest<'a> {
    /// A manifest from its beginning, or from just after a name. Nothing is sent yet.
    pub fn new(
        http: &'a Http,
        gate: &'a Gate,
        source: &'a Source,
        after: Option<Arc<str>>,
    ) -> Self {
        let (last, backoff) = (after.clone(), Backoff::new(http.limits().attempts));
        Self {
            http,
            gate,
            source,
            body: None,
            after,
            last,
            first: None,
            backoff,
            ended: false,
        }
    }

    /// The rest of a manifest whose first line was read from `lines`, the text of `response`.
    pub fn going_on(
        http: &'a Http,
        gate: &'a Gate,
        source: &'a Source,
        response: Response,
        lines: Lines,
    ) -> Self {
        let mut manifest = Self::new(http, gate, source, None);
        manifest.body = Some(Body {
            now: server_clock(&response),
            response,
            lines: lines.strict(),
            has_head: true,
            has_file: false,
        });
        manifest
    }

    /// The server's clock when the body that is open began, in seconds since 1970.
    pub fn now(&self) -> Option<i64> {
        self.body.as_ref().map(|body| body.now)
    }

    /// The next line, or `None` at the end. Cuts and faults on the way are repaired here.
    pub async fn next(&mut self) -> Result<Option<Line>> {
        while !self.ended {
            match self.step().await {
                Ok(Some(line)) => return Ok(Some(line)),
                Ok(None) => {}
                Err(Trouble::Final(error)) => return Err(error),
                Err(Trouble::Again(error)) => {
                    self.body = None;
                    self.after.clone_from(&self.last);
                    let Some(wait) = self.backoff.next() else {
                        return Err(error);
                    };
                    tokio::time::sleep(wait).await;
                }
            }
        }
        Ok(None)
    }

    /// Asks for the rest anew, for fresh links.
    pub fn restart(&mut self) {
        if self.body.take().is_some() {
            self.after.clone_from(&self.last);
        }
    }

    async fn step(&mut self) -> std::result::Result<Option<Line>, Trouble> {
        let body = match &mut self.body {
            Some(body) => body,
            None => {
                let body = open(self.http, self.gate, self.source, self.after.as_deref()).await?;
                self.body.insert(body)
            }
        };
        while !body.lines.has_line().map_err(Trouble::Again)? {
            let piece = body.response.piece().await.map_err(Trouble::Again)?;
            match piece {
                Some(piece) => body.lines.feed(Bytes::copy_from_slice(&piece)),
                // Of gzip the last lines come only now.
                None if body.lines.finish().unwrap_or(false) => break,
                None => return Err(cut(self.source)),
            }
        }
        let line = body.lines.line();
        let text = line.trim_ascii();
        if text.is_empty() {
            return Ok(None);
        }
        let Ok(mut raw) = serde_json::from_slice::<Raw>(text) else {
            return match serde_json::from_slice::<Named>(text) {
                Ok(Named { n }) => Ok(Some(Line::Bad(
                    n,
                    "its line in the manifest is malformed".to_owned(),
                ))),
                Err(_) if body.has_head => Err(Trouble::Again(not_a_manifest(&body.response))),
                Err(_) => Err(Trouble::Final(not_a_manifest(&body.response))),
            };
        };
        if raw.end == Some(true) {
            match raw.next {
                // A cursor that does not move would be asked for for ever.
                Some(next) if self.after.as_deref() != Some(&*next.0) => {
                    self.after = Some(next.0.into());
                    self.body = None;
                }
                _ => self.ended = true,
            }
            return Ok(None);
        }
        let Some(name) = raw.n.take() else {
            if raw.url.is_none() && raw.job.is_none() && !body.has_head {
                return Err(Trouble::Final(not_a_manifest(&body.response)));
            }
            body.has_head = true;
            let mut head: Head = serde_json::from_slice(text)
                .map_err(|_| Trouble::Final(not_a_manifest(&body.response)))?;
            head.now = Some(body.now);
            return Ok(Some(Line::Head(head)));
        };
        let name: Arc<str> = name.0.into();
        // A server that does not know `after` and is cut again and again would never end.
        if !std::mem::replace(&mut body.has_file, true) && self.first.as_ref() == Some(&name) {
            let text = format!("the manifest from {} begins anew", self.source.place());
            let error = Error::new("bad-answer", format!("{text} where it should go on"));
            return Err(Trouble::Final(error));
        }
        self.first.get_or_insert_with(|| name.clone());
        let previous = self.last.replace(name.clone());
        self.backoff.reset();
        Ok(Some(raw.file(name, previous)))
    }
}

enum Trouble {
    Final(Error),
    Again(Error),
}

async fn open(
    http: &Http,
    gate: &Gate,
    source: &Source,
    after: Option<&str>,
) -> std::result::Result<Body, Trouble> {
    let mut url = match source.list.url() {
        Some(url) => url.clone(),
        None => {
            return Err(Trouble::Final(Error::new(
                "internal",
                "the list has no address",
            )))
        }
    };
    if let Some(name) = after {
        url.query_pairs_mut().append_pair("after", name);
    }
    let mut headers = source.headers.clone();
    headers.insert(
        ACCEPT,
        HeaderValue::from_static("application/x-ndjson, application/problem+json"),
    );
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("zstd, identity"));
    gate.pass(&url).await.map_err(Trouble::Final)?;
    let mut response = http
        .get(url.clone(), &source.key, &headers)
        .await
        .map_err(|error| {
            if error.is_outage() && error.kind != "tls" {
                Trouble::Again(error)
            } else {
                Trouble::Final(error)
            }
        })?;
    let status = response.status();
    if status != 200 {
        fetch::close_gate(gate, &url, &response).map_err(Trouble::Final)?;
        let error = fetch::refusal(&mut response).await;
        return Err(if fetch::is_passing(status) {
            Trouble::Again(error)
        } else {
            Trouble::Final(error)
        });
    }
    if response.media_type() == "text/html" {
        return Err(Trouble::Final(not_a_manifest(&response)));
    }
    let encoding = response
        .header(CONTENT_ENCODING.as_str())
        .unwrap_or("identity")
        .trim()
        .to_ascii_lowercase();
    let lines = match encoding.as_str() {
        "identity" | "" => Lines::plain(),
        "zstd" => Lines::zstd().map_err(Trouble::Final)?,
        _ => {
            let text = format!(
                "{} answered in the encoding {encoding}, which was not asked for",
                shown(response.url())
            );
            return Err(Trouble::Final(Error::new("bad-answer", text)));
        }
    };
    let now = server_clock(&response);
    Ok(Body {
        response,
        lines,
        now,
        has_head: false,
        has_file: false,
    })
}

/// The server's `Date`, or our own clock, in seconds since 1970.
fn server_clock(response: &Response) -> i64 {
    let date = response
        .header("date")
        .and_then(|value| httpdate::parse_http_date(value).ok());
    let now = date.unwrap_or_else(SystemTime::now);
    now.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs() as i64)
}

fn cut(source: &Source) -> Trouble {
    Trouble::Again(Error::new(
        "network",
        format!("the manifest from {} ends too early", source.place()),
    ))
}

fn not_a_manifest(response: &Response) -> Error {
    let what = match response.media_type().as_str() {
        "text/html" => "a web page".to_owned(),
        "" => "something".to_owned(),
        other => other.to_owned(),
    };
    Error::new(
        "bad-answer",
        format!(
            "{} answered with {what} that is not a manifest",
            shown(response.url())
        ),
    )
    .hint("check that the address is a synthesis server, and that no proxy answers in its place")
    .status(response.status())
}
