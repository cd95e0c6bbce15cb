//! What is known of half-done files: an append-only text in the work folder.
//!
//! Each line is `CHECK JSON`, where CHECK is the first 8 hexadecimal digits of the JSON's sha256;
//! reading stops at the first line that does not fit, which is where a kill or a crash cut it.
//! Ranges are noted as soon as they are written: after a kill the kernel still has them. After a
//! power loss it may not, which the sha256 of the whole file finds out before it gets its name.
//! A `synced` line follows each sync of the folder, so that final names younger than the last one
//! are looked at again after a power loss.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::backoff::lock;
use crate::disk;
use crate::error::{Error, Result};
use crate::manifest::hex;
use crate::ranges::Ranges;

/// What is on disk of a half-done file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partial {
    /// Size of the whole.
    pub bytes: u64,
    /// SHA-256 of the whole, as hexadecimal digits; empty if it is not known.
    pub sha256: String,
    /// The strong ETag under which the ranges were fetched.
    pub etag: String,
    /// The ranges.
    pub done: Ranges,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Record {
    Start {
        part: String,
        bytes: u64,
        sha256: String,
        etag: String,
    },
    Done {
        part: String,
        from: u64,
        to: u64,
    },
    Gone {
        part: String,
    },
    Synced {
        boot: String,
        seconds: u64,
    },
}

/// An open journal.
pub struct Journal {
    path: PathBuf,
    file: Mutex<File>,
    partials: Mutex<HashMap<String, Partial>>,
    /// Set after a power loss: files changed since then are doubtful.
    pub doubt_since: Option<SystemTime>,
}

impl Journal {
    /// Reads what an earlier run left in `work`, and goes on from there.
    pub fn open(work: &Path) -> Result<Self> {
        let path = work.join("journal");
        let text = fs::read(&path).unwrap_or_default();
        let mut partials = HashMap::new();
        let mut synced = None;
        for record in text.split(|byte| *byte == b'\n').map_while(parse) {
            match record {
                Record::Start {
                    part,
                    bytes,
                    sha256,
                    etag,
                } => {
                    partials.insert(
                        part,
                        Partial {
                            bytes,
                            sha256,
                            etag,
                            done: Ranges::default(),
                        },
                    );
                }
                Record::Done { part, from, to } => {
                    if let Some(partial) = partials
                        .get_mut(&part)
                        .filter(|partial| from < to && to <= partial.bytes)
                    {
                        partial.done.add(from..to);
                    }
                }
                Record::Gone { part } => {
                    partials.remove(&part);
                }
                Record::Synced { boot, seconds } => synced = Some((boot, seconds)),
            }
        }
        // A kill between a rename and its record leaves a part that is none.
        partials.retain(|part, _| work.join(format!("{part}.part")).exists());
        let boot = disk::boot_id();
        let doubt_since = synced
            .as_ref()
            .filter(|(old, _)| *old != boot)
            .map(|(_, seconds)| UNIX_EPOCH.checked_add(Duration::from_secs(*seconds)))
            // No such moment: everything is doubtful.
            .map(|moment| moment.unwrap_or(UNIX_EPOCH));
        // A doubt outlives a run that was killed before it had looked at every file.
        let stamp = synced
            .filter(|_| doubt_since.is_some())
            .unwrap_or_else(|| (boot, seconds(SystemTime::now())));
        let file = rewrite(work, &path, &partials, stamp)?;
        Ok(Self {
            path,
            file: Mutex::new(file),
            partials: Mutex::new(partials),
            doubt_since,
        })
    }

    /// What is known of a part.
    pub fn partial(&self, part: &str) -> Option<Partial> {
        lock(&self.partials).get(part).cloned()
    }

    /// True if no file is half done.
    pub fn is_empty(&self) -> bool {
        lock(&self.partials).is_empty()
    }

    /// Bytes on disk of half-done files.
    pub fn bytes(&self) -> u64 {
        lock(&self.partials)
            .values()
            .map(|partial| partial.done.len())
            .sum()
    }

    /// A part begins, with nothing done.
    pub fn start(
        &self,
        part: &str,
        bytes: u64,
        sha256: Option<&[u8; 32]>,
        etag: &str,
    ) -> Result<()> {
        let sha256 = sha256.map(|known| hex(known)).unwrap_or_default();
        let (etag, part) = (etag.to_owned(), part.to_owned());
        let partial = Partial {
            bytes,
            sha256: sha256.clone(),
            etag: etag.clone(),
            done: Ranges::default(),
        };
        lock(&self.partials).insert(part.clone(), partial);
        self.append(&Record::Start {
            part,
            bytes,
            sha256,
            etag,
        })
    }

    /// A range of a part is on disk.
    pub fn done(&self, part: &str, range: Range<u64>) -> Result<()> {
        if let Some(partial) = lock(&self.partials).get_mut(part) {
            partial.done.add(range.clone());
        }
        self.append(&Record::Done {
            part: part.to_owned(),
            from: range.start,
            to: range.end,
        })
    }

