//! When finished work is brought to the disk itself: every few seconds, and at the end.

use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio_util::sync::CancellationToken;

use crate::counters::Counters;
use crate::error::{Error, Result};
use crate::fetch::Context;

/// A stopped run waits this often, and this long, for bodies that still arrive.
const GRACE_STEPS: u32 = 10;
const GRACE_STEP: Duration = Duration::from_millis(200);

/// Every few seconds: sync, and only then say so in the journal. Returns only with an error.
pub async fn checkpoints(context: Arc<Context>) -> Error {
    let mut last = 0;
    loop {
        tokio::time::sleep(context.http.limits().checkpoint).await;
        context.folder.beat();
        let received = context.counters.bytes_received.load(Ordering::Relaxed);
        if std::mem::replace(&mut last, received) == received {
            continue;
        }
        if let Err(error) = checkpoint(&context).await {
            return error;
        }
    }
}

/// Syncs, and then says so in the journal.
pub async fn checkpoint(context: &Arc<Context>) -> Result<()> {
    let context = context.clone();
    let moment = SystemTime::now();
    let work = move || {
        context
            .folder
            .sync()
            .and_then(|()| context.journal.synced(moment))
    };
    tokio::task::spawn_blocking(work).await.unwrap_or(Ok(()))
}

/// Once `stopped`: lets bodies arrive as long as they do, for 2 s at most.
pub async fn grace(stopped: &CancellationToken, counters: &Counters) {
    stopped.cancelled().await;
    let mut last = 0;
    for _ in 0..GRACE_STEPS {
        let received = counters.bytes_received.load(Ordering::Relaxed);
        if std::mem::replace(&mut last, received) == received {
            return;
        }
        tokio::time::sleep(GRACE_STEP).await;
    }
}

/// After an error: a run that has brought nothing leaves no trace.
pub async fn leave(context: &Arc<Context>) {
    let has_new = context.counters.files_new.load(Ordering::Relaxed) > 0;
    if has_new || !context.journal.is_blank() {
        return;
    }
    let context = context.clone();
    let _ = tokio::task::spawn_blocking(move || context.folder.leave()).await;
}

/// The last sync, and away with the work folder unless something is half done.
pub async fn close(context: &Arc<Context>) -> Result<()> {
    let context = context.clone();
    let is_new = context.counters.files_new.load(Ordering::Relaxed) > 0;
    let work = move || {
        if is_new {
            context.folder.sync()?;
        }
        if context.journal.is_settled() {
            context.folder.finish();
            Ok(())
        } else {
            context.journal.looked()
        }
    };
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(Error::new("internal", "the last sync broke off")))
}
