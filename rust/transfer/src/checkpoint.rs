//! When finished work is brought to the disk itself: every few seconds, and at the end.

use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::error::{Error, Result};
use crate::fetch::Context;

/// How often finished work is brought to the disk itself: the most that a power loss costs.
const CHECKPOINT: Duration = Duration::from_secs(5);

/// Every few seconds: sync, and only then say so in the journal. Returns only with an error.
pub async fn checkpoints(context: Arc<Context>) -> Error {
    let mut last = 0;
    loop {
        tokio::time::sleep(CHECKPOINT).await;
        let received = context.counters.bytes_received.load(Ordering::Relaxed);
        if std::mem::replace(&mut last, received) == received {
            continue;
        }
        let context = context.clone();
        let moment = SystemTime::now();
        let work = move || {
            context
                .folder
                .sync()
                .and_then(|()| context.journal.synced(moment))
        };
        if let Ok(Err(error)) = tokio::task::spawn_blocking(work).await {
            return error;
        }
    }
}

/// The last sync, and away with the work folder unless something is half done.
pub async fn close(context: &Arc<Context>) -> Result<()> {
    let context = context.clone();
    let is_new = context.counters.files_new.load(Ordering::Relaxed) > 0;
    let work = move || {
        if is_new {
            context.folder.sync()?;
        }
        if context.journal.is_empty() {
            context.folder.finish();
        }
        Ok(())
    };
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(Error::new("internal", "the last sync broke off")))
}
