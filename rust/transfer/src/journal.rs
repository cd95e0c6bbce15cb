//! What is known of half-done files: an append-only text in the work folder.
//!
//! Ranges are noted as soon as they are written: after a kill the kernel still has them. After a
//! power loss it may not, which the sha256 of the whole file finds out before it gets its name; a
//! part without a known sha256 is then thrown away.
//!
//! A `synced` line follows each sync of the folder, so that final names younger than the last one
//! are looked at again after a power loss. That doubt ends with a run that looks at every file of
//! the selections that were under way: each is noted when it begins. The journal is on the disk
//! itself before any file gets its final name, so it cannot be lost where a file is not.

mod record;

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use self::record::{format, parse, Record, State};
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

/// An open journal.
pub struct Journal {
    path: PathBuf,
    file: Mutex<File>,
    partials: Mutex<HashMap<String, Partial>>,
    /// Whose doubtful files are still to be looked at, this run's left out.
    others: BTreeSet<String>,
    /// Set after a power loss: files changed since then are doubtful.
    pub doubt_since: Option<SystemTime>,
    /// True if no earlier run has left anything.
    is_new: bool,
    /// Set when a doubtful file could neither be cleared nor fetched again.
    is_unsure: AtomicBool,
}

impl Journal {
    /// Reads what an earlier run left in `work`, and goes on from there.
    ///
    /// `selection` stands for the files that this run is about.
    pub fn open(work: &Path, selection: &str) -> Result<Self> {
        let path = work.join("journal");
        let text = match fs::read(&path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(Error::io("read", &path, &error)),
        };
        let is_new = text.is_none();
        let mut state = State::default();
        let lines = text
            .iter()
            .flat_map(|text| text.split(|byte| *byte == b'\n'));
        lines.map_while(parse).for_each(|record| state.add(record));
        let boot = disk::boot_id();
        let doubt_since = match &state.synced {
            Some((old, _)) if boot.as_ref() == Some(old) => None,
            // No such moment: everything is doubtful.
            Some((_, seconds)) => UNIX_EPOCH
                .checked_add(Duration::from_secs(*seconds))
                .or(Some(UNIX_EPOCH)),
            // A journal without its stamp is damaged: nothing younger than the world is sure.
            None => text.map(|_| UNIX_EPOCH),
        };
        // A kill between a rename and its record leaves a part that is none. What was written
        // before a power loss may not be there, and only a sha256 can tell.
        state.partials.retain(|part, partial| {
            let is_sure = doubt_since.is_none() || !partial.sha256.is_empty();
            is_sure && work.join(format!("{part}.part")).exists()
        });
        // A doubt outlives runs that end before they have looked at every file.
        let (since, runs) = match doubt_since {
            Some(since) => (since, std::mem::take(&mut state.runs)),
            None => (SystemTime::now(), BTreeSet::new()),
        };
        let stamp = match &state.synced {
            Some((old, _)) if doubt_since.is_some() => old.clone(),
            None if doubt_since.is_some() => "unknown".to_owned(),
            _ => boot.unwrap_or_default(),
        };
        let mut others = runs;
        others.insert(selection.to_owned());
        let file = record::rewrite(
            work,
            &path,
            &state.partials,
            &others,
            (stamp, seconds(since)),
        )?;
        others.remove(selection);
        Ok(Self {
            path,
            file: Mutex::new(file),
            partials: Mutex::new(state.partials),
            others,
            doubt_since,
            is_new,
            is_unsure: AtomicBool::new(false),
        })
    }

    /// True if the work folder may go: no file is half done, and none is in doubt that this run,
    /// which has seen all of its own, did not look at.
    pub fn is_settled(&self) -> bool {
        self.is_empty() && self.others.is_empty() && !self.is_unsure.load(Ordering::Relaxed)
    }

    /// True if there is nothing in it that a later run would miss: no file was begun.
    pub fn is_blank(&self) -> bool {
        self.is_new && self.is_empty()
    }

