//! Who fetches which bytes of a large file.
//!
//! Bytes that nobody fetches are claimed in order, long ranges first and shorter ones towards the end,
//! so that all end together and what is on disk can be hashed. Where one permit has much of a file
//! before it, because its answer holds the whole, the end is made free for others: its connection is
//! then cut when it comes there, which costs that connection, so it is done once and for much.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Large;
use crate::backoff::lock;
use crate::fetch::Fault;
use crate::http::Response;
use crate::ranges::Ranges;

/// A claim: long enough to hide a round trip, short enough to share well.
const GRAINS: (u64, u64) = (4 << 20, 64 << 20);

/// A permit that has less than twice this before it keeps it.
const WORTH: u64 = 4 << 20;

/// Claims of each permit in what is left of a file; in one that is hashed, so that the hash follows what comes.
pub(super) const TURNS: u64 = 2;
pub(super) const TURNS_HASHED: u64 = 4;

pub(super) struct Claims {
    /// What nobody fetches yet.
    pub(super) todo: Ranges,
    pub(super) done: Ranges,
    /// What permits are fetching, by where each began: how far it is, and how far it goes.
    pub(super) under_way: BTreeMap<u64, Range<u64>>,
    /// Several permits may fetch the file.
    pub(super) split: bool,
    /// The server has shown that it knows ranges. Until then one permit at a time tries it.
    pub(super) proven: bool,
    /// The one that began at 0 reads an answer that holds the whole file.
    pub(super) whole: bool,
    pub(super) fault: Option<Fault>,
    /// Into how many claims for each permit what is left is cut.
    pub(super) turns: u64,
}

impl Claims {
    fn next(&mut self, helpers: usize) -> Option<Range<u64>> {
        let workers = (self.under_way.len() + helpers + 1) as u64;
        let most = match self.split {
            true => (self.todo.len() / (self.turns * workers)).clamp(GRAINS.0, GRAINS.1),
            false => u64::MAX,
        };
        let range = self.todo.take(most)?;
        self.under_way.insert(range.start, range.clone());
        Some(range)
    }

    /// Takes what begins at `start` for a permit that comes there: what is free, or what another waits
    /// for while nothing shows that the server knows ranges. That one has written none of it.
    fn after(&mut self, start: u64, most: u64) -> Option<Range<u64>> {
        if let Some(free) = self.todo.take_from(start, most) {
            return Some(free);
        }
        let other = self.under_way.get_mut(&start)?;
        let may_be_taken = !self.proven && other.start == start && !other.is_empty();
        may_be_taken.then(|| start..std::mem::replace(&mut other.end, start))
    }

    /// Leaves the permit that has most before it a share, and makes the rest free.
    fn free(&mut self, helpers: usize) {
        let Some(own) = self.under_way.values_mut().max_by_key(|own| length(own)) else {
            return;
        };
        if helpers > 0 && length(own) >= 2 * WORTH {
            let share = (length(own) / (self.turns / 2 * (helpers as u64 + 1))).max(WORTH);
            let end = std::mem::replace(&mut own.end, own.start + share);
            self.todo.add(own.end..end);
        }
    }
}

impl Large {
    /// What the file's own permit does next.
    pub(super) fn claim(&self, helpers: usize) -> Option<Range<u64>> {
        let mut claims = lock(&self.claims);
        if claims.fault.is_some() {
            return None;
        }
        if lock(&self.first).is_some() {
            let range = claims.todo.take(self.size)?;
            claims.under_way.insert(range.start, range.clone());
            return Some(range);
        }
        if claims.split && claims.todo.is_empty() {
            claims.free(helpers);
        }
        claims.next(helpers)
    }

    /// A range for a permit without work; none until one answer has shown a strong ETag. Only what is
    /// free already, unless `more` may be made so.
    pub fn claim_as_helper(&self, helpers: usize, more: bool) -> Option<Range<u64>> {
        let mut claims = lock(&self.claims);
        if !self.is_open(&claims) {
            return None;
        }
        if more && claims.todo.is_empty() {
            claims.free(helpers);
        }
        claims.next(helpers)
    }

    /// True if one more permit may fetch some of it.
    fn is_open(&self, claims: &Claims) -> bool {
        let is_turn = claims.proven || claims.under_way.len() < 2;
        claims.split && is_turn && claims.fault.is_none() && self.validator.get().is_some()
    }

    /// The most that one permit has still to fetch of it, if others may help.
    pub fn longest(&self) -> u64 {
        let claims = lock(&self.claims);
        let most = claims.under_way.values().map(length).max().unwrap_or(0);
        most * u64::from(self.is_open(&claims))
    }

    /// What the permit that began at `start` has still to fetch.
    pub(super) fn rest_of(&self, start: u64) -> Option<Range<u64>> {
        let claims = lock(&self.claims);
        let rest = claims.under_way.get(&start)?;
        (!rest.is_empty()).then(|| rest.clone())
    }

    /// Moves the permit that began at `start` on to `to`, or to the end of what is its own, which is
    /// returned. That end goes on if what follows is to be had and in this answer, which goes to `stop`.
    pub(super) fn reach(&self, start: u64, to: u64, stop: u64) -> u64 {
        let mut claims = lock(&self.claims);
        let Some(mut own) = claims.under_way.get(&start).cloned() else {
            return to;
        };
        while own.end <= to && own.end < stop {
            match claims.after(own.end, GRAINS.0.min(stop - own.end)) {
                Some(more) => own.end = more.end,
                None => break,
            }
        }
        own.start = to.min(own.end);
        let end = own.end;
        claims.under_way.insert(start, own);
        end
    }

    /// An answer with the whole: the only permit on a fresh file takes it, and others may take parts of
    /// it if the server knows ranges.
    pub(super) fn take_all(&self, response: &Response) -> bool {
        let mut claims = lock(&self.claims);
        let is_alone = claims.under_way.len() == 1 && claims.done.is_empty();
        let Some(all) = claims.under_way.get_mut(&0).filter(|_| is_alone) else {
            return false;
        };
        let was_asked_for = all.end == self.size;
        all.end = self.size;
        claims.todo = Ranges::default();
        claims.whole = true;
        let accepts = response.header("accept-ranges").unwrap_or_default();
        claims.split &= was_asked_for && !accepts.eq_ignore_ascii_case("none");
        claims.proven = accepts.eq_ignore_ascii_case("bytes");
        true
    }

    /// A permit is done with what it began at `start`; true if the attempt has failed by that.
    pub(super) fn leave(&self, start: u64, outcome: Result<(), Fault>) -> bool {
        let mut claims = lock(&self.claims);
        let rest = claims.under_way.remove(&start).unwrap_or_default();
        let was_taken = rest == (start..start);
        match outcome {
            Ok(()) => return false,
            // The permit that has the whole before it goes on with it, alone, or has done so.
            Err(fault) if start > 0 && (claims.whole || was_taken) && is_about_ranges(&fault) => {
                claims.split = false;
                claims.todo.add(rest);
                return false;
            }
            Err(fault) => claims.fault.get_or_insert(fault),
        };
        true
    }
}

fn length(range: &Range<u64>) -> u64 {
    range.end - range.start
}

/// True for what may be the fault of asking for a range, and for no other reason.
fn is_about_ranges(fault: &Fault) -> bool {
    match fault {
        Fault::Restart(_) | Fault::Expired(..) => true,
        Fault::Final(error) => !error.is_fatal(),
        // A web page instead of the file says no more of it than a refusal.
        Fault::Content(error) => error.kind == "bad-answer",
        Fault::Again(_) => false,
    }
}
