//! An answer whose body is read piece by piece, in place, from the connection's buffer.

use std::time::Duration;

use tokio::time::Instant;
use url::Url;

use super::buffer::Piece;
use super::chunked::{Chunked, Step};
use super::head::{Framing, Head};
use super::pool::Lease;
use super::trouble::{broken, no_http};
use crate::error::{Error, Result};

/// So many bytes must come within the idle limit, or the body has as good as stopped.
const LEAST: usize = 512;

/// What is still to come of a body.
#[derive(Debug, Clone, Copy)]
enum Rest {
    Length(u64),
    Chunked(Chunked),
    Close,
    Done,
}

/// An answer. Its connection goes back to the pool with it, if the body was read to its end.
pub struct Response {
    url: Url,
    lease: Lease,
    rest: Rest,
    asked: Instant,
    idle: Duration,
    /// How long was waited for the next [`LEAST`] bytes, and how many of them came.
    waited: Duration,
    came: usize,
}

impl Response {
    /// The answer whose head the connection of `lease` has just read, after a request sent at `asked`.
    pub(super) fn new(url: Url, lease: Lease, asked: Instant, idle: Duration) -> Self {
        let framing = lease.connection.as_ref().map(|one| one.head.framing);
        let rest = match framing {
            None | Some(Framing::Length(0)) => Rest::Done,
            Some(Framing::Length(length)) => Rest::Length(length),
            Some(Framing::Chunked) => Rest::Chunked(Chunked::Size),
            Some(Framing::Close) => Rest::Close,
        };
        Self {
            url,
            lease,
            rest,
            asked,
            idle,
            waited: Duration::ZERO,
            came: 0,
        }
    }

    /// Where it is from, after redirects.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// When its request was sent, over a connection that was there.
    pub fn asked(&self) -> Instant {
        self.asked
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.head().map_or(0, |head| head.status)
    }

    /// A header as text, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head()?.get(name)
    }

    /// All headers in the order received; names are lower case.
    pub fn headers(&self) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let fields = self.head().into_iter().flat_map(Head::iter);
        fields
            .map(|(name, value)| (text(name).to_ascii_lowercase(), text(value)))
            .collect()
    }

    /// The length that the head promises; none for bodies that end otherwise.
    pub fn length(&self) -> Option<u64> {
        match self.head()?.framing {
            Framing::Length(length) => Some(length),
            _ => None,
        }
    }

    /// True if the body tells its own end, so that a cut shows.
    pub fn is_chunked(&self) -> bool {
        self.head()
            .is_some_and(|head| head.framing == Framing::Chunked)
    }

    /// The media type without parameters, lower case.
    pub fn media_type(&self) -> String {
        let value = self.header("content-type").unwrap_or_default();
        let value = value.split(';').next().unwrap_or_default();
        value.trim().to_ascii_lowercase()
    }

    fn head(&self) -> Option<&Head> {
        Some(&self.lease.connection.as_ref()?.head)
    }

    /// The next piece of the body, or `None` at its end.
    pub async fn piece(&mut self) -> Result<Option<Piece>> {
        let amount = loop {
            match self.step()? {
                Some(0) => return Ok(None),
                Some(amount) => break amount,
                None => self.fill().await?,
            }
        };
        let connection = self.lease.connection.as_mut();
        Ok(connection.map(|connection| connection.take(amount)))
    }

    /// What is here already: bytes of the body to take next, 0 at its end, `None` if more is needed.
    fn step(&mut self) -> Result<Option<usize>> {
        let Some(connection) = &mut self.lease.connection else {
            return Ok(Some(0));
        };
        loop {
            let held = connection.bytes().len();
            let amount = match &mut self.rest {
                Rest::Done => return Ok(Some(0)),
                Rest::Close => held,
                Rest::Length(left) => {
                    let amount = usize::try_from(*left).unwrap_or(usize::MAX).min(held);
                    *left -= amount as u64;
                    if *left == 0 {
                        self.rest = Rest::Done;
                    }
                    amount
                }
                Rest::Chunked(chunked) => match chunked.step(connection.bytes()) {
                    Ok(Step::Need) => 0,
                    Ok(Step::Data(amount)) => amount,
                    Ok(Step::Skip(amount)) => {
                        connection.skip(amount);
                        if *chunked == Chunked::Done {
                            self.rest = Rest::Done;
                        }
                        continue;
                    }
                    Err(why) => return Err(no_http(&connection.place, why)),
                },
            };
            return Ok((amount > 0).then_some(amount));
        }
    }

    async fn fill(&mut self) -> Result<()> {
        let Some(connection) = &mut self.lease.connection else {
            return Ok(());
        };
        let begun = Instant::now();
        let filled = connection
            .fill(begun + self.idle.saturating_sub(self.waited))
            .await;
        // The time that the caller takes between two pieces does not count.
        self.waited += begun.elapsed();
        self.came += *filled.as_ref().unwrap_or(&0);
        if self.came >= LEAST {
            (self.waited, self.came) = (Duration::ZERO, 0);
        }
        match filled {
            Ok(0) if matches!(self.rest, Rest::Close) => {
                self.rest = Rest::Done;
                Ok(())
            }
            Ok(0) => Err(no_http(&connection.place, "it ended before the body did")),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::TimedOut => {
                let seconds = self.idle.as_secs_f32();
                let much = if self.came == 0 {
                    "nothing"
                } else {
                    "next to nothing"
                };
                let text = format!("{} sent {much} for {seconds} s", connection.place.shown);
                Err(Error::new("timeout", text))
            }
            Err(error) => Err(broken(&connection.place, &error)),
        }
    }

    /// The whole rest of a body, refused past `most` bytes.
    pub async fn read(&mut self, most: usize) -> Result<Vec<u8>> {
        let room = self.length().unwrap_or(0).min(1 << 20);
        let mut body = Vec::with_capacity(usize::try_from(room).unwrap_or_default());
        let place = crate::key::shown(&self.url);
        while let Some(piece) = self.piece().await? {
            if body.len() + piece.len() > most {
                let text = format!("{place} answered with more than {most} bytes");
                return Err(Error::new("bad-answer", text));
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }
}

impl Drop for Response {
    fn drop(&mut self) {
        // A short body that nobody wanted has mostly arrived with its head.
        while let Ok(Some(amount @ 1..)) = self.step() {
            if let Some(connection) = &mut self.lease.connection {
                connection.skip(amount);
            }
        }
        let is_done = matches!(self.rest, Rest::Done);
        let connection = self.lease.connection.as_ref();
        self.lease.is_usable =
            is_done && connection.is_some_and(|one| one.head.keeps && one.bytes().is_empty());
    }
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Response({} {:?})", self.status(), self.rest)
    }
}
