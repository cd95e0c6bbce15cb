//! One request for bytes of one file, and what its answer means for the next try.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use http::header::{
    HeaderValue, ACCEPT_ENCODING, CONTENT_ENCODING, ETAG, IF_RANGE, RANGE, RETRY_AFTER,
};
use serde::Deserialize;
use url::Url;

use crate::control::{retry_after, Control, Door, Gate, Throttle, LONGEST_PAUSE};
use crate::counters::Counters;
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::fates::Fates;
use crate::folder::Folder;
use crate::http::{Http, Piece, Response};
use crate::journal::Journal;
use crate::key::host;
use crate::large::Readers;
use crate::links::{Link, Links};
use crate::manifest::{sha256, Source};

/// What every permit works with.
pub struct Context {
    /// The HTTP stack.
    pub http: Arc<Http>,
    /// Shut while the host wants a pause.
    pub gate: Gate,
    /// What permits tell, and how many there may be.
    pub control: Control,
    /// The limit of bytes a second; every piece of a body passes it.
    pub throttle: Throttle,
    /// The manifest's address and key.
    pub source: Source,
    /// From file to URL.
    pub links: Links,
    /// The output folder.
    pub folder: Folder,
    /// What is known of half-done files.
    pub journal: Journal,
    /// Who hashes what large files have on disk.
    pub readers: Arc<Readers>,
    /// Where the end of each file is told.
    pub fates: Arc<Fates>,
    /// What the caller sees of it all.
    pub counters: Arc<Counters>,
}

/// Why one try did not do.
#[derive(Debug)]
pub enum Fault {
    /// Network or server trouble: wait, then try again.
    Again(Error),
    /// The link ended: renew it. Holds the link's serial.
    Expired(Error, u64),
    /// Not the bytes of the manifest: begin the file anew; it may have changed on the server.
    Content(Error),
    /// Trouble that leaves nothing to go on from: begin the file anew, after a wait.
    Restart(Error),
    /// This file cannot be had.
    Final(Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        if error.is_outage() && error.kind != "tls" {
            Self::Again(error)
        } else {
            Self::Final(error)
        }
    }
}

/// What part of a file to ask for.
pub struct Ask<'a> {
    /// First byte and the one after the last; `None` for the whole file without a `Range`.
    pub range: Option<std::ops::Range<u64>>,
    /// The strong ETag that the answer must still have.
    pub validator: Option<&'a str>,
}

/// Sends one request and returns a 200 or 206, whatever was asked; anything else is a fault. At the
/// tail of a run a late one is sent once more, and the first good answer is taken. Who waits for the
/// gate or for a link is not late: the time counts from there.
pub async fn get(
    context: &Context,
    entry: &Entry,
    ask: &Ask<'_>,
) -> std::result::Result<Response, Fault> {
    let control = &context.control;
    let pass = admit(context, entry).await?;
    let mut first = std::pin::pin!(get_once(context, entry, ask, pass));
    tokio::select! {
        biased;
        answer = &mut first => return answer,
        () = control.tail.late(&control.pulse, tokio::time::Instant::now()) => {}
    }
    let mut second = Box::pin(async {
        let pass = admit(context, entry).await?;
        get_once(context, entry, ask, pass).await
    });
    tokio::select! {
        answer = &mut first => match answer {
            Ok(answer) => Ok(answer),
            Err(_) => second.await,
        },
        answer = &mut second => match answer {
            Ok(answer) => Ok(answer),
            Err(_) => first.await,
        },
    }
}

/// The next piece of a body. At the tail of a run a stalled one is given up early.
pub async fn piece(
    context: &Context,
    entry: &Entry,
    response: &mut Response,
) -> Result<Option<Piece>> {
    let control = &context.control;
    tokio::select! {
        biased;
        piece = response.piece() => piece,
        () = control.tail.stall(&control.pulse) => {
            let text = format!("{}: its bytes stopped coming, when others did not", entry.name);
            Err(Error::new("timeout", text))
        }
    }
}

/// A link to the file, when its host lets a request pass.
async fn admit(context: &Context, entry: &Entry) -> std::result::Result<(Link, Arc<Door>), Fault> {
    let link = context
        .links
        .link(&context.http, &context.gate, &context.source, entry)
        .await?;
    let door = context.gate.pass(&link.url).await.map_err(Fault::Final)?;
    Ok((link, door))
}

