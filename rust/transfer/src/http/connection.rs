//! One connection: a stream, a buffer that bodies are read from in place, and a deadline.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::task::{ready, Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{sleep_until, Instant, Sleep};

use super::buffer::{self, Piece};
use super::head::Head;
use super::place::Place;

/// What bytes flow over: a socket, or TLS or a tunnel above one.
pub trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for T {}

/// A stream; plain sockets, of which there are most, without a detour.
pub enum Wire {
    /// Plain HTTP.
    Tcp(TcpStream),
    /// TLS, or anything through a proxy's tunnel.
    Other(Box<dyn Stream>),
}

/// An open connection to a place.
pub struct Connection {
    /// Where it leads.
    pub place: Arc<Place>,
    /// The last answer's head.
    pub head: Head,
    /// The request's bytes.
    pub request: Vec<u8>,
    /// When it was last given back.
    pub since: Instant,
    wire: Wire,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Connection {
    /// A fresh connection over `wire`.
    pub fn new(place: Arc<Place>, wire: Wire) -> Self {
        place.open.fetch_add(1, Ordering::Relaxed);
        Self {
            place,
            head: Head::default(),
            request: Vec::new(),
            since: Instant::now(),
            wire,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            timer: None,
        }
    }

    /// Bytes received and not yet used.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Passes over the first `amount` bytes.
    pub fn skip(&mut self, amount: usize) {
        self.start += amount.min(self.end - self.start);
    }

    /// Takes the first `amount` bytes out: with their buffer, if they are all that it holds.
    pub fn take(&mut self, amount: usize) -> Piece {
        let from = self.start;
        self.skip(amount);
        if self.start < self.end {
            let mut copy = buffer::take();
            copy[..amount].copy_from_slice(&self.buffer[from..self.start]);
            return Piece::new(copy, 0..amount);
        }
        (self.start, self.end) = (0, 0);
        Piece::new(std::mem::take(&mut self.buffer), from..from + amount)
    }

    /// The head at the beginning of [`Self::bytes`]: its length once it is whole.
    pub fn parse_head(&mut self, of_head: bool) -> Result<Option<usize>, &'static str> {
        self.head.parse(&self.buffer[self.start..self.end], of_head)
    }

    /// True if the server has neither closed the connection nor said anything unasked.
    pub fn is_quiet(&mut self) -> bool {
        let mut context = Context::from_waker(std::task::Waker::noop());
        let mut byte = [0];
        let mut into = ReadBuf::new(&mut byte);
        self.start == self.end && self.wire.poll_read(&mut context, &mut into).is_pending()
    }

    /// Sends the request's bytes, all of them.
    pub async fn send(&mut self, deadline: Instant) -> io::Result<()> {
        let mut sent = 0;
        while sent < self.request.len() {
            let amount = std::future::poll_fn(|context| {
                let bytes = self.request.get(sent..).unwrap_or_default();
                match self.wire.poll_write(context, bytes) {
                    Poll::Pending => ready_late(&mut self.timer, context, deadline),
                    outcome => outcome,
                }
            })
            .await?;
            if amount == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            sent += amount;
        }
        if let Wire::Other(stream) = &mut self.wire {
            tokio::io::AsyncWriteExt::flush(stream).await?;
        }
        Ok(())
    }

    /// Receives more: how many bytes, 0 at the end of the stream.
    pub async fn fill(&mut self, deadline: Instant) -> io::Result<usize> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.end == self.buffer.len() {
            self.buffer.copy_within(self.start.., 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        let amount = std::future::poll_fn(|context| {
            if self.buffer.is_empty() {
                self.buffer = buffer::take();
            }
            let mut into = ReadBuf::new(&mut self.buffer[self.end..]);
            match self.wire.poll_read(context, &mut into) {
                Poll::Pending => {
                    self.rest();
                    ready_late(&mut self.timer, context, deadline)
                }
                Poll::Ready(outcome) => Poll::Ready(outcome.map(|()| into.filled().len())),
            }
        })
        .await?;
        self.end += amount;
        Ok(amount)
    }

    /// Lends its buffer to others, if it is empty.
    pub fn rest(&mut self) {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            buffer::give(std::mem::take(&mut self.buffer));
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        buffer::give(std::mem::take(&mut self.buffer));
        self.place.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Waits for the deadline. The timer is not moved for each wait, which would cost more than all
/// else here: if it rings too early, it is set anew.
fn ready_late<T>(
    timer: &mut Option<Pin<Box<Sleep>>>,
    context: &mut Context<'_>,
    deadline: Instant,
) -> Poll<io::Result<T>> {
    let timer = timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
    if timer.deadline() > deadline {
        timer.as_mut().reset(deadline);
    }
    loop {
        ready!(timer.as_mut().poll(context));
        if Instant::now() >= deadline {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        timer.as_mut().reset(deadline);
    }
}

impl Wire {
    fn poll_read(&mut self, context: &mut Context<'_>, into: &mut ReadBuf) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => Pin::new(stream).poll_read(context, into),
            Self::Other(stream) => Pin::new(stream).poll_read(context, into),
        }
    }

    fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Other(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }
}
