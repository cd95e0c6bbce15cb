//! The bytes of a list, piece by piece, wherever it is.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use async_channel::{Receiver, Sender};
use bytes::Bytes;
use http::header::{HeaderMap, HeaderValue, ACCEPT_ENCODING};
use url::Url;

use super::format::Label;
use super::Input;
use crate::control::Gate;
use crate::error::{Error, Result};
use crate::expiry::Clock;
use crate::fetch;
use crate::http::{Http, Response};
use crate::key::shown;
use crate::manifest::Source;

/// How much is read from a file or pipe at once.
const PIECE: usize = 64 << 10;

/// An open list.
pub enum Pieces {
    /// Read by a thread of its own: a pipe may say nothing for hours. Its name, and its length if known.
    Thread(Receiver<io::Result<Bytes>>, String, Option<u64>),
    /// An answer.
    Body(Box<Response>),
}

impl Pieces {
    /// Opens the list and tells what it calls itself.
    pub async fn open(
        http: &Http,
        gate: &Gate,
        clock: &Clock,
        source: &Source,
        input: &Input,
    ) -> Result<(Self, Label)> {
        match input {
            Input::Url(url) => body(http, gate, clock, source, url).await,
            Input::Stdin => Ok((
                thread(io::stdin(), "standard input".to_owned(), None)?,
                Label::Other,
            )),
            Input::File(path) => {
                let file = File::open(path).map_err(|error| unreadable(path, &error))?;
                let name = path.to_string_lossy();
                let data = file.metadata().ok().filter(Metadata::is_file);
                let length = data.map(|data| data.len());
                Ok((
                    thread(file, name.clone().into_owned(), length)?,
                    Label::of(&name),
                ))
            }
        }
    }

    /// True for an answer.
    pub fn is_body(&self) -> bool {
        matches!(self, Self::Body(_))
    }

    /// The answer, if it is one.
    pub fn into_body(self) -> Option<Response> {
        match self {
            Self::Body(response) => Some(*response),
            Self::Thread(..) => None,
        }
    }

    /// How many bytes there are in all, if that is known.
    pub fn length(&self) -> Option<u64> {
        match self {
            Self::Body(response) => response.length(),
            Self::Thread(_, _, length) => *length,
        }
    }

    /// The next piece, or `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        match self {
            Self::Body(response) => {
                let piece = response.piece().await?;
                Ok(piece.map(|piece| Bytes::copy_from_slice(&piece)))
            }
            Self::Thread(pieces, name, _) => match pieces.recv().await {
                Err(_) => Ok(None),
                Ok(Ok(piece)) => Ok(Some(piece)),
                Ok(Err(error)) => Err(unreadable(Path::new(name.as_str()), &error)),
            },
        }
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    let mut told = Error::io("read the list", path, error);
    // Not the output disk: the caller gave a list that cannot be read.
    told.kind = "usage".into();
    told.hint = None;
    told
}

fn thread(
    mut input: impl Read + Send + 'static,
    name: String,
    length: Option<u64>,
) -> Result<Pieces> {
    let (sender, receiver): (Sender<io::Result<Bytes>>, _) = async_channel::bounded(4);
    let work = move || loop {
        let mut piece = vec![0; PIECE];
        let outcome = match input.read(&mut piece) {
            Ok(0) => return,
            Ok(read) => {
                piece.truncate(read);
                Ok(piece.into())
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let is_over = outcome.is_err();
        if sender.send_blocking(outcome).is_err() || is_over {
            return;
        }
    };
    let started = std::thread::Builder::new()
        .name("list".to_owned())
        .spawn(work);
    started.map_err(|error| Error::new("internal", format!("cannot start a thread: {error}")))?;
    Ok(Pieces::Thread(receiver, name, length))
}

async fn body(
    http: &Http,
    gate: &Gate,
    clock: &Clock,
    source: &Source,
    url: &Url,
) -> Result<(Pieces, Label)> {
    let mut headers: HeaderMap = source.headers.clone();
    headers.insert(
        ACCEPT_ENCODING,
        HeaderValue::from_static("zstd, gzip, identity"),
    );
    gate.pass(url).await?;
    let mut response = http.get(url.clone(), &source.key, &headers).await?;
    clock.learn(&response);
    if response.status() != 200 {
        fetch::close_gate(gate, url, &response)?;
        return Err(fetch::refusal(&mut response).await);
    }
    let encoding = response.header("content-encoding").unwrap_or("identity");
    // Known by their first bytes, whatever the header says of them.
    if !["identity", "", "zstd", "gzip", "x-gzip"].contains(&encoding.trim()) {
        let text = format!("{} sends the list encoded as {encoding}", shown(url));
        return Err(Error::new("bad-answer", text));
    }
    let label = match Label::of(&response.media_type()) {
        Label::Other => Label::of(url.path()),
        label => label,
    };
    Ok((Pieces::Body(Box::new(response)), label))
}
