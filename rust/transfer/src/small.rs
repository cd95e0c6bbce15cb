//! A file of up to 1 MiB: one request, one buffer, one write, one rename.
//!
//! About eight system calls a file, so no thread hop, no stat and no fsync: `Folder::sync` covers
//! many files at once.

use std::fs::File;
use std::io::Write;

use sha2::{Digest, Sha256};

use crate::counters::add;
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::fetch::{get, is_other_version, mismatch, strong_etag, Ask, Context, Fault, Patience};
use crate::http::{length, Piece, Response};

/// Files up to this size are held in memory whole.
pub const LARGEST: u64 = 1 << 20;

/// Fetches a small file of known size to its final name, however many tries it takes.
pub async fn fetch(context: &Context, mut entry: Entry, replace: bool) -> Result<()> {
    let mut patience = Patience::new(context.http.limits().attempts);
    while let Err(fault) = attempt(context, &entry, replace).await {
        patience.after(context, &mut entry, fault).await?;
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
) -> std::result::Result<(), Fault> {
    let ask = Ask {
        range: None,
        validator: None,
    };
    let mut response = get(context, entry, &ask).await?;
    take(context, entry, &mut response, replace).await
}

/// From the answer's body to the final name.
pub async fn take(
    context: &Context,
    entry: &Entry,
    response: &mut Response,
    replace: bool,
) -> std::result::Result<(), Fault> {
    let body = body(context, entry, response).await?;
    if entry
        .sha256
        .is_some_and(|known| Sha256::digest(&body)[..] != known)
    {
        return Err(mismatch(
            entry,
            "the sha256 of what arrived is not that of the manifest",
        ));
    }
    let part = context.folder.part(&entry.name);
    let written = File::create(&part).and_then(|mut file| file.write_all(&body));
    written.map_err(|error| Fault::Final(Error::io("write", &part, &error)))?;
    context
        .folder
        .publish(&part, &entry.name, replace)
        .map_err(Fault::Final)?;
    add(&context.counters.files_new, 1);
    add(&context.counters.bytes_new, body.len() as u64);
    Ok(())
}

async fn body(
    context: &Context,
    entry: &Entry,
    response: &mut Response,
) -> std::result::Result<Piece, Fault> {
    if strong_etag(response).is_some_and(|tag| is_other_version(tag, entry)) {
        return Err(mismatch(entry, "it changed on the server"));
    }
    if response.status().as_u16() != 200 {
        return Err(mismatch(
            entry,
            "the server sent a part when asked for the whole",
        ));
    }
    let size = entry.bytes.unwrap_or(LARGEST);
    if let Some(promised) = length(response).filter(|length| *length != size) {
        let why = format!("the server promises {promised} bytes, the manifest {size}");
        return Err(mismatch(entry, &why));
    }
    let mut whole: Option<Vec<u8>> = None;
    let mut first: Option<Piece> = None;
    let mut arrived = 0_u64;
    while let Some(piece) = context.http.chunk(response).await? {
        add(&context.counters.bytes_received, piece.len() as u64);
        context.throttle.take(piece.len()).await;
        arrived += piece.len() as u64;
        if arrived > size {
            return Err(mismatch(
                entry,
                "the server sent more bytes than the manifest says",
            ));
        }
        // Most bodies come in one piece: no copy then.
        match (&mut whole, first.take()) {
            (Some(buffer), _) => buffer.extend_from_slice(&piece),
            (None, None) => first = Some(piece),
            (None, Some(head)) => {
                let mut buffer = Vec::with_capacity(size as usize);
                buffer.extend_from_slice(&head);
                buffer.extend_from_slice(&piece);
                whole = Some(buffer);
            }
        }
    }
    if arrived < size {
        let text = format!(
            "{}: the body ended after {arrived} of {size} bytes",
            entry.name
        );
        return Err(Fault::Again(Error::new("network", text)));
    }
    Ok(whole.map(Piece::from).or(first).unwrap_or_default())
}
