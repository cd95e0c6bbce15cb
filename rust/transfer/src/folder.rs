//! The output folder. It is the record: a final name is there only when its bytes were right.
//!
//! Unfinished work lies in `.synthesis/` inside it: parts named by a hash of the final name, the
//! journal and the lock. It goes away when nothing is left unfinished.

use std::collections::hash_map::RandomState;
use std::collections::HashMap;
use std::fs::{self, File, TryLockError};
use std::hash::BuildHasher;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

use crate::backoff::lock;
use crate::disk;
use crate::draft::{self, Naming};
use crate::error::{Error, Result};
use crate::manifest::hex;
use crate::names::WORK;

/// Files that are only wanted for what is made from them.
#[derive(Debug, Clone)]
pub struct Aside {
    /// What their names end in, such as `.exr`.
    pub suffix: String,
    /// Ends of the names of what is made: with all of them in the folder, the file is not wanted.
    pub products: Vec<String>,
}

/// An output folder that this process has for itself.
pub struct Folder {
    path: PathBuf,
    work: PathBuf,
    aside: Option<Aside>,
    lock: Mutex<Option<File>>,
    /// The folder, to name files in without walking to it each time.
    directory: Option<File>,
    naming: Naming,
    written: Mutex<Vec<PathBuf>>,
}

impl Folder {
    /// Makes the folder and its work folder if needed, and locks it against other processes.
    pub fn open(path: &Path, aside: Option<Aside>) -> Result<Self> {
        fs::create_dir_all(path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
                let text = format!(
                    "cannot make the folder {}: a file is in its place",
                    path.display()
                );
                Error::new("file-exists", text).hint("choose another folder")
            }
            _ => Error::io("make the folder", path, &error),
        })?;
        let work = path.join(WORK);
        let held = take_lock(path, &work)?;
        sweep_scratch(&work);
        let naming = draft::naming(&work);
        if aside.is_some() {
            let folder = work.join(ASIDE);
            fs::create_dir_all(&folder)
                .map_err(|error| Error::io("make the folder", &folder, &error))?;
        }
        Ok(Self {
            path: path.to_owned(),
            work,
            aside,
            lock: Mutex::new(Some(held)),
            directory: File::open(path).ok(),
            naming,
            written: Mutex::default(),
        })
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder itself, open, where the system can do that.
    pub fn directory(&self) -> Option<&File> {
        self.directory.as_ref()
    }

    /// How files without a name get theirs here.
    pub fn naming(&self) -> Naming {
        self.naming
    }

    /// Where unfinished work is.
    pub fn work(&self) -> &Path {
        &self.work
    }

    /// The final path of a checked name.
    pub fn target(&self, name: &str) -> PathBuf {
        match self.stem_aside(name) {
            Some(_) => self.work.join(ASIDE).join(name),
            None => self.path.join(name),
        }
    }

    /// Where files are kept that are only wanted for what is made from them.
    pub fn aside(&self) -> PathBuf {
        self.work.join(ASIDE)
    }

    /// The name without its suffix, if the file is only wanted for what is made from it.
    pub fn stem_aside<'a>(&self, name: &'a str) -> Option<&'a str> {
        name.strip_suffix(self.aside.as_ref()?.suffix.as_str())
    }

    /// True if all that is made from such a file is in the folder.
    pub fn is_made(&self, stem: &str, present: &Present) -> bool {
        let products = self.aside.iter().flat_map(|aside| &aside.products);
        products
            .map(|end| format!("{stem}{end}"))
            .all(|name| present.holds(&name))
    }

    /// Where the bytes of `name` gather. Hashed: a name may already have the greatest length.
    pub fn part(&self, name: &str) -> PathBuf {
        self.work.join(format!("{}.part", part_id(name)))
    }

    /// Gives a finished part its final name; without `replace` an existing file stays.
    pub fn publish(&self, part: &Path, name: &str, replace: bool) -> Result<()> {
        let target = self.target(name);
        let outcome = if replace {
            disk::rename(part, &target)
        } else {
            disk::rename_new(part, &target)
        };
        outcome.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::DirectoryNotEmpty => {
                let _ = fs::remove_file(part);
                Error::new(
                    "file-exists",
                    format!("{} came into being during the download", target.display()),
                )
                .hint("run the same command again")
            }
            _ => Error::io("write", &target, &error),
        })?;
        if disk::SYNC_NEEDS_NAMES {
            lock(&self.written).push(target);
        }
        Ok(())
    }

    /// Brings all that was published to the disk itself.
    pub fn sync(&self) -> Result<()> {
        let written = std::mem::take(&mut *lock(&self.written));
        disk::sync_folder(&self.path, &written)
            .map_err(|error| Error::io("sync", &self.path, &error))
    }

    /// Removes parts that `is_wanted` does not want: what earlier runs left of small files.
    pub fn sweep(&self, is_wanted: impl Fn(&str) -> bool) {
        for entry in fs::read_dir(&self.work).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let Some(id) = name.to_str().and_then(|name| name.strip_suffix(".part")) else {
                continue;
            };
            if !is_wanted(id) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Removes the work folder; anything in it that is not ours keeps it.
    pub fn finish(&self) {
        self.sweep(|_| false);
        for name in ["journal", "journal.new", "lock"] {
            let _ = fs::remove_file(self.work.join(name));
        }
        drop(lock(&self.lock).take());
        // Both stay if they hold anything: files aside that nobody has used yet.
        let _ = fs::remove_dir(self.work.join(ASIDE));
        let _ = fs::remove_dir(&self.work);
    }
}