    /// A doubtful file could neither be cleared nor fetched again: the next run looks once more.
    pub fn keep_doubt(&self) {
        self.is_unsure.store(true, Ordering::Relaxed);
    }

    /// What is known of a part.
    pub fn partial(&self, part: &str) -> Option<Partial> {
        lock(&self.partials).get(part).cloned()
    }

    /// Notes that this run has looked at all of its files; needed where the journal stays.
    pub fn looked(&self) -> Result<()> {
        if self.is_unsure.load(Ordering::Relaxed) {
            return Ok(());
        }
        let runs = self.others.iter().cloned().collect();
        self.append(&Record::Runs { runs })
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
            boot: disk::boot_id().unwrap_or_default(),
            seconds: seconds(moment),
        })?;
        lock(&self.file)
            .sync_data()
            .map_err(|error| Error::io("sync", &self.path, &error))
    }

    fn append(&self, record: &Record) -> Result<()> {
        let line = format(record);
        // One write of one line: a kill leaves it whole or cut, never mixed with another.
        disk::write_all(&mut lock(&self.file), &line)
            .map_err(|error| Error::io("write", &self.path, &error))
    }
}

fn seconds(moment: SystemTime) -> u64 {
    moment
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
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
        let journal = Journal::open(&work, "all")?;
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
            let journal = Journal::open(&work, "all")?;
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
        Journal::open(&work, "all")?.start("a", 100, Some(&[1; 32]), "\"x\"")?;
        assert!(Journal::open(&work, "all")?.is_empty());
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
        assert_eq!(Journal::open(&work, "all")?.doubt_since, expected);
        // It outlives a run that ends before it has looked at every file.
        Journal::open(&work, "all")?.synced(SystemTime::now())?;
        assert_eq!(Journal::open(&work, "all")?.doubt_since, expected);
        let _ = fs::remove_dir_all(&work);
        Ok(())
    }

    #[test]
    fn a_doubt_ends_with_the_runs_that_it_is_about() -> Result<()> {
        let work = folder("runs");
        let lines = [
            Record::Runs {
                runs: vec!["one".to_owned(), "two".to_owned()],
            },
            Record::Synced {
                boot: "of another start".to_owned(),
                seconds: 1_000,
            },
        ];
        let _ = fs::write(
            work.join("journal"),
            lines.map(|line| format(&line)).concat(),
        );
        let third = Journal::open(&work, "three")?;
        assert!(!third.is_settled());
        third.looked()?;
        let second = Journal::open(&work, "two")?;
        assert!(!second.is_settled());
        second.looked()?;
        assert!(Journal::open(&work, "one")?.is_settled());
        let _ = fs::remove_dir_all(&work);
        Ok(())
    }

    #[test]
    fn a_damaged_journal_casts_doubt_on_everything() -> Result<()> {
        let work = folder("damaged");
        assert_eq!(Journal::open(&work, "all")?.doubt_since, None);
        let _ = fs::write(work.join("journal"), [0; 300]);
        assert_eq!(Journal::open(&work, "all")?.doubt_since, Some(UNIX_EPOCH));
        assert_eq!(Journal::open(&work, "all")?.doubt_since, Some(UNIX_EPOCH));
        let _ = fs::remove_dir_all(&work);
        Ok(())
    }

    #[test]
    fn after_a_power_loss_only_parts_with_a_hash_are_taken_up() -> Result<()> {
        let work = folder("parts");
        let journal = Journal::open(&work, "all")?;
        for part in ["a.part", "b.part"] {
            let _ = fs::write(work.join(part), b"");
        }
        journal.start("a", 100, Some(&[1; 32]), "\"x\"")?;
        journal.start("b", 100, None, "\"y\"")?;
        let again = Journal::open(&work, "all")?;
        assert!(again.partial("a").is_some() && again.partial("b").is_some());
        let other = Record::Synced {
            boot: "of another start".to_owned(),
            seconds: 1_000,
        };
        again.append(&other)?;
        let last = Journal::open(&work, "all")?;
        assert!(last.partial("a").is_some() && last.partial("b").is_none());
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