    /// A part was finished or given up.
    pub fn gone(&self, part: &str) -> Result<()> {
        if lock(&self.partials).remove(part).is_none() {
            return Ok(());
        }
        self.append(&Record::Gone {
            part: part.to_owned(),
        })
    }

    /// Everything written before `moment` is on the disk itself.
    pub fn synced(&self, moment: SystemTime) -> Result<()> {
        if self.doubt_since.is_some() {
            return Ok(());
        }
        self.append(&Record::Synced {
            boot: disk::boot_id(),
            seconds: seconds(moment),
        })?;
        lock(&self.file)
            .sync_data()
            .map_err(|error| Error::io("sync", &self.path, &error))
    }

    fn append(&self, record: &Record) -> Result<()> {
        let line = format(record);
        // One write of one line: a kill leaves it whole or cut, never mixed with another.
        lock(&self.file)
            .write_all(&line)
            .map_err(|error| Error::io("write", &self.path, &error))
    }
}

/// Writes the state anew, so that a journal does not grow from run to run.
fn rewrite(
    work: &Path,
    path: &Path,
    partials: &HashMap<String, Partial>,
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
    text.extend(format(&Record::Synced { boot, seconds }));
    let mut file = File::create(&fresh).map_err(fail)?;
    file.write_all(&text).map_err(fail)?;
    drop(file);
    disk::rename(&fresh, path).map_err(fail)?;
    File::options()
        .append(true)
        .open(path)
        .map_err(|error| Error::io("open", path, &error))
}

fn seconds(moment: SystemTime) -> u64 {
    moment
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

fn format(record: &Record) -> Vec<u8> {
    let json = serde_json::to_string(record).unwrap_or_default();
    format!("{} {json}\n", check(json.as_bytes())).into_bytes()
}

fn parse(line: &[u8]) -> Option<Record> {
    let (head, rest) = line.split_at_checked(9)?;
    (head == format!("{} ", check(rest)).as_bytes()).then(|| serde_json::from_slice(rest).ok())?
}

fn check(json: &[u8]) -> String {
    hex(&Sha256::digest(json)[..4])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let path =
            std::env::temp_dir().join(format!("synthesis-journal-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        let _ = fs::create_dir_all(&path);
        path
    }

    #[test]
    fn a_journal_cut_anywhere_gives_a_past_state() -> Result<()> {
        let work = folder("cut");
        let journal = Journal::open(&work)?;
        for part in ["a.part", "b.part"] {
            let _ = fs::write(work.join(part), b"");
        }
        journal.start("a", 100, Some(&[1; 32]), "\"x\"")?;
        journal.done("a", 0..40)?;
        journal.start("b", 50, Some(&[2; 32]), "\"y\"")?;
        journal.done("a", 60..100)?;
        journal.gone("b")?;
        let whole = fs::read(work.join("journal")).unwrap_or_default();
        let mut states = Vec::new();
        for cut in 0..=whole.len() {
            let _ = fs::write(work.join("journal"), &whole[..cut]);
            let journal = Journal::open(&work)?;
            states.push(journal.partial("a").map(|partial| partial.done.len()));
        }
        states.dedup();
        assert_eq!(states, [None, Some(0), Some(40), Some(80)]);
        let _ = fs::remove_dir_all(&work);
        Ok(())
    }

    #[test]
    fn a_part_that_is_gone_is_forgotten() -> Result<()> {
        let work = folder("gone");
        Journal::open(&work)?.start("a", 100, Some(&[1; 32]), "\"x\"")?;
        assert!(Journal::open(&work)?.is_empty());
        let _ = fs::remove_dir_all(&work);
        Ok(())
    }

    #[test]
    fn a_restart_of_the_machine_casts_doubt() -> Result<()> {
        let work = folder("doubt");
        let boot = "of another start".to_owned();
        let line = format(&Record::Synced {
            boot,
            seconds: 1_000,
        });
        let _ = fs::write(work.join("journal"), line);
        let expected = Some(UNIX_EPOCH + Duration::from_secs(1_000));
        assert_eq!(Journal::open(&work)?.doubt_since, expected);
        // It outlives a run that ends before it has looked at every file.
        Journal::open(&work)?.synced(SystemTime::now())?;
        assert_eq!(Journal::open(&work)?.doubt_since, expected);
        let _ = fs::remove_dir_all(&work);
        Ok(())
    }

    #[test]
    fn garbage_is_no_record() {
        for line in [
            &b""[..],
            b"x",
            b"00000000 {}",
            b"zzzzzzzz {\"gone\":{\"part\":\"a\"}}",
            &[0xff; 40],
        ] {
            assert!(parse(line).is_none());
        }
    }
}