/// Where files are kept aside, in the work folder.
const ASIDE: &str = "aside";

/// Removes what killed extractions left: they work in `exr-PID-NUMBER` folders.
fn sweep_scratch(work: &Path) {
    for entry in fs::read_dir(work).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let mut words = name.to_str().unwrap_or_default().split('-');
        if words.next() != Some("exr") {
            continue;
        }
        let pid = words.next().and_then(|word| word.parse().ok());
        if pid.is_some_and(|pid| !disk::may_be_alive(pid)) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// The name of a part: 128 bits of the sha256 of the final name.
pub fn part_id(name: &str) -> String {
    hex(&Sha256::digest(name.as_bytes())[..16])
}

/// The kernel frees the lock of a dead process, so a stale one needs no judgement of ours.
fn take_lock(folder: &Path, work: &Path) -> Result<File> {
    let path = work.join("lock");
    for _ in 0..100 {
        match fs::create_dir(work) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(Error::io("make the folder", work, &error));
            }
            _ => {}
        }
        let mut file = match File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
        {
            // Another process finished between our two calls and took the folder with it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            outcome => outcome.map_err(|error| Error::io("open", &path, &error))?,
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held_by(folder, &mut file)),
            // Some network disks have no locks; unique part names must do there.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", &path, &error)),
        }
        if disk::is_same_file(&file, &path) {
            let _ = file.set_len(0);
            let _ = file.rewind();
            let _ = writeln!(file, "{} {}", std::process::id(), host_name());
            return Ok(file);
        }
    }
    Err(Error::new(
        "locked",
        format!(
            "cannot lock {}: other processes come and go",
            folder.display()
        ),
    ))
}

fn held_by(folder: &Path, file: &mut File) -> Error {
    let mut text = String::new();
    // On Windows a locked file cannot be read; then the holder stays unnamed.
    let _ = file.take(300).read_to_string(&mut text);
    let mut words = text.split_whitespace();
    let who = match (words.next(), words.next()) {
        (Some(pid), Some(host)) => format!("process {pid} on {}", crate::names::shown(host)),
        _ => "another process".to_owned(),
    };
    Error::new(
        "locked",
        format!("{who} is downloading to {}", folder.display()),
    )
    .hint("wait for it to end, or choose another folder")
}

fn host_name() -> String {
    #[cfg(unix)]
    let name = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    #[cfg(not(unix))]
    let name = std::env::var("COMPUTERNAME").unwrap_or_default();
    if name.is_empty() {
        "this-host".to_owned()
    } else {
        name
    }
}

/// What was in the folder at the start: sizes by a keyed 64-bit hash of the name, so that a
/// million files cost tens of megabytes and not hundreds.
#[derive(Default)]
pub struct Present {
    hasher: RandomState,
    sizes: HashMap<u64, Found>,
    /// Bytes of all files.
    pub bytes: u64,
}

/// A file in the folder.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    /// Size in bytes; `u64::MAX` for what is no regular file.
    pub bytes: u64,
    /// True if it was written shortly before the machine went down: its bytes may be lost.
    pub is_doubtful: bool,
}

impl Present {
    /// Scans `folder` once. Files changed after `doubt_since` are marked.
    pub fn scan(folder: &Path, doubt_since: Option<SystemTime>) -> Result<Self> {
        let mut present = Self::default();
        let entries = fs::read_dir(folder).map_err(|error| Error::io("list", folder, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| Error::io("list", folder, &error))?;
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
                continue;
            };
            let mut data = entry.metadata();
            if data.as_ref().is_ok_and(fs::Metadata::is_symlink) {
                data = fs::metadata(entry.path());
            }
            let found = match data {
                Ok(data) if data.is_file() => {
                    present.bytes += data.len();
                    let changed = data.modified().ok();
                    let slack = Duration::from_secs(2);
                    let is_doubtful = doubt_since
                        .zip(changed)
                        .is_some_and(|(since, at)| at + slack >= since);
                    Found {
                        bytes: data.len(),
                        is_doubtful,
                    }
                }
                // A folder, or a dangling link: in the way, and not ours to remove.
                _ => Found {
                    bytes: u64::MAX,
                    is_doubtful: false,
                },
            };
            present
                .sizes
                .insert(present.hasher.hash_one(name.as_str()), found);
        }
        Ok(present)
    }

    /// True if a file of that name was there.
    pub fn holds(&self, name: &str) -> bool {
        let found = self.sizes.get(&self.hasher.hash_one(name));
        found.is_some_and(|found| found.bytes != u64::MAX)
    }

    /// The file of that name, if it was there; asked for once per name, then forgotten.
    pub fn take(&mut self, name: &str) -> Option<Found> {
        self.sizes.remove(&self.hasher.hash_one(name))
    }
}

/// The sha256 of a file.
pub fn digest(path: &Path) -> io::Result<[u8; 32]> {
    let (mut file, mut hasher) = (File::open(path)?, Sha256::new());
    let mut block = vec![0; 1 << 20];
    loop {
        match file.read(&mut block) {
            Ok(0) => return Ok(hasher.finalize().into()),
            Ok(read) => hasher.update(&block[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
