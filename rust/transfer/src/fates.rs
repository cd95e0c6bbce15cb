//! What becomes of each file, told as it happens: to the report, and to who waits for it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::backoff::lock;
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::fetch::Context;
use crate::finished::{Finished, FinishedFile, Renders};
use crate::folder::digest;
use crate::key::host;
use crate::report::{Record, Report};
use crate::tar::Packer;

/// How a file ended.
#[derive(Debug, Clone, Copy)]
pub enum Fate<'a> {
    /// This run brought it.
    New,
    /// It was there, and right as far as was looked.
    Present,
    /// It is not there, or not right.
    Failed(&'a Error),
}

/// Where fates are told.
#[derive(Default)]
pub struct Fates {
    report: Option<Report>,
    renders: Option<Renders>,
    packer: Option<Packer>,
    /// Tries beyond the first of files under way; most files have none.
    retries: Mutex<HashMap<Arc<str>, u32>>,
    has_retries: AtomicBool,
}

impl Fates {
    /// Opens the report; `finished` gets what is finished, `packer` puts it into shards.
    pub fn open(
        packer: Option<Packer>,
        report: Option<PathBuf>,
        finished: Option<async_channel::Sender<Finished>>,
    ) -> Result<Self> {
        Ok(Self {
            report: report.map(Report::open).transpose()?,
            renders: finished.map(Renders::new),
            packer,
            ..Self::default()
        })
    }

    /// A file is tried again.
    pub fn again(&self, name: &Arc<str>) {
        if self.report.is_some() {
            self.has_retries.store(true, Ordering::Relaxed);
            *lock(&self.retries).entry(name.clone()).or_insert(0) += 1;
        }
    }

    /// A file is in the selection. Told in the list's order, before its fate.
    pub async fn expect(&self, entry: &Entry) {
        if let Some(renders) = &self.renders {
            renders.expect(entry.render).await;
        }
        if let Some(packer) = &self.packer {
            packer.expect(entry);
        }
    }

    /// The selection is known to its end.
    pub async fn planned(&self) {
        if let Some(renders) = &self.renders {
            renders.expect(None).await;
        }
        if let Some(packer) = &self.packer {
            packer.planned().await;
        }
    }

    /// A file has ended. Waits while who listens has no room.
    pub async fn tell(&self, context: &Context, entry: &Entry, fate: Fate<'_>) {
        if let Fate::Failed(error) = fate {
            context.counters.fail(&entry.name, error);
        }
        if self.report.is_none() && self.renders.is_none() && self.packer.is_none() {
            return;
        }
        let is_made = matches!(fate, Fate::New | Fate::Present);
        let path = context.folder.target(&entry.name);
        let is_staged = || context.folder.target(&entry.name).exists();
        let counted = || std::fs::metadata(&path).ok().map(|data| data.len());
        let bytes = entry.bytes.or_else(|| counted().filter(|_| is_made));
        if let Some(report) = &self.report {
            let sha256 = match (fate, entry.sha256) {
                // A list without hashes had nothing to compare; the report is where one is read.
                (Fate::New, None) => digest_of(path.clone()).await,
                (_, known) => known.filter(|_| is_made),
            };
            let url = entry
                .url
                .as_deref()
                .and_then(|url| url::Url::parse(url).ok());
            report.add(&Record {
                name: &entry.name,
                line: entry.line,
                fate,
                attempts: self.attempts(&entry.name, fate),
                bytes,
                sha256,
                host: url.as_ref().map(host),
            });
        }
        if let Some(renders) = &self.renders {
            let file = is_made.then(|| FinishedFile {
                name: entry.name.clone(),
                path,
                bytes,
                render: entry.render,
                is_old: matches!(fate, Fate::Present),
            });
            renders.ended(entry.render, file).await;
        }
        if let Some(packer) = &self.packer {
            // What is there may be in a shard, or staged by an earlier run.
            let staged = is_made.then(|| matches!(fate, Fate::New) || is_staged());
            packer.ended(entry, staged).await;
        }
    }

    /// A line that is no file has ended.
    pub async fn fail(&self, context: &Context, name: &str, error: &Error) {
        context.counters.fail(name, error);
        if let Some(report) = &self.report {
            report.add(&Record {
                name,
                line: 0,
                fate: Fate::Failed(error),
                attempts: 0,
                bytes: None,
                sha256: None,
                host: None,
            });
        }
    }

    /// Returns the error that ends the writing of shards, if one does.
    pub async fn failed(&self) -> Error {
        match &self.packer {
            Some(packer) => packer.failed().await,
            None => std::future::pending().await,
        }
    }

    /// Writes the last shard and waits for all.
    pub async fn pack_rest(self: &Arc<Self>) -> Result<()> {
        if let Some(packer) = &self.packer {
            packer.finish().await;
        }
        self.on_packer(Packer::close).await
    }

    /// Writes no further shard.
    pub async fn stop(self: &Arc<Self>) {
        let stop = |packer: &Packer| {
            packer.stop();
            Ok(())
        };
        let _ = self.on_packer(stop).await;
    }

    async fn on_packer(
        self: &Arc<Self>,
        what: impl Fn(&Packer) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        let fates = self.clone();
        let work = move || fates.packer.as_ref().map_or(Ok(()), what);
        tokio::task::spawn_blocking(work)
            .await
            .unwrap_or_else(|_| Err(Error::new("internal", "writing shards broke off")))
    }

    /// Writes the report's last line; only then does it look whole.
    pub fn close(&self, error: Option<&Error>) -> Result<()> {
        self.report
            .as_ref()
            .map_or(Ok(()), |report| report.close(error))
    }

    fn attempts(&self, name: &str, fate: Fate<'_>) -> u32 {
        let retries = if self.has_retries.load(Ordering::Relaxed) {
            lock(&self.retries).remove(name).unwrap_or(0)
        } else {
            0
        };
        match fate {
            Fate::Present => retries,
            // Refused before any request.
            Fate::Failed(error) if ["invalid-name", "differs"].contains(&error.kind.as_ref()) => 0,
            _ => retries + 1,
        }
    }
}

/// The sha256 of a file just written, if it can be read.
async fn digest_of(path: PathBuf) -> Option<[u8; 32]> {
    let digest = tokio::task::spawn_blocking(move || digest(&path)).await;
    digest.ok()?.ok()
}