async fn get_once(
    context: &Context,
    entry: &Entry,
    ask: &Ask<'_>,
    (link, door): (Link, Arc<Door>),
) -> std::result::Result<Response, Fault> {
    let mut headers = context.source.headers.clone();
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if let Some(range) = &ask.range {
        let text = format!("bytes={}-{}", range.start, range.end.saturating_sub(1));
        headers.extend(HeaderValue::from_str(&text).map(|value| (RANGE, value)));
        headers.extend(
            ask.validator
                .and_then(|tag| HeaderValue::from_str(tag).ok())
                .map(|value| (IF_RANGE, value)),
        );
    }
    context.control.budget.request();
    let sent = Instant::now();
    let key = context.source.key.starting_at(&link.url);
    let mut response = context.http.get(link.url.clone(), &key, &headers).await?;
    let status = response.status();
    if link.is_signed || status == 403 {
        context.links.clock.learn(&response);
    }
    if matches!(status, 200 | 206) {
        context.control.pulse.answer(sent.elapsed());
        door.answer();
    } else {
        if matches!(status, 429 | 503) {
            context.control.pulse.throttle();
        }
        if let Err(error) = close_gate(&context.gate, &link.url, &response) {
            // A line with a URL of its own may be of any host; the files of a manifest are all of one.
            match entry.url {
                None if !door.is_closed() => context.control.stop(error.clone()),
                _ => door.close(error.clone()),
            }
            return Err(Fault::Final(error));
        }
        let error = refusal(&mut response).await;
        return Err(match status {
            400 | 403 if error.kind == "url-expired" => Fault::Expired(error, link.serial),
            // The file may be had whole where its parts are not. A 403 says less: what there is of the
            // file already is not given up for it.
            400 | 405 | 406 | 412 | 417 | 501 if ask.range.is_some() => Fault::Restart(error),
            403 if ask.range.as_ref().is_some_and(|range| range.start == 0) => {
                Fault::Restart(error)
            }
            status if is_passing(status) => Fault::Again(error),
            // 204, 304 and their like: nobody asked, so it says nothing about the file.
            201..400 | 416 => Fault::Restart(error),
            _ => Fault::Final(error),
        });
    }
    let encoding = response
        .header(CONTENT_ENCODING.as_str())
        .unwrap_or("identity");
    if !comes_as_it_is(entry, &encoding.to_ascii_lowercase()) {
        let text = format!(
            "{}: {} sends it encoded as {encoding}",
            entry.name,
            host(response.url())
        );
        return Err(Fault::Content(Error::new("mismatch", text)));
    }
    if response.media_type() == "text/html" && !is_page(&entry.name) {
        let text = format!(
            "{}: {} answered with a web page",
            entry.name,
            host(response.url())
        );
        return Err(Fault::Content(Error::new("bad-answer", text)));
    }
    Ok(response)
}

/// True if bytes that the server calls encoded may be the file itself, because it lies there so: its
/// size or its sha256 will show, or its name says it. Of a bare URL nothing else would.
fn comes_as_it_is(entry: &Entry, encoding: &str) -> bool {
    let endings: &[&str] = match encoding {
        "identity" | "" | "aws-chunked" => return true,
        "gzip" | "x-gzip" => &[".gz", ".tgz", ".svgz"],
        "compress" | "x-compress" => &[".Z"],
        "bzip2" | "x-bzip2" => &[".bz2", ".tbz2"],
        "br" => &[".br"],
        "zstd" => &[".zst"],
        _ => &[],
    };
    entry.sha256.is_some()
        || entry.bytes.is_some()
        || endings.iter().any(|ending| entry.name.ends_with(ending))
}

/// True for refusals that another try may escape: what is overloaded, away or not ready.
pub fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500..=599) && !matches!(status, 501 | 505 | 511)
}

/// True for the names that web pages go by. Others that turn out to be pages are a proxy's doing.
fn is_page(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    let ending = ending.unwrap_or_default().to_ascii_lowercase();
    ending.ends_with("html") || ["htm", "php", "asp", "aspx", "jsp"].contains(&ending.as_str())
}

/// True for a name whose content is not XML but comes as such: it may be an object store's words.
pub fn may_be_refusal(response: &Response, entry: &Entry) -> bool {
    response.media_type().ends_with("/xml") && !entry.name.ends_with("xml")
}

