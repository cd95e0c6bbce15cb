//! The one HTTP stack: HTTP/1.1 over rustls, proxies and roots from the environment.
//!
//! Redirects are followed here and not by the library, because the key must stay at its origin.
//! Bodies are never decompressed behind our back: length and hash are of the bytes on the wire.

use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::header::{HeaderMap, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, TRANSFER_ENCODING};
pub use reqwest::Response;
use reqwest::{Client, Method, StatusCode, Url};
use tokio::time::timeout;

use crate::error::{Error, Result};
use crate::key::{host, same_origin, shown, Key};
use crate::tls;

/// More hops than this are a loop.
const MOST_REDIRECTS: usize = 10;

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

/// A pool of connections. Idle ones are kept, as many as were ever busy at once.
#[derive(Debug)]
pub struct Http {
    user_agent: String,
    limits: Limits,
    /// With TLS or not, by a proxy or not: made when first needed.
    clients: [OnceLock<Client>; 4],
}

impl Http {
    /// A stack that names itself `user_agent`; it connects to nothing yet.
    pub fn new(user_agent: impl Into<String>, limits: Limits) -> Self {
        Self {
            user_agent: user_agent.into(),
            limits,
            clients: Default::default(),
        }
    }

    /// How long to wait and how often to try.
    pub fn limits(&self) -> Limits {
        self.limits
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
        let (key, headers) = Key::split(request.headers, &request.url);
        let mut response = self
            .send(request.method, request.url, &key, &headers, request.body)
            .await?;
        let status = response.status().as_u16();
        let texts = response.headers().iter().map(|(name, value)| {
            (
                name.as_str().to_owned(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        });
        let headers = texts.collect();
        let body = self.read(&mut response, LARGEST_ANSWER).await?;
        Ok(Answer {
            status,
            headers,
            body,
        })
    }

    /// A GET whose body the caller reads with [`Http::chunk`].
    pub async fn get(&self, url: Url, key: &Key, headers: &HeaderMap) -> Result<Response> {
        self.send(Method::GET, url, key, headers, None).await
    }

    /// The next piece of a body, or `None` at its end.
    pub async fn chunk(&self, response: &mut Response) -> Result<Option<Piece>> {
        match timeout(self.limits.idle, response.chunk()).await {
            Ok(Ok(piece)) => Ok(piece),
            Ok(Err(error)) => Err(explain(&error, response.url())),
            Err(_) => Err(Error::new(
                "timeout",
                format!(
                    "{} sent nothing for {} s",
                    host(response.url()),
                    self.limits.idle.as_secs_f32()
                ),
            )),
        }
    }

    /// The whole rest of a body, refused past `most` bytes.
    pub async fn read(&self, response: &mut Response, most: usize) -> Result<Vec<u8>> {
        let mut body = Vec::with_capacity(length(response).unwrap_or(0).min(1 << 20) as usize);
        while let Some(piece) = self.chunk(response).await? {
            if body.len() + piece.len() > most {
                let place = shown(response.url());
                return Err(Error::new(
                    "bad-answer",
                    format!("{place} answered with more than {most} bytes"),
                ));
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
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
            let mut builder = self
                .client(&url)?
                .request(method.clone(), url.clone())
                .headers(headers.clone());
            if let Some(secret) = key.for_url(&url) {
                builder = builder.headers(secret.clone());
            }
            if let Some(bytes) = &body {
                builder = builder.body(bytes.clone());
            }
            let response = match timeout(self.limits.first_byte, builder.send()).await {
                Ok(Ok(response)) => response,
                Ok(Err(error)) => return Err(explain(&error, &url)),
                Err(_) => {
                    let seconds = self.limits.first_byte.as_secs_f32();
                    let text = format!("{} did not answer in {seconds} s", host(&url));
                    return Err(Error::new("timeout", text));
                }
            };
            let Some(next) = redirect(&response, &url)? else {
                return Ok(response);
            };
            let status = response.status();
            if status == StatusCode::SEE_OTHER || (method == Method::POST && status.as_u16() < 303)
            {
                method = Method::GET;
                body = None;
            }
            if body.is_some() && !same_origin(&next, &url) {
                let text = format!(
                    "{} redirects a request with a body to {}",
                    shown(&url),
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

    /// Roots take time to load, so plain HTTP goes without. No proxy can reach this machine's own
    /// loopback, where the embedded platform is, so none is asked to.
    fn client(&self, url: &Url) -> Result<&Client> {
        let is_direct = is_loopback(url);
        let needs_tls = url.scheme() == "https" || (!is_direct && proxy_needs_tls());
        let cell = &self.clients[usize::from(needs_tls) + 2 * usize::from(is_direct)];
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let mut builder = Client::builder();
        if is_direct {
            builder = builder.no_proxy();
        }
        let client = builder
            .tls_backend_preconfigured(if needs_tls {
                tls::config()?
            } else {
                tls::none()?
            })
            .user_agent(&self.user_agent)
            .connect_timeout(self.limits.connect)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .http1_only()
            .tcp_nodelay(true)
            .build()
            .map_err(|error| {
                Error::new(
                    "network",
                    format!("cannot set up HTTP: {}", root_cause(&error)),
                )
            })?;
        Ok(cell.get_or_init(|| client))
    }
}

/// One piece of a body.
pub type Piece = bytes::Bytes;

/// The length that the head promises; none for chunked bodies.
pub fn length(response: &Response) -> Option<u64> {
    if response.headers().contains_key(TRANSFER_ENCODING) {
        return None;
    }
    header(response, CONTENT_LENGTH.as_str())?
        .trim()
        .parse()
        .ok()
}

/// True if the body tells its own end, so that a cut shows.
pub fn is_chunked(response: &Response) -> bool {
    header(response, TRANSFER_ENCODING.as_str()).is_some_and(|value| value.contains("chunked"))
}

/// A header as text, if it is text.
pub fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}

/// The media type without parameters, lower case.
pub fn media_type(response: &Response) -> String {
    let value = header(response, CONTENT_TYPE.as_str()).unwrap_or_default();
    value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}

fn redirect(response: &Response, url: &Url) -> Result<Option<Url>> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(place) = header(response, LOCATION.as_str()) else {
        return Ok(None);
    };
    match url.join(place) {
        Ok(next) if matches!(next.scheme(), "http" | "https") => Ok(Some(next)),
        _ => Err(Error::new(
            "bad-answer",
            format!(
                "{} redirects to something that is no web address",
                shown(url)
            ),
        )),
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn proxy_needs_tls() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| {
        let names = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];
        names
            .iter()
            .any(|name| std::env::var(name).is_ok_and(|value| value.starts_with("https:")))
    })
}

/// Our words for a library error: kind by cause, and the host in place of the URL, so that the
/// same trouble of many files reads the same.
fn explain(error: &reqwest::Error, url: &Url) -> Error {
    let cause = root_cause(error);
    if let Some(tls) = tls_cause(error) {
        return Error::new("tls", format!("{}: TLS failed: {tls}", host(url))).hint(
            "check the address and the clock; SSL_CERT_FILE adds your own certificate authority",
        );
    }
    if error.is_connect() {
        let kind = if error.is_timeout() {
            "timeout"
        } else {
            "network"
        };
        return Error::new(kind, format!("cannot connect to {}: {cause}", host(url)));
    }
    if error.is_timeout() {
        return Error::new("timeout", format!("{} timed out", host(url)));
    }
    Error::new(
        "network",
        format!("{}: the connection broke: {cause}", host(url)),
    )
}

fn tls_cause(error: &reqwest::Error) -> Option<String> {
    let mut at: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = at {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return Some(tls.to_string());
        }
        // The source of an I/O error is that of what it wraps: the wrapped one itself is skipped.
        at = match error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
        {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

/// The innermost cause, in one line. The outermost text is left out: it holds the whole URL.
fn root_cause(error: &reqwest::Error) -> String {
    let mut text = "no more is known".to_owned();
    let mut at = std::error::Error::source(error);
    while let Some(inner) = at {
        text = inner.to_string();
        at = inner.source();
    }
    text.split(" (os error")
        .next()
        .unwrap_or_default()
        .to_lowercase()
}
