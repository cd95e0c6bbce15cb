//! The sha256 of a large file: taken as bytes pass by in order, read back where they did not.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::readers::{Job, Readers};
use super::Large;
use crate::backoff::lock;
use crate::board::Board;
use crate::error::Error;
use crate::fetch::{mismatch, Fault};
use crate::http::Piece;

/// So much is read back together with other files; less is left until more follows it, or all is there.
const BEHIND: u64 = 4 << 20;

/// So much is read back alone, at a lower speed.
pub(super) const FAR_BEHIND: u64 = 32 << 20;

impl Large {
    /// Hashes bytes that came in order, while they are hot, together with those of other files.
    pub(super) async fn pass_by(&self, piece: Piece, at: u64) {
        if self.entry.sha256.is_none() {
            return;
        }
        if let Ok(mut hash) = self.hash.try_lock() {
            if hash.1 == at {
                let amount = piece.len() as u64;
                hash.0.take(piece).await;
                hash.1 += amount;
            }
        }
    }

    /// How many bytes are on disk in one piece from `at`, if anybody wants their hash.
    pub(super) fn ahead(&self, at: u64) -> u64 {
        if self.entry.sha256.is_none() {
            return 0;
        }
        lock(&self.claims).done.end_of(at).map_or(0, |end| end - at)
    }

    /// Has much that lies on disk unhashed read back, as soon as other files have as much.
    pub(super) fn follow(self: &Arc<Self>, readers: &Arc<Readers>, board: &Board) {
        let Some(own) = self.behind() else {
            return;
        };
        let is_far = self.ahead(own.hashed.1) >= FAR_BEHIND;
        let others = board.larges();
        let others = others.iter().filter_map(|other| other.behind());
        let jobs: Vec<_> = std::iter::once(own).chain(others).collect();
        if is_far || jobs.len() > 1 || readers.are_busy() {
            readers.add(jobs);
        }
    }

    /// What is to be read back, if it is much and nobody is hashing.
    fn behind(self: &Arc<Self>) -> Option<Job> {
        let hashed = self.hash.clone().try_lock_owned().ok()?;
        let is_much = self.ahead(hashed.1) >= BEHIND;
        is_much.then(|| Job::new(self.clone(), hashed, None))
    }

    /// Waits until all that lies on disk is hashed.
    async fn catch_up(self: &Arc<Self>, readers: &Arc<Readers>) -> Result<(), Fault> {
        let hash = self.hash.clone().lock_owned().await;
        if self.ahead(hash.1) == 0 {
            return Ok(());
        }
        let (done, outcome) = oneshot::channel();
        readers.add(vec![Job::new(self.clone(), hash, Some(done))]);
        let broken = |_| Fault::Final(Error::new("internal", "reading back broke off"));
        outcome.await.map_err(broken)?
    }

    /// The last look before the final name: every byte there, and the hash right.
    pub(super) async fn check(self: &Arc<Self>, readers: &Arc<Readers>) -> Result<(), Fault> {
        self.catch_up(readers).await?;
        let arrived = lock(&self.claims).done.len();
        let held = self.file.metadata().map_or(0, |data| data.len());
        if arrived != self.size || held != self.size {
            return Err(mismatch(&self.entry, "its part is not whole"));
        }
        let (hash, hashed) = self.hash.lock().await.clone();
        match self.entry.sha256 {
            Some(known) if hashed != self.size || hash.finish() != known => Err(mismatch(
                &self.entry,
                "the sha256 of what arrived is not that of the list",
            )),
            _ => Ok(()),
        }
    }
}
