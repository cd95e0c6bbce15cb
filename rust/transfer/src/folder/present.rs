//! What one scan of a folder has found.

use std::collections::hash_map::RandomState;
use std::collections::HashMap;
use std::fs;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::error::{Error, Result};
use crate::names;

/// A clock may be set back between a checkpoint and a power loss, and a network disk has a clock of
/// its own: files are doubted that seem this much older than the checkpoint, too.
const SLACK: Duration = Duration::from_secs(600);

/// The size of what is no file: a folder, or a link that leads to none.
const IN_THE_WAY: u64 = u64::MAX;

/// The size of a link that leads to a folder.
const LEADS_AWAY: u64 = u64::MAX - 1;

/// What was in the folder at the start: sizes by a keyed 64-bit hash of the name, so that a
/// million files cost tens of megabytes and not hundreds.
#[derive(Default)]
pub struct Present {
    hasher: RandomState,
    sizes: HashMap<u64, Found, BuildHasherDefault<AsItIs>>,
    folds: bool,
    /// Bytes of all files.
    pub bytes: u64,
}

/// The hash of what is a keyed hash already.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        bytes
            .iter()
            .for_each(|byte| self.0 = self.0 << 8 | u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// A file in the folder.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    /// Size in bytes, if it is a file.
    pub bytes: u64,
    /// True if it was written shortly before the machine went down: its bytes may be lost.
    pub is_doubtful: bool,
}

impl Found {
    /// True for what is in the way: it is no file, and not ours to remove.
    pub fn is_no_file(&self) -> bool {
        self.bytes >= LEADS_AWAY
    }
}

impl Present {
    /// Scans `folder` once, and its sub-folders if `is_deep`: their files are named by their paths
    /// with `/`. Files changed after `doubt_since` are marked; where the disk `folds` names, those
    /// that are one to it are one here.
    pub fn scan(
        folder: &Path,
        doubt_since: Option<SystemTime>,
        folds: bool,
        is_deep: bool,
    ) -> Result<Self> {
        let mut present = Self {
            folds,
            ..Self::default()
        };
        let mut rest = vec![(folder.to_owned(), String::new())];
        while let Some((path, prefix)) = rest.pop() {
            let fail = |error: io::Error| Error::io("list", &path, &error);
            for entry in fs::read_dir(&path).map_err(fail)? {
                let entry = entry.map_err(fail)?;
                let name = entry.file_name();
                let Some(name) = name.to_str().map(|name| format!("{prefix}{name}")) else {
                    continue;
                };
                let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
                present.note(&entry, &name, doubt_since);
                if is_deep && is_folder && name != names::WORK {
                    rest.push((entry.path(), format!("{name}/")));
                }
            }
        }
        Ok(present)
    }

    fn note(&mut self, entry: &fs::DirEntry, name: &str, doubt_since: Option<SystemTime>) {
        let mut data = entry.metadata();
        let is_link = data.as_ref().is_ok_and(fs::Metadata::is_symlink);
        if is_link {
            data = fs::metadata(entry.path());
        }
        let found = match data {
            Ok(data) if data.is_file() => {
                self.bytes += data.len();
                let changed = data.modified().ok();
                let is_doubtful = doubt_since
                    .zip(changed)
                    .is_some_and(|(since, at)| at + SLACK >= since);
                Found {
                    bytes: data.len(),
                    is_doubtful,
                }
            }
            data => Found {
                bytes: match data.is_ok_and(|data| is_link && data.is_dir()) {
                    true => LEADS_AWAY,
                    false => IN_THE_WAY,
                },
                is_doubtful: false,
            },
        };
        let key = self.key(name);
        self.sizes.insert(key, found);
    }

    /// Notes a file that a shard holds.
    pub fn add(&mut self, name: &str, bytes: u64) {
        let found = Found {
            bytes,
            is_doubtful: false,
        };
        self.bytes += bytes;
        let key = self.key(name);
        self.sizes.insert(key, found);
    }

    /// True if a file of that name was there.
    pub fn holds(&self, name: &str) -> bool {
        let found = self.sizes.get(&self.key(name));
        found.is_some_and(|found| !found.is_no_file())
    }

    /// The folder on the way to `name` that is a link: it may lead out of the output folder, where no
    /// scan looks and nobody has the lock.
    pub fn link_before<'a>(&self, name: &'a str) -> Option<&'a str> {
        let folders = name.match_indices('/').map(|(at, _)| &name[..at]);
        folders.into_iter().find(|folder| {
            let found = self.sizes.get(&self.key(folder));
            found.is_some_and(|found| found.bytes == LEADS_AWAY)
        })
    }

    /// The file of that name, if it was there; asked for once per name, then forgotten.
    pub fn take(&mut self, name: &str) -> Option<Found> {
        self.sizes.remove(&self.key(name))
    }

    fn key(&self, name: &str) -> u64 {
        if self.folds {
            self.hasher.hash_one(names::folded(name))
        } else {
            self.hasher.hash_one(name)
        }
    }
}
