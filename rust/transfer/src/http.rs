//! The one HTTP stack: HTTP/1.1 over rustls, proxies and roots from the environment.
//!
//! ```text
//! place  ->  pool  ->  connect (tunnel)  ->  connection  ->  head, chunked  ->  response
//! ```
//!
//! It is our own for what a small file costs: one send, one receive, no allocation but the URL's,
//! and bodies that are hashed and written from the buffer they arrive in. Redirects are followed
//! here, because the key must stay at its origin. Bodies are never decompressed behind our back:
//! length and hash are of the bytes on the wire.

mod buffer;
pub(crate) mod chunked;
mod connect;
mod connection;
pub(crate) mod head;
mod place;
mod pool;
mod request;
mod response;
#[cfg(test)]
mod tests;
mod trouble;
mod tunnel;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method};
use tokio::time::{timeout, Instant};
use url::Url;

pub use buffer::Piece;
pub use response::Response;

use crate::error::{Error, Result};
use crate::key::{host, same_origin, shown, Key};
use connect::Connector;
use connection::Connection;
use pool::Pool;
use trouble::{broken, no_http};

/// More hops than this are a loop.
const MOST_REDIRECTS: usize = 10;

/// More interim answers than this are no answer.
const MOST_INTERIM: usize = 16;

/// The most bytes that a whole answer in memory may have.
const LARGEST_ANSWER: usize = 256 << 20;

/// How long to wait for a host.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For the connection, TLS included.
    pub connect: Duration,
    /// From the request to the head of the answer.
    pub first_byte: Duration,
    /// Between two pieces of a body.
    pub idle: Duration,
    /// Most tries of one unit of a download that bring nothing.
    pub attempts: u32,
    /// Between two times that a download brings what it wrote to the disk itself: the most work that
    /// a power loss costs.
    pub checkpoint: Duration,
}

/// One request whose answer is read whole.
#[derive(Debug)]
pub struct Request {
    /// `GET`, `POST` ...
    pub method: Method,
    /// Absolute URL.
    pub url: Url,
    /// Headers; `Authorization`, `Cookie` and `X-Synthesis-Org` go to the URL's origin only.
    pub headers: HeaderMap,
    /// The body, if any.
    pub body: Option<Vec<u8>>,
    /// For everything, redirects included.
    pub timeout: Duration,
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers in the order received; names are lower case.
    pub headers: Vec<(String, String)>,
    /// The body as it came.
    pub body: Vec<u8>,
}

/// A pool of connections. Idle ones are kept, as many as were busy at once.
pub struct Http {
    user_agent: String,
    limits: Limits,
    connector: Connector,
    pool: Arc<Pool>,
}

/// Why there is no answer.
enum Lost {
    /// The connection ended before a byte of it.
    Unheard(Error),
    /// Anything else.
    Broken(Error),
}

impl Http {
    /// A stack that names itself `user_agent`; it connects to nothing yet.
    pub fn new(user_agent: impl Into<String>, limits: Limits) -> Self {
        Self {
            user_agent: user_agent.into(),
            limits,
            connector: Connector::new(limits.connect),
            pool: Arc::default(),
        }
    }

    /// How long to wait and how often to try.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Closes idle connections, so that no place has more than `most`; returns how many are open.
    pub fn keep(&self, most: usize) -> usize {
        self.pool.keep(most)
    }

    /// Sends one request and reads its answer whole.
    pub async fn request(&self, request: Request) -> Result<Answer> {
        let limit = request.timeout;
        let place = shown(&request.url);
        timeout(limit, self.request_whole(request))
            .await
            .unwrap_or_else(|_| {
                Err(Error::new(
                    "timeout",
                    format!("{place} gave no whole answer in {} s", limit.as_secs_f32()),
                ))
            })
    }

    async fn request_whole(&self, request: Request) -> Result<Answer> {
        let (key, headers) = Key::split(request.headers, Some(&request.url));
        let mut response = self
            .send(request.method, request.url, &key, &headers, request.body)
            .await?;
        Ok(Answer {
            status: response.status(),
            headers: response.headers(),
            body: response.read(LARGEST_ANSWER).await?,
        })
    }

    /// A GET whose body the caller reads piece by piece.
    pub async fn get(&self, url: Url, key: &Key, headers: &HeaderMap) -> Result<Response> {
        self.send(Method::GET, url, key, headers, None).await
    }

    /// Opens a connection for a request that will come, unless one waits already. If that fails the
    /// request will say so.
    pub async fn open_ahead(&self, url: &Url) {
        let Ok(place) = self.pool.place(url) else {
            return;
        };
        let mut lease = self.pool.lease(&place);
        if lease.connection.is_none() {
            let wire = self.connector.connect(&place).await.ok();
            lease.connection = wire.map(|wire| Box::new(Connection::new(place, wire)));
        }
        lease.is_usable = lease.connection.is_some();
    }

