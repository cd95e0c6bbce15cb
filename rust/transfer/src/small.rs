//! A file of up to 1 MiB: one request, written and hashed from the buffer it arrives in, one name.
//!
//! Six system calls for 20 KB (send, receive, open, write, link, close), so no thread hop, no stat
//! and no fsync: `Folder::sync` covers many files at once.

use std::sync::Arc;
use std::time::Instant;

use crate::board::Board;
use crate::counters::add;
use crate::draft::Draft;
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::fetch::{
    check_beginning, get, is_other_version, may_be_refusal, mismatch, piece, strong_etag, Ask,
    Context, Fault,
};
use crate::hash::Hash;
use crate::http::Response;
use crate::large;
use crate::patience::Patience;

/// Files up to this size are never split, and resumed only where they were cut before.
pub const LARGEST: u64 = 1 << 20;

/// Fetches a small file of known size to its final name, however many tries it takes. Where a body was
/// cut, connections may live too short for it: from then on it is fetched as large ones are, resumed.
pub async fn fetch(
    context: &Arc<Context>,
    board: &Board,
    mut entry: Entry,
    replace: bool,
) -> Result<()> {
    let mut patience = Patience::new(context.http.limits().attempts);
    let mut arrived = 0;
    while let Err(fault) = attempt(context, &entry, replace, &mut arrived).await {
        let is_cut = arrived > 0 && matches!(fault, Fault::Again(_));
        patience.after(context, &mut entry, fault).await?;
        if is_cut {
            return large::fetch(context, board, entry, replace).await;
        }
        if entry.bytes.is_none_or(|bytes| bytes > LARGEST) {
            let text = format!("{}: it grew on the server during the download", entry.name);
            return Err(Error::new("mismatch", text).hint("run the same command again"));
        }
    }
    Ok(())
}

async fn attempt(
    context: &Context,
    entry: &Entry,
    replace: bool,
    arrived: &mut u64,
) -> std::result::Result<(), Fault> {
    *arrived = 0;
    let ask = Ask {
        range: None,
        validator: None,
    };
    let mut response = get(context, entry, &ask).await?;
    take(context, entry, &mut response, replace, arrived).await
}

/// From the answer's body to the final name; `arrived` counts its bytes, from 0.
pub async fn take(
    context: &Context,
    entry: &Entry,
    response: &mut Response,
    replace: bool,
    arrived: &mut u64,
) -> std::result::Result<(), Fault> {
    let size = entry.bytes.unwrap_or(LARGEST);
    check_head(entry, response, size)?;
    let mut draft = Draft::new(&context.folder, &entry.name).map_err(Fault::Final)?;
    let mut hash = Hash::new();
    let is_doubted = may_be_refusal(response, entry);
    while let Some(piece) = piece(context, entry, response).await? {
        if is_doubted && *arrived == 0 {
            check_beginning(entry, &piece)?;
        }
        add(&context.counters.bytes_received, piece.len() as u64);
        context.throttle.take(piece.len()).await;
        *arrived += piece.len() as u64;
        if *arrived > size {
            return Err(mismatch(
                entry,
                "the server sent more bytes than the list says",
            ));
        }
        let begun = Instant::now();
        draft.write(&entry.name, &piece).map_err(Fault::Final)?;
        context.control.pulse.wrote(begun.elapsed());
        if entry.sha256.is_some() {
            hash.take(piece).await;
        }
    }
    if *arrived < size {
        let text = format!(
            "{}: the body ended after {arrived} of {size} bytes",
            entry.name
        );
        return Err(Fault::Again(Error::new("network", text)));
    }
    if entry.sha256.is_some_and(|known| hash.finish() != known) {
        return Err(mismatch(
            entry,
            "the sha256 of what arrived is not that of the list",
        ));
    }
    let begun = Instant::now();
    draft.publish(&entry.name, replace).map_err(Fault::Final)?;
    context.control.pulse.wrote(begun.elapsed());
    context.control.pulse.file(response.asked().elapsed());
    add(&context.counters.files_new, 1);
    add(&context.counters.bytes_new, *arrived);
    Ok(())
}

fn check_head(entry: &Entry, response: &Response, size: u64) -> std::result::Result<(), Fault> {
    if strong_etag(response).is_some_and(|tag| is_other_version(tag, entry)) {
        return Err(mismatch(entry, "it changed on the server"));
    }
    if response.status() != 200 {
        return Err(mismatch(
            entry,
            "the server sent a part when asked for the whole",
        ));
    }
    if let Some(promised) = response.length().filter(|length| *length != size) {
        let why = format!("the server promises {promised} bytes, the list {size}");
        return Err(mismatch(entry, &why));
    }
    Ok(())
}
