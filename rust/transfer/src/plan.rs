//! From the manifest to work: names are checked, what the folder holds is skipped, and the rest
//! goes to the board. One pass, in constant memory.

use async_channel::Sender;

use crate::board::{Board, Unit};
use crate::counters::{add, take};
use crate::disk;
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::fetch::Context;
use crate::folder::{Found, Present};
use crate::ids::Ids;
use crate::manifest::{Head, Line, Manifest};
use crate::names;

/// What is done about files that are there already.
#[derive(Debug, Clone, Copy, Default)]
pub struct Policy {
    /// Look at their hash, and fetch those that differ.
    pub update: bool,
    /// Look at their hash, and report those that differ.
    pub verify: bool,
}

/// In which order files are fetched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// As it goes fastest; near the list's order.
    #[default]
    Manifest,
    /// Render by render: all selected files of one close together in time, job-wide files first.
    Renders,
}

/// What was on disk at the start.
pub struct Scan {
    /// In the output folder.
    pub folder: Present,
    /// Aside, only wanted for what is made from it.
    pub aside: Present,
}

/// What the manifest turned out to hold.
#[derive(Debug, Default)]
pub struct Seen {
    /// Render ids that have files.
    pub ids: Ids,
    /// False while the job still makes files.
    pub complete: bool,
}

/// Reads the manifest to its end.
pub async fn plan(
    context: &Context,
    board: &Board,
    queue: Sender<Unit>,
    mut found: Scan,
    policy: Policy,
    asked: Option<Ids>,
) -> Result<Seen> {
    let mut manifest = Manifest::new(&context.http, &context.gate, &context.source, None);
    let mut seen = Seen {
        complete: true,
        ..Seen::default()
    };
    let mut is_counted = None;
    while let Some(line) = manifest.next().await? {
        let entry = match line {
            Line::Head(head) => {
                context.links.learn(&head, &context.source)?;
                seen.complete = head.complete.unwrap_or(true);
                if is_counted.is_none() {
                    is_counted = Some(head.count.is_some() && head.bytes.is_some());
                    check_room(context, &head, &found)?;
                }
                continue;
            }
            Line::Bad(name, why) => {
                let text = format!("{}: {why}", names::shown(&name));
                context
                    .counters
                    .fail(&name, &Error::new("bad-answer", text));
                continue;
            }
            Line::File(entry) => entry,
        };
        if let Some(id) = entry.render {
            if asked.as_ref().is_some_and(|asked| !asked.contains(id)) {
                // The server was asked for coarser ranges, and has counted these too.
                if is_counted == Some(true) {
                    take(&context.counters.files_total, 1);
                    take(&context.counters.bytes_total, entry.bytes.unwrap_or(0));
                }
                continue;
            }
            seen.ids.insert(id);
        }
        if is_counted != Some(true) {
            add(&context.counters.files_total, 1);
            add(&context.counters.bytes_total, entry.bytes.unwrap_or(0));
        }
        match judge(context, &mut found, &entry, policy) {
            Ok(Verdict::There) => {}
            Ok(Verdict::Fetch {
                check,
                replace,
                doubtful,
            }) if board.reserve(&entry.name) => {
                let unit = Unit {
                    entry,
                    check,
                    replace,
                    doubtful,
                };
                if queue.send(unit).await.is_err() {
                    return Ok(seen);
                }
            }
            Ok(Verdict::Fetch { .. }) => {
                let text = format!("{}: the manifest lists it twice", entry.name);
                context
                    .counters
                    .fail(&entry.name, &Error::new("bad-answer", text));
            }
            Err(error) => context.counters.fail(&entry.name, &error),
        }
    }
    Ok(seen)
}

/// What is to be done about a file.
enum Verdict {
    /// Nothing: it is there.
    There,
    /// Fetch it; perhaps only if its hash is wrong, perhaps in place of another.
    Fetch {
        check: bool,
        replace: bool,
        doubtful: bool,
    },
}

fn judge(context: &Context, found: &mut Scan, entry: &Entry, policy: Policy) -> Result<Verdict> {
    let Entry {
        name,
        bytes,
        sha256,
        ..
    } = entry;
    if let Some(why) = names::fault(name) {
        let text = format!("{}: refused as a file name: {why}", names::shown(name));
        return Err(Error::new("invalid-name", text).hint("ask the owner of the job to rename it"));
    }
    let stem = context.folder.stem_aside(name);
    // What is made from a file does not tell whether the file has changed since.
    if stem.is_some_and(|stem| !policy.update && context.folder.is_made(stem, &found.folder)) {
        return Ok(there(context, entry, bytes.unwrap_or(0)));
    }
    let present = if stem.is_some() {
        &mut found.aside
    } else {
        &mut found.folder
    };
    let Some(Found {
        bytes: held,
        is_doubtful,
    }) = present.take(name)
    else {
        return Ok(Verdict::Fetch {
            check: false,
            replace: false,
            doubtful: false,
        });
    };
    if held == u64::MAX {
        let text = format!("{name}: something that is no file has its name in the folder");
        return Err(Error::new("differs", text).hint("move it away and run the same command again"));
    }
    // Nobody but us puts files aside, so there none is worth keeping against the server's.
    let replace = policy.update || is_doubtful || stem.is_some();
    let fits = bytes.is_none_or(|bytes| bytes == held);
    // Without a sha256 only another size shows that a file differs.
    let cannot_tell = sha256.is_none() && (is_doubtful || bytes.is_none() && policy.update);
    if fits && !cannot_tell {
        let check = sha256.is_some() && (policy.update || policy.verify || is_doubtful);
        return Ok(if check {
            Verdict::Fetch {
                check,
                replace,
                doubtful: is_doubtful,
            }
        } else {
            there(context, entry, held)
        });
    }
    if replace {
        return Ok(Verdict::Fetch {
            check: false,
            replace,
            doubtful: is_doubtful,
        });
    }
    let kind = if policy.verify { "mismatch" } else { "differs" };
    let theirs = bytes.unwrap_or(0);
    let text = format!("{name}: {held} bytes here, {theirs} on the server");
    Err(Error::new(kind, text).hint("--update fetches it again"))
}

fn there(context: &Context, entry: &Entry, bytes: u64) -> Verdict {
    if entry.bytes.is_none() {
        add(&context.counters.bytes_total, bytes);
    }
    add(&context.counters.files_present, 1);
    add(&context.counters.bytes_present, bytes);
    Verdict::There
}

/// Refuses to begin what cannot fit, and sets the totals.
fn check_room(context: &Context, head: &Head, found: &Scan) -> Result<()> {
    add(
        &context.counters.files_total,
        head.count.filter(|_| head.bytes.is_some()).unwrap_or(0),
    );
    let total = head.bytes.filter(|_| head.count.is_some()).unwrap_or(0);
    add(&context.counters.bytes_total, total);
    let needed = total
        .saturating_sub(found.folder.bytes + found.aside.bytes)
        .saturating_sub(context.journal.bytes());
    match disk::free_space(context.folder.path()) {
        Some(free) if free < needed => {
            let folder = context.folder.path().display();
            let text = format!(
                "{folder} needs {needed} bytes and has {free}: {} bytes are missing",
                needed - free
            );
            Err(Error::new("disk-full", text)
                .hint("free some space, ask for fewer assets, or choose another disk"))
        }
        _ => Ok(()),
    }
}
