//! What is to be done about a file: it is there, it differs, or it is to be fetched.

use crate::counters::add;
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::fetch::Context;
use crate::folder::{Found, Present};
use crate::names;
use crate::tar;

/// What is done about files that are there already.
#[derive(Debug, Clone, Copy, Default)]
pub struct Policy {
    /// Look at their hash, and fetch those that differ.
    pub update: bool,
    /// Look at their hash, and report those that differ or are missing: nothing is fetched.
    pub verify: bool,
}

/// What was on disk at the start.
pub struct Scan {
    /// In the output folder.
    pub folder: Present,
    /// Aside, only wanted for what is made from it.
    pub aside: Present,
    /// In shards and beside them, when files go to shards.
    pub shards: Option<Shards>,
}

/// What was in shards at the start.
pub struct Shards {
    /// By the names of members.
    pub packed: Present,
    /// Job-wide files.
    pub beside: Present,
}

impl Shards {
    /// What there is of a file; asked once for each.
    pub fn take(&mut self, entry: &Entry) -> Option<Found> {
        match tar::is_job_wide(entry) {
            true => self.beside.take(&entry.name),
            false => self.packed.take(&tar::member(&entry.name)),
        }
    }
}

/// What is to be done about a file.
pub enum Verdict {
    /// Nothing: it is there.
    There,
    /// Fetch it; perhaps only if its hash is wrong, perhaps in place of another.
    Fetch {
        check: bool,
        replace: bool,
        doubtful: bool,
    },
}

/// Compares a line with what the folder held at the start.
pub fn judge(
    context: &Context,
    found: &mut Scan,
    entry: &Entry,
    policy: Policy,
) -> Result<Verdict> {
    let Entry {
        name,
        bytes,
        sha256,
        ..
    } = entry;
    // Names of lists may be paths; they were looked at when they were read.
    if let Some(why) = names::fault(name).filter(|_| entry.line == 0) {
        let text = format!("{}: refused as a file name: {why}", names::shown(name));
        return Err(Error::new("invalid-name", text).hint("ask the owner of the job to rename it"));
    }
    if let Some(held) = found.shards.as_mut().and_then(|shards| shards.take(entry)) {
        if entry.bytes.is_none_or(|bytes| bytes == held.bytes) {
            return Ok(there(context, entry, held.bytes));
        }
        let text = format!("{name}: a shard holds {} bytes of it", held.bytes);
        return Err(Error::new("differs", text).hint("move that shard away to have it made anew"));
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
    if let Some(link) = present.link_before(name) {
        let text = format!("{name}: {link} is a link, which may lead out of the folder");
        return Err(Error::new("differs", text).hint("put a folder in its place"));
    }
    let Some(there_is) = present.take(name) else {
        if policy.verify {
            return Err(Error::new("missing", format!("{name}: it is not there")));
        }
        return Ok(Verdict::Fetch {
            check: false,
            replace: false,
            doubtful: false,
        });
    };
    if there_is.is_no_file() {
        let text = format!("{name}: something that is no file has its name in the folder");
        return Err(Error::new("differs", text).hint("move it away and run the same command again"));
    }
    let Found {
        bytes: held,
        is_doubtful,
    } = there_is;
    // Nobody but us puts files aside, so there none is worth keeping against the server's.
    let replace = !policy.verify && (policy.update || is_doubtful || stem.is_some());
    let fits = bytes.is_none_or(|bytes| bytes == held);
    // Without a sha256 only another size shows that a file differs.
    let cannot_tell =
        sha256.is_none() && !policy.verify && (is_doubtful || bytes.is_none() && policy.update);
    if fits && !cannot_tell {
        let check = sha256.is_some() && (policy.update || policy.verify || is_doubtful);
        return Ok(if check {
            Verdict::Fetch {
                check,
                replace,
                doubtful: is_doubtful,
            }
        } else {
            let is_unread = policy.verify && sha256.is_none();
            add(&context.counters.unread, u64::from(is_unread));
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
    let text = format!("{name}: {held} bytes here, {theirs} in the list");
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
