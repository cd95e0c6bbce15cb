//! The sha256 of a large file: taken as bytes pass by in order, read back where they did not.

use std::sync::Arc;

use super::Large;
use crate::backoff::lock;
use crate::disk;
use crate::error::Error;
use crate::fetch::{mismatch, Fault};
use crate::http::Piece;

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

    /// How many bytes are on disk in one piece after those hashed.
    pub(super) fn lag(&self) -> u64 {
        if self.entry.sha256.is_none() {
            return 0;
        }
        let at = match self.hash.try_lock() {
            Ok(hash) => hash.1,
            Err(_) => return 0,
        };
        lock(&self.claims).done.end_of(at).map_or(0, |end| end - at)
    }

    /// Hashes on from the file itself; without `wait` only if nobody else is hashing.
    pub(super) fn catch_up(&self, wait: bool) -> std::result::Result<(), Fault> {
        let mut hash = match self.hash.try_lock() {
            Ok(hash) => hash,
            Err(_) if wait => self.hash.blocking_lock(),
            Err(_) => return Ok(()),
        };
        let mut block = vec![0; 1 << 20];
        loop {
            let end = lock(&self.claims).done.end_of(hash.1).unwrap_or(hash.1);
            if hash.1 >= end {
                return Ok(());
            }
            let most = block
                .len()
                .min(usize::try_from(end - hash.1).unwrap_or(usize::MAX));
            match disk::read_at(&self.file, &mut block[..most], hash.1) {
                Ok(0) => {
                    return Err(mismatch(
                        &self.entry,
                        "its part was cut short by something else",
                    ))
                }
                Ok(read) => {
                    hash.0.update(&block[..read]);
                    hash.1 += read as u64;
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Fault::Final(Error::io("read", &self.part, &error))),
            }
        }
    }

    /// The last look before the final name: every byte there, and the hash right.
    pub(super) async fn check(self: &Arc<Self>) -> std::result::Result<(), Fault> {
        let large = self.clone();
        let outcome = if self.lag() > 0 || self.hash.try_lock().is_err() {
            tokio::task::spawn_blocking(move || large.catch_up(true))
                .await
                .unwrap_or(Ok(()))
        } else {
            Ok(())
        };
        outcome?;
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
