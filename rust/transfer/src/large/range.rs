//! One request for bytes of a large file: is the answer what was asked for, and then to disk.

use std::ops::Range;
use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::time::Instant;

use super::{Large, NOTED};
use crate::backoff::lock;
use crate::board::Board;
use crate::counters::add;
use crate::disk;
use crate::error::{Error, Result};
use crate::fetch::{get, is_other_version, mismatch, piece, strong_etag, Ask, Context, Fault};
use crate::http::Response;
use crate::ranges::content_range;

/// Where the bytes of an answer go: from `at` to `stop`, by the permit that began at `start`.
struct Flow {
    start: u64,
    at: u64,
    stop: u64,
    noted: u64,
}

impl Large {
    /// One request for the bytes of `asked`, which are written as they come.
    pub(super) async fn stream(
        self: &Arc<Self>,
        context: &Context,
        board: &Board,
        start: u64,
        asked: Range<u64>,
    ) -> std::result::Result<(), Fault> {
        let at = asked.start;
        let range = (at > 0 || asked.end < self.size).then_some(asked);
        let first = lock(&self.first).take();
        let mut response = match first.filter(|_| at == 0) {
            Some(response) => response,
            None => {
                let ask = Ask {
                    range: range.clone(),
                    validator: self.validator.get().map(String::as_str),
                };
                get(context, &self.entry, &ask).await?
            }
        };
        let mut flow = Flow {
            start,
            at,
            stop: self.accept(&response, at, range)?,
            noted: at,
        };
        self.learn(context, board, &response)
            .map_err(Fault::Final)?;
        let outcome = self.write(context, board, &mut response, &mut flow).await;
        if start == 0 {
            lock(&self.claims).whole = false;
        }
        self.note(context, flow.noted..flow.at)
            .map_err(Fault::Final)?;
        outcome
    }

    /// Where the body of this answer ends in the file, if it is what was asked for.
    fn accept(
        &self,
        response: &Response,
        at: u64,
        range: Option<Range<u64>>,
    ) -> std::result::Result<u64, Fault> {
        let (entry, size) = (&self.entry, self.size);
        let etag = strong_etag(response);
        if etag.is_some_and(|tag| is_other_version(tag, entry)) {
            return Err(mismatch(entry, "it changed on the server"));
        }
        let restart =
            |why: &str| Fault::Restart(Error::new("bad-answer", format!("{}: {why}", entry.name)));
        let known = self.validator.get().map(String::as_str);
        let is_other = known.is_some() && etag != known;
        let Some(range) = range.filter(|_| response.status() == 206) else {
            if response.status() != 200 {
                return Err(restart("the server sent a part when asked for the whole"));
            }
            if let Some(promised) = response.length().filter(|length| *length != size) {
                return Err(mismatch(
                    entry,
                    &format!("the server promises {promised} bytes, the list {size}"),
                ));
            }
            if is_other {
                return Err(match etag {
                    Some(_) => mismatch(entry, "it changed on the server meanwhile"),
                    None => restart("the server gives no strong ETag any more"),
                });
            }
            if at > 0 || !self.take_all(response) {
                return Err(restart("the server sent the whole when asked for a part"));
            }
            return Ok(size);
        };
        let given = response.header("content-range").and_then(content_range);
        let Some((given, total)) = given else {
            return Err(restart(
                "the server sent a part without a proper Content-Range",
            ));
        };
        if total != size {
            return Err(mismatch(
                entry,
                &format!("the server says it has {total} bytes, the list {size}"),
            ));
        }
        if given.start != range.start || given.end > range.end {
            return Err(restart("the server sent another range than was asked for"));
        }
        if is_other {
            return Err(mismatch(
                entry,
                "it changed on the server between two ranges",
            ));
        }
        if etag.is_none() {
            return Err(restart(
                "the server gives no strong ETag, so ranges cannot be joined",
            ));
        }
        Ok(given.end)
    }

    /// Keeps the first strong ETag: from then on the file can be split and resumed.
    fn learn(&self, context: &Context, board: &Board, response: &Response) -> Result<()> {
        let Some(etag) = strong_etag(response) else {
            return Ok(());
        };
        let is_first = self.validator.set(etag.to_owned()).is_ok();
        if is_first {
            let sha256 = self.entry.sha256.as_ref();
            context.journal.start(&self.id, self.size, sha256, etag)?;
        }
        let is_part = response.status() == 206;
        let is_proof = is_part && !std::mem::replace(&mut lock(&self.claims).proven, true);
        if is_first || is_proof {
            board.call_helpers();
        }
        Ok(())
    }

    async fn write(
        self: &Arc<Self>,
        context: &Context,
        board: &Board,
        response: &mut Response,
        flow: &mut Flow,
    ) -> std::result::Result<(), Fault> {
        // One more look after the last byte lets the connection be used again.
        while let Some(mut piece) = piece(context, &self.entry, response).await? {
            let amount = piece.len() as u64;
            add(&context.counters.bytes_received, amount);
            context.throttle.take(piece.len()).await;
            if flow.at + amount > flow.stop {
                return Err(mismatch(
                    &self.entry,
                    "the server sent more bytes than it promised",
                ));
            }
            let end = self.reach(flow.start, flow.at + amount, flow.stop);
            let amount = amount.min(end - flow.at);
            piece.truncate(amount as usize);
            let begun = Instant::now();
            disk::write_at(&self.file, &piece, flow.at)
                .map_err(|error| Fault::Final(Error::io("write", &self.part, &error)))?;
            context.control.pulse.wrote(begun.elapsed());
            self.pass_by(piece, flow.at).await;
            flow.at += amount;
            self.counted.fetch_add(amount, Ordering::Relaxed);
            add(&context.counters.bytes_partial, amount);
            if flow.at - flow.noted >= NOTED {
                self.note(context, flow.noted..flow.at)
                    .map_err(Fault::Final)?;
                flow.noted = flow.at;
                self.call_helpers(board);
                self.follow(&context.readers, board);
            }
            if flow.at == end && end < flow.stop {
                // Others have the rest: what this connection still brings is not waited for.
                return Ok(());
            }
        }
        if flow.at < flow.stop {
            let text = format!(
                "{}: the body ended after {} of {} bytes",
                self.entry.name, flow.at, flow.stop
            );
            return Err(Fault::Again(Error::new("network", text)));
        }
        Ok(())
    }
}
