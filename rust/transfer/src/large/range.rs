//! One request for bytes of a large file: is the answer what was asked for, and then to disk.

use std::ops::Range;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::{Large, NOTED};
use crate::backoff::lock;
use crate::board::Board;
use crate::counters::add;
use crate::disk;
use crate::error::{Error, Result};
use crate::fetch::{get, is_other_version, mismatch, piece, strong_etag, Ask, Context, Fault};
use crate::http::Response;
use crate::ranges::{content_range, Ranges};

impl Large {
    /// One request, its bytes written as they come; `at` moves along, even if it ends in a fault.
    pub(super) async fn stream(
        &self,
        context: &Context,
        board: &Board,
        at: &mut u64,
        end: &mut u64,
    ) -> std::result::Result<(), Fault> {
        let size = self.size;
        let range = (*at > 0 || *end < size).then_some(*at..*end);
        let validator = self.validator.get().map(String::as_str);
        let first = lock(&self.first).take();
        let mut response = match first.filter(|_| *at == 0) {
            Some(response) => response,
            None => {
                let ask = Ask {
                    range: range.clone(),
                    validator,
                };
                get(context, &self.entry, &ask).await?
            }
        };
        let stop = self.accept(&response, range, at, end)?;
        self.learn(context, board, &response)
            .map_err(Fault::Final)?;
        let mut noted = *at;
        let outcome = self
            .write(context, board, &mut response, at, stop, &mut noted)
            .await;
        self.note(context, noted..*at).map_err(Fault::Final)?;
        outcome
    }

    /// Where the body of this answer ends in the file, if it is what was asked for.
    fn accept(
        &self,
        response: &Response,
        range: Option<Range<u64>>,
        at: &mut u64,
        end: &mut u64,
    ) -> std::result::Result<u64, Fault> {
        let (entry, size) = (&self.entry, self.size);
        let etag = strong_etag(response);
        if etag.is_some_and(|tag| is_other_version(tag, entry)) {
            return Err(mismatch(entry, "it changed on the server"));
        }
        let restart =
            |why: &str| Fault::Restart(Error::new("bad-answer", format!("{}: {why}", entry.name)));
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
            if *at > 0 || !self.take_all() {
                return Err(restart("the server sent the whole when asked for a part"));
            }
            *end = size;
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
        match self.validator.get() {
            None if etag.is_none() => {
                return Err(restart(
                    "the server gives no strong ETag, so ranges cannot be joined",
                ));
            }
            Some(known) if etag != Some(known) => {
                return Err(mismatch(
                    entry,
                    "it changed on the server between two ranges",
                ));
            }
            _ => {}
        }
        Ok(given.end)
    }

    /// For a server without ranges: the only permit on a fresh file takes it whole.
    fn take_all(&self) -> bool {
        let mut state = lock(&self.state);
        let is_alone = state.active == 1 && state.done.is_empty();
        if is_alone {
            state.todo = Ranges::default();
        }
        is_alone
    }

    /// Keeps the first strong ETag: from then on the file can be split and resumed.
    fn learn(&self, context: &Context, board: &Board, response: &Response) -> Result<()> {
        let Some(etag) = strong_etag(response) else {
            return Ok(());
        };
        if self.validator.set(etag.to_owned()).is_ok() {
            context
                .journal
                .start(&self.id, self.size, self.entry.sha256.as_ref(), etag)?;
            board.call_helpers();
        }
        Ok(())
    }

    async fn write(
        &self,
        context: &Context,
        board: &Board,
        response: &mut Response,
        at: &mut u64,
        stop: u64,
        noted: &mut u64,
    ) -> std::result::Result<(), Fault> {
        // One more look after the last byte lets the connection be used again.
        while let Some(piece) = piece(context, &self.entry, response).await? {
            let amount = piece.len() as u64;
            add(&context.counters.bytes_received, amount);
            context.throttle.take(piece.len()).await;
            if *at + amount > stop {
                return Err(mismatch(
                    &self.entry,
                    "the server sent more bytes than it promised",
                ));
            }
            let begun = Instant::now();
            disk::write_at(&self.file, piece, *at)
                .map_err(|error| Fault::Final(Error::io("write", &self.part, &error)))?;
            context.control.pulse.wrote(begun.elapsed());
            self.pass_by(piece, *at);
            *at += amount;
            self.counted.fetch_add(amount, Ordering::Relaxed);
            add(&context.counters.bytes_partial, amount);
            if *at - *noted >= NOTED {
                self.note(context, *noted..*at).map_err(Fault::Final)?;
                *noted = *at;
                self.call_helpers(board);
            }
        }
        if *at < stop {
            let text = format!(
                "{}: the body ended after {at} of {stop} bytes",
                self.entry.name
            );
            return Err(Fault::Again(Error::new("network", text)));
        }
        Ok(())
    }
}
