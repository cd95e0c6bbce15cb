//! The lines of a journal: `CHECK JSON`, where CHECK is the first 8 hexadecimal digits of the JSON's
//! sha256. Reading stops at the first line that does not fit, which is where a kill or a crash cut it.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Partial;
use crate::disk;
use crate::error::{Error, Result};
use crate::manifest::hex;
use crate::ranges::Ranges;

/// A line of the journal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Record {
    /// A part begins.
    Start {
        part: String,
        bytes: u64,
        sha256: String,
        etag: String,
    },
    /// A range of it is written.
    Done { part: String, from: u64, to: u64 },
    /// It was finished or given up.
    Gone { part: String },
    /// The selections whose files are not all looked at: a power loss casts doubt on them.
    Runs { runs: Vec<String> },
    /// What was written before the moment `seconds` is on the disk itself.
    Synced { boot: String, seconds: u64 },
}

/// What the lines of a journal come to.
#[derive(Default)]
pub struct State {
    /// Half-done files by part.
    pub partials: HashMap<String, Partial>,
    /// Selections whose files are not all looked at.
    pub runs: BTreeSet<String>,
    /// The last sync: the start of the machine and the second.
    pub synced: Option<(String, u64)>,
}

impl State {
    /// Takes the next record in.
    pub fn add(&mut self, record: Record) {
        match record {
            Record::Start {
                part,
                bytes,
                sha256,
                etag,
            } => {
                let done = Ranges::default();
                let partial = Partial {
                    bytes,
                    sha256,
                    etag,
                    done,
                };
                self.partials.insert(part, partial);
            }
            Record::Done { part, from, to } => {
                let partial = self.partials.get_mut(&part);
                if let Some(partial) = partial.filter(|partial| from < to && to <= partial.bytes) {
                    partial.done.add(from..to);
                }
            }
            Record::Gone { part } => {
                self.partials.remove(&part);
            }
            Record::Runs { runs } => self.runs = runs.into_iter().collect(),
            Record::Synced { boot, seconds } => self.synced = Some((boot, seconds)),
        }
    }
}

/// Writes the state anew, so that a journal does not grow from run to run.
///
/// All of it is on the disk itself when this returns: no file may get its final name before.
pub fn rewrite(
    work: &Path,
    path: &Path,
    partials: &HashMap<String, Partial>,
    runs: &BTreeSet<String>,
    (boot, seconds): (String, u64),
) -> Result<File> {
    let fresh = work.join("journal.new");
    let fail = |error: std::io::Error| Error::io("write", &fresh, &error);
    let mut text = Vec::new();
    let mut parts: Vec<_> = partials.iter().collect();
    parts.sort_by_key(|(part, _)| part.as_str());
    for (part, partial) in parts {
        let Partial {
            bytes,
            sha256,
            etag,
            done,
        } = partial.clone();
        text.extend(format(&Record::Start {
            part: part.clone(),
            bytes,
            sha256,
            etag,
        }));
        for range in done.iter() {
            text.extend(format(&Record::Done {
                part: part.clone(),
                from: range.start,
                to: range.end,
            }));
        }
    }
    let runs = runs.iter().cloned().collect();
    text.extend(format(&Record::Runs { runs }));
    text.extend(format(&Record::Synced { boot, seconds }));
    let mut file = File::create(&fresh).map_err(fail)?;
    disk::write_all(&mut file, &text).map_err(fail)?;
    // What a failed sync has dropped, a second one would not miss: it is never tried again.
    file.sync_data().map_err(fail)?;
    drop(file);
    disk::rename(&fresh, path).map_err(fail)?;
    for folder in [Some(work), work.parent()].into_iter().flatten() {
        disk::sync_names(folder).map_err(|error| Error::io("sync", folder, &error))?;
    }
    File::options()
        .append(true)
        .open(path)
        .map_err(|error| Error::io("open", path, &error))
}

/// A record as a line.
pub fn format(record: &Record) -> Vec<u8> {
    let json = serde_json::to_string(record).unwrap_or_default();
    format!("{} {json}\n", check(json.as_bytes())).into_bytes()
}

/// The record of a line; `None` if the line is damaged.
pub fn parse(line: &[u8]) -> Option<Record> {
    let (head, rest) = line.split_at_checked(9)?;
    (head == format!("{} ", check(rest)).as_bytes()).then(|| serde_json::from_slice(rest).ok())?
}

fn check(json: &[u8]) -> String {
    hex(&Sha256::digest(json)[..4])
}
