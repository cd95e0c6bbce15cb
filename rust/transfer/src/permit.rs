//! One permit: one request under way at a time, until there is no more work.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use crate::board::{Board, Unit, Work};
use crate::counters::{add, take};
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::fates::Fate;
use crate::fetch::Context;
use crate::folder::{digest, part_id};
use crate::large;
use crate::small;
use crate::untold;

/// Takes work until there is none.
pub async fn permit(
    context: Arc<Context>,
    board: Arc<Board>,
    outages: Arc<AtomicUsize>,
    most_outages: usize,
) -> Result<()> {
    while let Some(work) = board.next().await {
        add(&context.counters.in_flight, 1);
        match work {
            Work::Help(large, range) => large::help(&context, &board, &large, range).await,
            Work::File(unit) => {
                let (entry, doubtful) = (unit.entry.clone(), unit.doubtful);
                let outcome = see_to(&context, &board, unit).await;
                board.done(&entry.name);
                if doubtful && outcome.is_err() {
                    context.journal.keep_doubt();
                }
                match outcome {
                    Ok(fate) => {
                        outages.store(0, Ordering::Relaxed);
                        context.fates.tell(&context, &entry, fate).await;
                    }
                    Err(error) if error.is_fatal() => return Err(error),
                    Err(error) => {
                        let fate = Fate::Failed(&error);
                        context.fates.tell(&context, &entry, fate).await;
                        // Every permit in vain, twice over, and nothing else: nobody is there.
                        if error.is_outage()
                            && outages.fetch_add(1, Ordering::Relaxed) + 1 >= most_outages
                        {
                            return Err(error);
                        }
                    }
                }
            }
        }
        take(&context.counters.in_flight, 1);
    }
    Ok(())
}

async fn see_to(context: &Arc<Context>, board: &Board, unit: Unit) -> Result<Fate<'static>> {
    let Unit {
        entry,
        check,
        replace,
        doubtful,
    } = unit;
    if check && is_right(context, &entry, doubtful).await? {
        add(&context.counters.files_present, 1);
        add(&context.counters.bytes_present, entry.bytes.unwrap_or(0));
        return Ok(Fate::Present);
    }
    if check && !replace {
        let text = format!("{}: its bytes are not those of the manifest", entry.name);
        return Err(Error::new("mismatch", text).hint("--update fetches it again"));
    }
    if check && doubtful {
        // Known to be wrong, and by our own doing: it may not keep its name while we fetch it.
        let path = context.folder.target(&entry.name);
        std::fs::remove_file(&path).map_err(|error| Error::io("remove", &path, &error))?;
    }
    match entry.bytes {
        Some(bytes) if bytes <= small::LARGEST => {
            // Its former, larger self may be half done.
            if !context.journal.is_empty() {
                context.journal.gone(&part_id(&entry.name))?;
            }
            small::fetch(context, entry, replace).await?;
        }
        Some(_) => large::fetch(context, board, entry, replace).await?,
        None => untold::fetch(context, board, entry, replace).await?,
    }
    Ok(Fate::New)
}

/// Hashes a file that is there, off the permits' threads. A power loss may leave unreadable ones.
async fn is_right(context: &Arc<Context>, entry: &Entry, doubtful: bool) -> Result<bool> {
    let path = context.folder.target(&entry.name);
    match tokio::task::spawn_blocking(move || digest(&path)).await {
        Ok(Ok(found)) => Ok(entry.sha256.is_none_or(|known| found == known)),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Ok(Err(_)) if doubtful => Ok(false),
        Ok(Err(error)) => {
            let text = format!("{}: it cannot be read: {error}", entry.name);
            Err(Error::new("mismatch", text))
        }
        Err(_) => Err(Error::new("internal", "hashing broke off")),
    }
}