/// Object stores that fail late answer 200, with an `<Error>` where the file should begin.
pub fn check_beginning(entry: &Entry, body: &[u8]) -> std::result::Result<(), Fault> {
    let beginning = &body[..body.len().min(256)];
    if !beginning.windows(7).any(|bytes| bytes == b"<Error>") {
        return Ok(());
    }
    let text = format!("{}: the server sent an error in its place", entry.name);
    Err(Fault::Again(Error::new("server-error", text)))
}

/// The answer's strong ETag, if it has one.
pub fn strong_etag(response: &Response) -> Option<&str> {
    response
        .header(ETAG.as_str())
        .filter(|tag| tag.len() > 2 && tag.starts_with('"') && tag.ends_with('"'))
}

/// True if the ETag is a sha256, and not that of the manifest: the file changed.
pub fn is_other_version(etag: &str, entry: &Entry) -> bool {
    let told = sha256(etag.trim_matches('"'));
    told.is_some() && entry.sha256.is_some() && told != entry.sha256
}

/// The words for a file whose bytes are not those of the manifest.
pub fn mismatch(entry: &Entry, why: &str) -> Fault {
    Fault::Content(
        Error::new("mismatch", format!("{}: {why}", entry.name))
            .hint("the server's copy differs from its manifest; try again later or tell its owner"),
    )
}

/// Shuts the gate to the host of the URL that was asked, for as long as a 429 or 503 asks; an error if
/// that is longer than a run waits, or was asked for too often in a row.
pub fn close_gate(gate: &Gate, asked: &Url, response: &Response) -> Result<()> {
    let status = response.status();
    if !matches!(status, 429 | 503) {
        return Ok(());
    }
    let pause = response
        .header(RETRY_AFTER.as_str())
        .and_then(|value| retry_after(value, SystemTime::now()));
    let error = |why: &str| {
        let text = format!("{} answered {status} and {why}", host(response.url()));
        let error = Error::new("throttled", text).status(status);
        error.hint("run the same command again later: what is done is kept")
    };
    if pause.is_some_and(|pause| pause > LONGEST_PAUSE) {
        return Err(error("wants a pause of more than 5 minutes"));
    }
    if gate.refuse(asked, pause) {
        return Ok(());
    }
    let error = error("wants one pause after the other, with no file between them");
    gate.door(asked).close(error.clone());
    Err(error)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    kind: Option<String>,
    title: Option<String>,
    detail: Option<String>,
    hint: Option<String>,
}

/// The error that an answer other than a success stands for.
pub async fn refusal(response: &mut Response) -> Error {
    let status = response.status();
    let place = host(response.url());
    let request_id = response.header("x-request-id").map(str::to_owned);
    let is_json = response.media_type().ends_with("json");
    let body = response.read(64 << 10).await.unwrap_or_default();
    let problem: Problem = if is_json {
        serde_json::from_slice(&body).unwrap_or_default()
    } else {
        Problem::default()
    };
    let kind: std::borrow::Cow<'static, str> = match problem.kind.filter(|kind| is_kebab(kind)) {
        Some(kind) => kind.into(),
        None if matches!(status, 400 | 403) && says_expired(&body) => "url-expired".into(),
        None => kind_of(status).into(),
    };
    let words = problem.detail.or(problem.title).map(|text| one_line(&text));
    let words = words.unwrap_or_else(|| format!("{place} answered {status}"));
    let mut error = Error::new(kind, words).status(status);
    error.hint = problem.hint.map(|text| one_line(&text));
    error.request_id = request_id;
    error
}

/// Object stores say so in XML: S3 `Request has expired`, `ExpiredToken`; Azure `Signature not valid`.
fn says_expired(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body).to_ascii_lowercase();
    text.contains("expired")
        || text.contains("requesttimetooskewed")
        || text.contains("signature not valid in the specified time")
}

/// A server's words without control characters, and not without end.
fn one_line(text: &str) -> String {
    let letters = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter });
    letters.take(500).collect()
}

fn is_kebab(kind: &str) -> bool {
    !kind.is_empty()
        && kind.len() <= 40
        && kind
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

fn kind_of(status: u16) -> &'static str {
    match status {
        401 => "unauthorized",
        403 => "not-a-member",
        404 | 410 => "not-found",
        408 => "timeout",
        429 => "throttled",
        500.. => "server-error",
        _ => "bad-answer",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_told_by_their_names() {
        for name in ["a.html", "a.HTM", "a/b.xhtml", "index.php"] {
            assert!(is_page(name), "{name}");
        }
        for name in ["a.png", "html", "a.html.png", "page"] {
            assert!(!is_page(name), "{name}");
        }
    }
}