    async fn send(
        &self,
        mut method: Method,
        mut url: Url,
        key: &Key,
        headers: &HeaderMap,
        mut body: Option<Vec<u8>>,
    ) -> Result<Response> {
        for _ in 0..=MOST_REDIRECTS {
            let response = self
                .exchange(&method, url, key, headers, body.as_deref())
                .await?;
            let Some(next) = redirect(&response)? else {
                return Ok(response);
            };
            let status = response.status();
            if status == 303 || (method == Method::POST && status < 303) {
                method = Method::GET;
                body = None;
            }
            if body.is_some() && !same_origin(&next, response.url()) {
                let text = format!(
                    "{} redirects a request with a body to {}",
                    shown(response.url()),
                    host(&next)
                );
                return Err(Error::new("bad-answer", text)
                    .hint("give the address it redirects to as the server"));
            }
            url = next;
        }
        Err(Error::new(
            "bad-answer",
            format!("{} redirects more than {MOST_REDIRECTS} times", shown(&url)),
        ))
    }

    /// One request and the head of its answer. A server may close a kept connection just as we
    /// use it: then a request that changes nothing goes over another one at once.
    async fn exchange(
        &self,
        method: &Method,
        url: Url,
        key: &Key,
        headers: &HeaderMap,
        body: Option<&[u8]>,
    ) -> Result<Response> {
        let place = self.pool.place(&url)?;
        loop {
            let mut lease = self.pool.lease(&place);
            let is_kept = lease.connection.is_some();
            let connection = match &mut lease.connection {
                Some(connection) => connection,
                none => {
                    let wire = self.connector.connect(&place).await?;
                    none.insert(Box::new(Connection::new(place.clone(), wire)))
                }
            };
            let request = request::Parts {
                method,
                url: &url,
                place: &place,
                user_agent: &self.user_agent,
                secret: key.for_url(&url),
                open: headers,
                body,
            };
            request.write(&mut connection.request);
            let asked = Instant::now();
            match self.ask(connection, asked, *method == Method::HEAD).await {
                Ok(()) => return Ok(Response::new(url, lease, asked, self.limits.idle)),
                Err(Lost::Unheard(_)) if is_kept && method.is_safe() => {}
                Err(Lost::Unheard(error) | Lost::Broken(error)) => return Err(error),
            }
        }
    }

    /// Sends what the connection holds and reads the head of the answer.
    async fn ask(
        &self,
        connection: &mut Connection,
        now: Instant,
        of_head: bool,
    ) -> std::result::Result<(), Lost> {
        let deadline = now + self.limits.first_byte;
        // A server may answer and close before it has read everything: then the answer counts.
        let sent = connection.send(deadline).await;
        let mut interim = 0;
        loop {
            let place = &connection.place;
            if !connection.bytes().is_empty() {
                let place = place.clone();
                let bad = |why: &str| Lost::Broken(no_http(&place, why));
                if let Some(length) = connection.parse_head(of_head).map_err(bad)? {
                    connection.skip(length);
                    match connection.head.status {
                        101 => return Err(bad("it speaks another protocol now")),
                        100..=199 if interim == MOST_INTERIM => {
                            return Err(bad("one interim answer follows another"))
                        }
                        100..=199 => interim += 1,
                        _ => return Ok(()),
                    }
                    continue;
                }
            }
            match connection.fill(deadline).await {
                Ok(1..) => {}
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                    let seconds = self.limits.first_byte.as_secs_f32();
                    let shown = &connection.place.shown;
                    let text = format!("{shown} did not answer in {seconds} s");
                    return Err(Lost::Broken(Error::new("timeout", text)));
                }
                end => {
                    let place = &connection.place;
                    let error = match end.and(sent) {
                        Err(error) => broken(place, &error),
                        Ok(()) => no_http(place, "it ended before the answer did"),
                    };
                    return Err(if connection.bytes().is_empty() && interim == 0 {
                        Lost::Unheard(error)
                    } else {
                        Lost::Broken(error)
                    });
                }
            }
        }
    }
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Http({})", self.user_agent)
    }
}

fn redirect(response: &Response) -> Result<Option<Url>> {
    if !matches!(response.status(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(place) = response.header("location") else {
        return Ok(None);
    };
    match response.url().join(place) {
        Ok(next) if matches!(next.scheme(), "http" | "https") => Ok(Some(next)),
        _ => Err(Error::new(
            "bad-answer",
            format!(
                "{} redirects to something that is no web address",
                shown(response.url())
            ),
        )),
    }
}
