//! A file whose size the list does not tell: the server's answer does, or the end of its body.

use std::fs::File;
use std::sync::Arc;

use crate::board::Board;
use crate::counters::{add, take};
use crate::disk;
use crate::entry::Entry;
use crate::error::Error;
use crate::fetch::{check_beginning, get, may_be_refusal, mismatch, Ask, Context, Fault};
use crate::folder::part_id;
use crate::hash::Hash;
use crate::http::Response;
use crate::{large, small};

/// One attempt; `told` is the size that the totals have for this file.
pub async fn attempt(
    context: &Arc<Context>,
    board: &Board,
    entry: &Entry,
    replace: bool,
    split: bool,
    told: &mut u64,
) -> std::result::Result<(), Fault> {
    let was_told = *told > 0;
    let mut sized = |bytes: u64| {
        take(&context.counters.bytes_total, *told);
        add(&context.counters.bytes_total, bytes);
        *told = bytes;
        Entry {
            bytes: Some(bytes),
            ..entry.clone()
        }
    };
    // What an earlier run has of it was under a strong ETag: if that changed, the server says so.
    if let Some(partial) = context.journal.partial(&part_id(&entry.name)) {
        let entry = sized(partial.bytes);
        return large::attempt(context, board, &entry, replace, split, None).await;
    }
    let ask = Ask {
        range: None,
        validator: None,
    };
    let mut response = get(context, entry, &ask).await?;
    if response.status() != 200 {
        let why = "the server sent a part when asked for the whole";
        return Err(mismatch(entry, why));
    }
    match response.length() {
        // One that was cut is resumed, however small it is.
        Some(bytes) if bytes <= small::LARGEST && !was_told => {
            let entry = sized(bytes);
            small::take(context, &entry, &mut response, replace, &mut 0).await
        }
        Some(bytes) => {
            let entry = sized(bytes);
            large::attempt(context, board, &entry, replace, split, Some(response)).await
        }
        None if !response.is_chunked() && entry.sha256.is_none() => {
            let text = format!("{}: the server tells no length", entry.name);
            let error = Error::new("bad-answer", format!("{text}, so a cut would go unseen"));
            Err(Fault::Final(
                error.hint("give its size or its sha256 in the list"),
            ))
        }
        None => {
            let part = context.folder.part(&entry.name);
            let received = receive(context, entry, &mut response).await;
            if received.is_err() {
                let _ = std::fs::remove_file(&part);
            }
            let bytes = received?;
            context
                .folder
                .publish(&part, &entry.name, replace)
                .map_err(Fault::Final)?;
            sized(bytes);
            add(&context.counters.bytes_new, bytes);
            add(&context.counters.files_new, 1);
            Ok(())
        }
    }
}

/// A body without a length, to its part: how long it was.
async fn receive(
    context: &Context,
    entry: &Entry,
    response: &mut Response,
) -> std::result::Result<u64, Fault> {
    let part = context.folder.part(&entry.name);
    let fail = |error: std::io::Error| Fault::Final(Error::io("write", &part, &error));
    let file = File::create(&part).map_err(fail)?;
    let (mut hash, mut at) = (Hash::new(), 0);
    let is_doubted = may_be_refusal(response, entry);
    while let Some(piece) = response.piece().await? {
        if is_doubted && at == 0 {
            check_beginning(entry, &piece)?;
        }
        disk::write_at(&file, &piece, at).map_err(fail)?;
        at += piece.len() as u64;
        add(&context.counters.bytes_received, piece.len() as u64);
        context.throttle.take(piece.len()).await;
        if entry.sha256.is_some() {
            hash.take(piece).await;
        }
    }
    match entry.sha256 {
        Some(known) if hash.finish() != known => Err(mismatch(
            entry,
            "the sha256 of what arrived is not that of the list",
        )),
        _ => Ok(at),
    }
}
